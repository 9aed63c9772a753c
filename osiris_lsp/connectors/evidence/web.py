"""The web: searched through Brave Search, read page by page."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp.connectors.auth.config import create_api_key_auth
from osiris_lsp.connectors.clients.http.config import APIClientConfig
from osiris_lsp.connectors.errors import (
    ConnectorAPIError,
    ConnectorAuthError,
    ConnectorError,
    ConnectorParseError,
    ConnectorPermissionError,
    ConnectorValidationError,
)
from osiris_lsp.connectors.evidence import pages
from osiris_lsp.connectors.evidence.base import checked
from osiris_lsp.connectors.evidence.pages import Address, LookUp, Pages
from osiris_lsp.connectors.evidence.robots import Robots, read_robots
from osiris_lsp.connectors.evidence.service import USER_AGENT, ServiceConnector, limited
from osiris_lsp.connectors.evidence.shape import inner, items, part, text
from osiris_lsp.connectors.evidence.source import Evidence, SourceType
from osiris_lsp.connectors.markup import text_of_html
from osiris_lsp.connectors.resilience.cache import Cache
from osiris_lsp.connectors.resilience.circuit_breaker import CircuitBreaker
from osiris_lsp.connectors.resilience.rate_limit import (
    RateLimitConfig,
    RateLimiter,
    retry_after,
)
from osiris_lsp.secret import Secret

if TYPE_CHECKING:
    import httpx2

PRODUCT: Final = "osiris-lsp"
"""The name to which `robots.txt` can speak."""

_PAGE: Final = 20
_LAST_OFFSET: Final = 9
_DAY: Final = 86_400.0


class WebConnector(ServiceConnector):
    """Pages of the web; ids are their addresses.

    `search` asks Brave Search and needs an `api_key`. `fetch` reads a page of at most `max_bytes`,
    where `robots.txt` lets it, and from public addresses only; the key never goes there.
    https://api.search.brave.com/app/documentation/web-search/get-started, RFC 9309
    """

    name = "Web"
    source_type = SourceType.WEB_SEARCH
    needs = "api_key"
    default_url = "https://api.search.brave.com/res/v1"
    default_limit = RateLimitConfig(1, 1.0)
    confidence = 0.5
    authority = 0.5

    def __init__(
        self,
        *,
        api_key: str | Secret | None = None,
        user_agent: str = "",
        max_bytes: int = 2_000_000,
        timeout: float = 30.0,
        connect_timeout: float = 10.0,
        allowed: Callable[[Address], bool] = pages.is_public,
        look_up: LookUp = pages.look_up,
        page_ssl_context: Any = None,
        **options: Any,
    ) -> None:
        self._has_key = bool(api_key)
        super().__init__(
            auth=create_api_key_auth(api_key, "X-Subscription-Token") if api_key else None,
            user_agent=user_agent,
            timeout=timeout,
            connect_timeout=connect_timeout,
            **options,
        )
        config = APIClientConfig(
            "page",
            "https://page.invalid",
            timeout=timeout,
            connect_timeout=connect_timeout,
            default_headers={"User-Agent": user_agent or USER_AGENT},
            max_body=max_bytes,
            ssl_context=page_ssl_context,
        )
        self._pages = Pages(config, allowed=allowed, look_up=look_up)
        self._pace = RateLimiter(
            RateLimitConfig(60, 60.0, burst_size=10), clock=self._clock, sleep=self._sleep
        )
        self._breakers: Cache[CircuitBreaker] = Cache(500, _DAY, clock=self._clock)
        self._robots: Cache[Robots] = Cache(500, _DAY, clock=self._clock)

    @property
    def is_configured(self) -> bool:
        """Whether there is a key to search with."""
        return self._has_key

    async def search(self, query: str, limit: int = 10, **options: Any) -> list[Evidence]:
        """Search the web; what comes back are the descriptions of Brave Search."""
        words, size = checked(query, limit), min(limit, _PAGE)

        async def page(offset: int) -> tuple[Sequence[Evidence], int | None]:
            params = {"q": words, "count": size, "offset": offset}
            body = await self._ask("search", "/web/search", params=params)
            part(body, "query", where=self.name)
            # Without a find there is no `web`.
            results = items(body, "web", "results", where=self.name) if inner(body, "web") else ()
            found = [self._result(item) for item in results if text(item, "url")]
            more = inner(body, "query", "more_results_available") is True and offset < _LAST_OFFSET
            return found, offset + 1 if more else None

        return await self._turn(limit, 0, page)

    async def _load(self, evidence_id: str) -> Evidence | None:
        breaker = self._breaker(pages.parsed(evidence_id).host)

        async def read() -> pages.Page:
            await self._pace.acquire()
            return await self._pages.get(evidence_id, self._permit)

        try:
            page = await self._request_with_retry(read, "fetch", breaker=breaker)
        except ConnectorAPIError as error:
            if error.status_code == 410:
                return None
            raise
        assert isinstance(page, pages.Page)
        if not page.kind.startswith("text/") and page.kind not in _TEXTS:
            raise ConnectorParseError(
                f"`{self.name}.fetch` was answered with what is no text",
                code="web.type",
                stage="query",
            )
        title, content = "", page.text
        if "html" in page.kind or not page.kind:
            title, content = await asyncio.to_thread(text_of_html, page.text)
        return self._evidence(
            evidence_id, page.url, content, title=title, metadata={"content_type": page.kind}
        )

    def _breaker(self, host: str) -> CircuitBreaker:
        """Return the breaker of a site: one that fails is no reason to leave others alone."""
        found = self._breakers.get(host)
        if found is None:
            found = CircuitBreaker(name=host, clock=self._clock)
            self._breakers.put(host, found)
        return found

    async def _permit(self, url: "httpx2.URL") -> None:
        """Raise ConnectorPermissionError where the site does not want the page to be read."""
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        rules = self._robots.get(origin)
        if rules is None:
            rules = await self._rules(origin)
            self._robots.put(origin, rules)
        if not rules.allow(url.raw_path.decode("ascii", "replace")):
            raise ConnectorPermissionError(
                f"`{url.host}` does not let programs read this page (robots.txt)",
                code="web.robots",
                stage="query",
                remedy="ask the owner of the site",
            )

    async def _rules(self, origin: str) -> Robots:
        """Return the rules of a site; where it has none, or keeps them to itself, all is allowed.

        Where it fails, nothing may be read (RFC 9309, 2.3.1): the failure is raised.
        """
        try:
            page = await self._pages.get(f"{origin}/robots.txt")
        except (ConnectorAuthError, ConnectorPermissionError) as error:
            if error.code == "web.private_address":
                raise
            return Robots()
        except ConnectorAPIError as error:
            if error.status_code is None or error.status_code >= 500:
                raise
            return Robots()
        return read_robots(page.text, PRODUCT)

    def _refusal(self, response: "httpx2.Response", where: str) -> ConnectorError | None:
        """Say what Brave Search means by 422 and 429."""
        if response.status_code == 429:
            after = retry_after(response.headers.get("retry-after"), self._wall())
            return limited(where, _reset(response.headers) if after is None else after)
        if response.status_code == 422 and "SUBSCRIPTION_TOKEN_INVALID" in response.text:
            return ConnectorAuthError(
                f"{where} does not accept the key",
                code="web.key_invalid",
                stage="auth",
                field="api_key",
                remedy="check `api_key` on the page API keys of Brave Search",
            )
        if response.status_code == 422:
            return ConnectorValidationError(
                f"{where} refused the query",
                status_code=422,
                code="http.invalid",
                remedy="a query has at most 400 characters and 50 words",
            )
        return None

    def _result(self, item: Mapping[str, Any]) -> Evidence:
        return self._evidence(
            text(item, "url"),
            text(item, "url"),
            text_of_html(text(item, "description"))[1] or text(item, "title"),
            title=text_of_html(text(item, "title"))[1],
            created_at=text(item, "page_age") or None,
            author=text(item, "profile", "name") or None,
            metadata={"language": text(item, "language")},
        )


_TEXTS: Final = frozenset(
    ("", "application/xhtml+xml", "application/json", "application/xml", "application/ld+json")
)


def _reset(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until the limits that are used up begin anew: `1, 14197`."""
    left = headers.get("x-ratelimit-remaining", "").split(",")
    reset = headers.get("x-ratelimit-reset", "").split(",")
    pairs = zip(left, reset, strict=False)
    waits = [float(wait) for rest, wait in pairs if rest.strip() == "0" and wait.strip().isdigit()]
    return max(waits, default=None)
