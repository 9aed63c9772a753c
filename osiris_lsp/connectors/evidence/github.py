"""GitHub: issues, pull requests and discussions."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from osiris_lsp.connectors.auth.config import create_bearer_auth
from osiris_lsp.connectors.errors import (
    ConnectorAPIError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNotFoundError,
)
from osiris_lsp.connectors.evidence.base import checked
from osiris_lsp.connectors.evidence.service import ServiceConnector, limited
from osiris_lsp.connectors.evidence.shape import inner, items, number, part, text
from osiris_lsp.connectors.evidence.source import Evidence, SourceType
from osiris_lsp.connectors.resilience.rate_limit import RateLimitConfig, retry_after
from osiris_lsp.secret import Secret

if TYPE_CHECKING:
    import httpx2

Kind = Literal["issue", "pull-request", "discussion"]

MOST: Final = 1000
"""Results of a search that can be reached in all."""

_ID: Final = re.compile(r"([\w.-]{1,100})/([\w.-]{1,100})#(\d{1,10})", re.ASCII)
_FIELDS: Final = (
    "number title body url createdAt author { login } repository { nameWithOwner } "
    "comments { totalCount }"
)
_SEARCH: Final = (
    "query($q: String!, $first: Int!, $after: String) { search(query: $q, type: DISCUSSION, "
    "first: $first, after: $after) { pageInfo { hasNextPage endCursor } "
    "nodes { ... on Discussion { " + _FIELDS + " } } } }"
)
_ONE: Final = (
    "query($owner: String!, $name: String!, $number: Int!) { repository(owner: $owner, name: $name)"
    " { discussion(number: $number) { " + _FIELDS + " } } }"
)


class GitHubConnector(ServiceConnector):
    """Issues, pull requests and discussions; ids are `owner/repository#number`.

    Discussions need a token. https://docs.github.com/en/rest/search/search,
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api,
    https://docs.github.com/en/graphql/guides/using-the-graphql-api-for-discussions
    """

    name = "GitHub"
    source_type = SourceType.CODE_REPOSITORY
    default_url = "https://api.github.com"
    confidence = 0.7
    authority = 0.7

    def __init__(self, *, token: str | Secret | None = None, **options: Any) -> None:
        self._has_token = bool(token)
        # The limits of searches, which are the smallest.
        options.setdefault("rate_limit", RateLimitConfig(30 if token else 10, 60.0))
        super().__init__(
            auth=create_bearer_auth(token) if token else None,
            headers={
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            **options,
        )

    async def search(
        self, query: str, limit: int = 10, *, kind: Kind = "issue", **options: Any
    ) -> list[Evidence]:
        """Search with the syntax of GitHub (`repo:owner/name label:bug text`)."""
        words = checked(query, limit)
        if kind == "discussion":
            return await self._discussions(words, limit)
        size = min(limit, 100)

        async def page(turn: int) -> tuple[Sequence[Evidence], int | None]:
            params = {"q": f"{words} is:{kind}", "per_page": size, "page": turn}
            body = await self._ask("search", "/search/issues", params=params)
            found = [self._issue(item) for item in items(body, "items", where=self.name)]
            more = turn * size < min(number(body, "total_count"), MOST)
            return found, turn + 1 if more else None

        return await self._turn(limit, 1, page)

    async def _load(self, evidence_id: str) -> Evidence | None:
        match = _ID.fullmatch(evidence_id)
        if match is None or ".." in (match[1], match[2]):
            return None
        owner, repository, digits = match.groups()
        try:
            body = await self._ask("fetch", f"/repos/{owner}/{repository}/issues/{digits}")
        except ConnectorNotFoundError:
            # Issues, pull requests and discussions share their numbers.
            if not self._has_token:
                return None
            found = {"owner": owner, "name": repository, "number": int(digits)}
            data = await self._graphql("fetch", _ONE, found)
            item = inner(data, "repository", "discussion")
            return self._discussion(item) if isinstance(item, Mapping) else None
        part(body, "number", where=self.name)
        return self._issue(body)

    async def _discussions(self, words: str, limit: int) -> list[Evidence]:
        if not self._has_token:
            raise ConnectorConfigError(
                "discussions of GitHub can only be searched with a token",
                field="token",
                remedy="add a token; one without any scope reads what is public",
            )

        async def page(after: str) -> tuple[Sequence[Evidence], str | None]:
            given = {"q": words, "first": min(limit, 100), "after": after or None}
            data = await self._graphql("search", _SEARCH, given)
            found = items(data, "search", "nodes", where=self.name)
            info = inner(data, "search", "pageInfo")
            more = inner(info, "hasNextPage") is True
            return [self._discussion(item) for item in found if item], (
                text(info, "endCursor") or None if more else None
            )

        return await self._turn(limit, "", page)

    async def _graphql(self, operation: str, query: str, variables: Mapping[str, Any]) -> Any:
        """Return `data` of an answer; None where what is asked for is not there."""
        payload = {"query": query, "variables": dict(variables)}
        body = await self._ask(operation, "/graphql", "POST", json=payload)
        kinds = [text(error, "type") for error in inner(body, "errors") or () if error]
        if "RATE_LIMITED" in kinds:
            raise limited(f"`{self.name}`", None)
        if kinds and set(kinds) != {"NOT_FOUND"}:
            raise ConnectorAPIError(
                f"`{self.name}.{operation}` was answered with an error of GraphQL",
                status_code=200,
                code="graphql.error",
                stage="query",
            )
        return part(body, "data", where=self.name)

    def _refusal(self, response: "httpx2.Response", where: str) -> ConnectorError | None:
        """Tell limits, which have the status of missing rights, from those."""
        if response.status_code not in (403, 429):
            return None
        headers = response.headers
        after = retry_after(headers.get("retry-after"), self._wall())
        if after is not None:
            return limited(where, after)
        if headers.get("x-ratelimit-remaining") == "0":
            reset = headers.get("x-ratelimit-reset", "")
            return limited(where, max(float(reset) - self._wall(), 0.0) if reset.isdigit() else 60)
        # Nothing but its text tells this one: "otherwise, wait for at least one minute".
        return limited(where, 60.0) if "secondary rate limit" in response.text else None

    def _issue(self, item: Mapping[str, Any]) -> Evidence:
        repository = "/".join(text(item, "repository_url").split("/")[-2:])
        return self._evidence(
            f"{repository}#{number(item, 'number')}",
            text(item, "html_url"),
            text(item, "body") or text(item, "title"),
            title=text(item, "title"),
            created_at=text(item, "created_at") or None,
            author=text(item, "user", "login") or None,
            metadata={
                "kind": "pull-request" if "pull_request" in item else "issue",
                "state": text(item, "state"),
                "comments": number(item, "comments"),
                "labels": [
                    text(label, "name") for label in item.get("labels") or () if text(label, "name")
                ],
            },
        )

    def _discussion(self, item: Mapping[str, Any]) -> Evidence:
        return self._evidence(
            f"{text(item, 'repository', 'nameWithOwner')}#{number(item, 'number')}",
            text(item, "url"),
            text(item, "body") or text(item, "title"),
            title=text(item, "title"),
            created_at=text(item, "createdAt") or None,
            author=text(item, "author", "login") or None,
            metadata={"kind": "discussion", "comments": number(item, "comments", "totalCount")},
        )
