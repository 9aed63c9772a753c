"""Reddit: posts."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp.connectors.auth.config import create_oauth2_auth
from osiris_lsp.connectors.errors import ConnectorError
from osiris_lsp.connectors.evidence.base import checked
from osiris_lsp.connectors.evidence.service import ServiceConnector, limited
from osiris_lsp.connectors.evidence.shape import inner, items, number, text
from osiris_lsp.connectors.evidence.source import Evidence, SourceType, iso_time
from osiris_lsp.connectors.resilience.rate_limit import RateLimitConfig, retry_after
from osiris_lsp.secret import Secret

if TYPE_CHECKING:
    import httpx2

_ID: Final = re.compile(r"t3_[a-z0-9]{1,12}")
_NAME: Final = re.compile(r"\w{1,50}", re.ASCII)


class RedditConnector(ServiceConnector):
    """Posts; ids are full names (`t3_…`).

    Its rules want a `user_agent` like `linux:com.example.app:v1 (by /u/name)`.
    https://www.reddit.com/dev/api, https://github.com/reddit-archive/reddit/wiki/OAuth2,
    https://support.reddithelp.com/hc/en-us/articles/16160319875092-Reddit-Data-API-Wiki
    """

    name = "Reddit"
    source_type = SourceType.SOCIAL_MEDIA
    needs = "client_secret"
    default_url = "https://oauth.reddit.com"
    default_limit = RateLimitConfig(100, 60.0)
    confidence = 0.5
    authority = 0.4

    def __init__(
        self,
        *,
        client_id: str = "",
        client_secret: str | Secret | None = None,
        token_url: str = "https://www.reddit.com/api/v1/access_token",
        **options: Any,
    ) -> None:
        auth = None
        if client_id and client_secret:
            auth = create_oauth2_auth(client_id, client_secret, token_url)
        self._has_client = auth is not None
        super().__init__(auth=auth, **options)

    @property
    def is_configured(self) -> bool:
        """Whether there is an app with its secret."""
        return self._has_client

    async def search(
        self, query: str, limit: int = 10, *, subreddit: str = "", **options: Any
    ) -> list[Evidence]:
        """Search posts by relevance, of one subreddit or of all."""
        words = checked(query, limit)
        path = f"/r/{subreddit}/search" if _NAME.fullmatch(subreddit) else "/search"
        fixed = {"q": words, "limit": min(limit, 100), "sort": "relevance", "type": "link"}
        fixed |= {"raw_json": 1, **({"restrict_sr": 1} if path != "/search" else {})}

        async def page(after: str) -> tuple[Sequence[Evidence], str | None]:
            params = {**fixed, **({"after": after} if after else {})}
            body = await self._ask("search", path, params=params)
            return self._posts(body), text(body, "data", "after") or None

        return await self._turn(limit, "", page)

    async def _load(self, evidence_id: str) -> Evidence | None:
        if not _ID.fullmatch(evidence_id):
            return None
        body = await self._ask("fetch", "/api/info", params={"id": evidence_id, "raw_json": 1})
        return next(iter(self._posts(body)), None)

    def _refusal(self, response: "httpx2.Response", where: str) -> ConnectorError | None:
        """Say how long to wait where only the headers of the limit do."""
        if response.status_code != 429:
            return None
        after = retry_after(response.headers.get("retry-after"), self._wall())
        if after is None:
            after = retry_after(response.headers.get("x-ratelimit-reset"), self._wall())
        return limited(where, after)

    def _posts(self, body: Any) -> list[Evidence]:
        children = items(body, "data", "children", where=self.name)
        posts = [inner(child, "data") for child in children if text(child, "kind") == "t3"]
        return [self._post(post) for post in posts if isinstance(post, Mapping)]

    def _post(self, post: Mapping[str, Any]) -> Evidence:
        return self._evidence(
            text(post, "name"),
            f"https://www.reddit.com{text(post, 'permalink')}",
            text(post, "selftext") or text(post, "title"),
            title=text(post, "title"),
            created_at=iso_time(inner(post, "created_utc")),
            author=text(post, "author") or None,
            metadata={
                "subreddit": text(post, "subreddit"),
                "score": number(post, "score"),
                "comments": number(post, "num_comments"),
                "link": text(post, "url"),
            },
        )
