"""NewsAPI: articles of newspapers and magazines."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp.connectors.auth.config import create_api_key_auth
from osiris_lsp.connectors.errors import (
    ConnectorAPIError,
    ConnectorAuthError,
    ConnectorError,
    ConnectorQuotaError,
)
from osiris_lsp.connectors.evidence.base import checked
from osiris_lsp.connectors.evidence.service import ServiceConnector, limited
from osiris_lsp.connectors.evidence.shape import items, number, text
from osiris_lsp.connectors.evidence.source import Evidence, SourceType
from osiris_lsp.connectors.resilience.rate_limit import retry_after
from osiris_lsp.secret import Secret

if TYPE_CHECKING:
    import httpx2

_KEYS: Final = frozenset(("apiKeyDisabled", "apiKeyInvalid", "apiKeyMissing"))
_TOO_FAR: Final = "newsapi.maximumResultsReached"


class NewsAPIConnector(ServiceConnector):
    """Articles; ids are their addresses.

    NewsAPI has no way to ask for one article: `fetch` gives what a search found while it is in the
    cache. https://newsapi.org/docs/endpoints/everything, https://newsapi.org/docs/errors
    """

    name = "NewsAPI"
    source_type = SourceType.NEWS
    needs = "api_key"
    default_url = "https://newsapi.org/v2"
    confidence = 0.65
    authority = 0.6

    def __init__(self, *, api_key: str | Secret | None = None, **options: Any) -> None:
        self._has_key = bool(api_key)
        auth = create_api_key_auth(api_key, "X-Api-Key") if api_key else None
        super().__init__(auth=auth, **options)

    @property
    def is_configured(self) -> bool:
        """Whether there is a key."""
        return self._has_key

    async def search(self, query: str, limit: int = 10, **options: Any) -> list[Evidence]:
        """Search all articles by relevance; `options` are other parameters, such as `language`."""
        words, size = checked(query, limit), min(limit, 100)
        fixed = {**options, "q": words, "pageSize": size, "sortBy": "relevancy"}

        async def page(turn: int) -> tuple[Sequence[Evidence], int | None]:
            try:
                body = await self._ask("search", "/everything", params={**fixed, "page": turn})
            except ConnectorAPIError as error:
                if turn > 1 and error.code == _TOO_FAR:
                    return (), None  # the plan ends here
                raise
            articles = items(body, "articles", where=self.name)
            found = [self._article(item) for item in articles if text(item, "url")]
            more = turn * size < number(body, "totalResults")
            return found, turn + 1 if more else None

        found = await self._turn(limit, 1, page)
        for evidence in found:
            self._cache_put(evidence.id, evidence)
        return found

    async def _load(self, evidence_id: str) -> Evidence | None:
        return None

    def _refusal(self, response: "httpx2.Response", where: str) -> ConnectorError | None:
        """Say what the code of an error means."""
        if response.status_code < 400:
            return None
        try:
            code = text(response.json(), "code")
        except (ValueError, RecursionError):
            return None
        if code in _KEYS:
            return ConnectorAuthError(
                f"{where} does not accept the key",
                code=f"newsapi.{code}",
                stage="auth",
                field="api_key",
                remedy="check `api_key` on the account page of NewsAPI",
            )
        if code == "apiKeyExhausted":
            return ConnectorQuotaError(
                f"{where}: the requests of the key are used up",
                status_code=402,
                code=f"newsapi.{code}",
                stage="query",
                field="api_key",
                remedy="wait until the plan renews them, or take a larger plan",
            )
        if code == "maximumResultsReached":
            return ConnectorAPIError(
                f"{where} gives no more results to this plan",
                status_code=response.status_code,
                code=_TOO_FAR,
                stage="query",
            )
        if code == "rateLimited":
            return limited(where, retry_after(response.headers.get("retry-after"), self._wall()))
        return None

    def _article(self, item: Mapping[str, Any]) -> Evidence:
        body = text(item, "description"), text(item, "content")
        return self._evidence(
            text(item, "url"),
            text(item, "url"),
            "\n\n".join(filter(None, body)) or text(item, "title"),
            title=text(item, "title"),
            created_at=text(item, "publishedAt") or None,
            author=text(item, "author") or None,
            metadata={"source": text(item, "source", "name")},
        )
