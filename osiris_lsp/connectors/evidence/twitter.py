"""X, once Twitter: posts of the last seven days, and any post by its id."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp.connectors.auth.config import create_bearer_auth
from osiris_lsp.connectors.errors import ConnectorError
from osiris_lsp.connectors.evidence.base import checked
from osiris_lsp.connectors.evidence.service import ServiceConnector, limited
from osiris_lsp.connectors.evidence.shape import inner, items, number, part, text
from osiris_lsp.connectors.evidence.source import Evidence, SourceType
from osiris_lsp.connectors.resilience.rate_limit import RateLimitConfig, retry_after
from osiris_lsp.secret import Secret

if TYPE_CHECKING:
    import httpx2

_ID: Final = re.compile(r"[0-9]{1,19}")
_FIXED: Final = {
    "tweet.fields": "created_at,author_id,public_metrics,lang",
    "expansions": "author_id",
    "user.fields": "username,name,verified",
}
_FEWEST: Final = 10
"""Posts of a page that the API gives at least; it refuses to give less."""


class TwitterConnector(ServiceConnector):
    """Posts; ids are their numbers.

    https://docs.x.com/x-api/posts/search-recent-posts,
    https://docs.x.com/x-api/posts/get-post-by-id, https://docs.x.com/x-api/fundamentals/rate-limits
    """

    name = "X"
    source_type = SourceType.SOCIAL_MEDIA
    needs = "bearer_token"
    default_url = "https://api.x.com/2"
    default_limit = RateLimitConfig(450, 900.0)
    confidence = 0.4
    authority = 0.4

    def __init__(self, *, bearer_token: str | Secret | None = None, **options: Any) -> None:
        self._has_token = bool(bearer_token)
        super().__init__(auth=create_bearer_auth(bearer_token) if bearer_token else None, **options)

    @property
    def is_configured(self) -> bool:
        """Whether there is a token."""
        return self._has_token

    async def search(self, query: str, limit: int = 10, **options: Any) -> list[Evidence]:
        """Search recent posts with the operators of X (`from:name -is:retweet text`)."""
        words = checked(query, limit)
        fixed = {**_FIXED, "query": words, "max_results": min(max(limit, _FEWEST), 100)}

        async def page(token: str) -> tuple[Sequence[Evidence], str | None]:
            params = {**fixed, **({"next_token": token} if token else {})}
            body = await self._ask("search", "/tweets/search/recent", params=params)
            part(body, "meta", where=self.name)
            # Without a find there is no `data`.
            posts = items(body, "data", where=self.name) if "data" in body else ()
            people = _people(body)
            found = [self._post(post, people) for post in posts]
            return found, text(body, "meta", "next_token") or None

        return await self._turn(limit, "", page)

    async def _load(self, evidence_id: str) -> Evidence | None:
        if not _ID.fullmatch(evidence_id):
            return None
        body = await self._ask("fetch", f"/tweets/{evidence_id}", params=_FIXED)
        # What is gone, or not for us, comes as `errors` with status 200.
        if inner(body, "errors") and not inner(body, "data"):
            return None
        part(body, "data", "id", where=self.name)
        return self._post(body["data"], _people(body))

    def _refusal(self, response: "httpx2.Response", where: str) -> ConnectorError | None:
        """Say how long to wait: X gives the time at which its window ends."""
        if response.status_code != 429:
            return None
        headers = response.headers
        reset = headers.get("x-rate-limit-reset", "")
        after = retry_after(headers.get("retry-after"), self._wall())
        if after is None and reset.isdigit():
            after = max(float(reset[:12]) - self._wall(), 0.0)
        return limited(where, after)

    def _post(self, post: Mapping[str, Any], people: Mapping[str, str]) -> Evidence:
        id, user = text(post, "id"), people.get(text(post, "author_id"), "")
        return self._evidence(
            id,
            f"https://x.com/{user or 'i/web'}/status/{id}",
            text(post, "text"),
            title=f"Post of @{user}" if user else "Post",
            created_at=text(post, "created_at") or None,
            author=user or None,
            metadata={
                "likes": number(post, "public_metrics", "like_count"),
                "reposts": number(post, "public_metrics", "retweet_count"),
                "language": text(post, "lang"),
            },
        )


def _people(body: Any) -> Mapping[str, str]:
    """Return the names of users by their ids."""
    users = inner(body, "includes", "users")
    listed = users if isinstance(users, list) else ()
    return {text(user, "id"): text(user, "username") for user in listed}
