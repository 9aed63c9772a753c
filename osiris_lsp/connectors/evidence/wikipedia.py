"""Wikipedia, and any other wiki of MediaWiki: articles."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from osiris_lsp.connectors.errors import (
    ConnectorAPIError,
    ConnectorError,
    ConnectorValidationError,
)
from osiris_lsp.connectors.evidence.base import checked
from osiris_lsp.connectors.evidence.service import ServiceConnector, limited
from osiris_lsp.connectors.evidence.shape import inner, items, number, text
from osiris_lsp.connectors.evidence.source import Evidence, SourceType
from osiris_lsp.connectors.markup import text_of_html
from osiris_lsp.connectors.resilience.rate_limit import RateLimitConfig, retry_after

if TYPE_CHECKING:
    import httpx2

_FIXED: Final = {"action": "query", "format": "json", "formatversion": "2", "maxlag": "5"}


class WikipediaConnector(ServiceConnector):
    """Articles; ids are those of pages, and `fetch` takes titles, too.

    `base_url` chooses the language. https://www.mediawiki.org/wiki/API:Search,
    https://www.mediawiki.org/wiki/API:Errors_and_warnings,
    https://www.mediawiki.org/wiki/API:Etiquette (one request at a time, `maxlag`, a User-Agent)
    """

    name = "Wikipedia"
    source_type = SourceType.PUBLICATION
    default_url = "https://en.wikipedia.org"
    default_limit = RateLimitConfig(200, 60.0, burst_size=10)
    confidence = 0.75
    authority = 0.75

    async def search(self, query: str, limit: int = 10, **options: Any) -> list[Evidence]:
        """Search titles and texts; what comes back are pieces of the text."""
        words = checked(query, limit)
        fixed = {"list": "search", "srsearch": words, "srlimit": min(limit, 50)}
        fixed["srprop"] = "snippet|timestamp|wordcount"

        async def page(offset: int) -> tuple[Sequence[Evidence], int | None]:
            params = {**_FIXED, **fixed, "sroffset": offset}
            body = await self._ask("search", "/w/api.php", params=params)
            found = [
                self._page(
                    item, text_of_html(text(item, "snippet"))[1], text(item, "timestamp") or None
                )
                for item in items(body, "query", "search", where=self.name)
            ]
            return found, number(body, "continue", "sroffset") or None

        return await self._turn(limit, 0, page)

    async def _load(self, evidence_id: str) -> Evidence | None:
        name = evidence_id.strip()
        if not name or "|" in name or "\0" in name:
            return None
        which = {"pageids" if name.isascii() and name.isdigit() else "titles": name}
        params = {
            **_FIXED,
            **which,
            "prop": "extracts|revisions",
            "explaintext": "1",
            "rvprop": "timestamp",
            "redirects": "1",
        }
        body = await self._ask("fetch", "/w/api.php", params=params)
        for item in items(body, "query", "pages", where=self.name):
            if not (item.get("missing") or item.get("invalid")):
                revisions = item.get("revisions") or [{}]
                return self._page(item, text(item, "extract"), text(revisions[0], "timestamp"))
        return None

    def _refusal(self, response: "httpx2.Response", where: str) -> ConnectorError | None:
        """Say what an error means that comes with status 200."""
        code = response.headers.get("mediawiki-api-error", "")
        if not code and response.status_code == 200:
            code = _code(response)
        if not code:
            return None
        if code in ("maxlag", "ratelimited"):
            after = retry_after(response.headers.get("retry-after"), self._wall())
            return limited(where, 5.0 if after is None else after)
        if code.startswith("internal_api_error") or code == "readonly":
            return ConnectorAPIError(
                f"{where} has a fault of its own", status_code=503, code="mediawiki.internal"
            )
        return ConnectorValidationError(
            f"{where} refused the request", status_code=400, code="mediawiki.refused", stage="query"
        )

    def _page(self, item: Mapping[str, Any], content: str, changed: str | None) -> Evidence:
        title = text(item, "title")
        address = quote(title.replace(" ", "_"), safe="/:(),")
        return self._evidence(
            text(item, "pageid"),
            f"{self._client.config.base_url.rstrip('/')}/wiki/{address}",
            content or title,
            title=title,
            created_at=changed or None,
            metadata={"words": number(item, "wordcount")} if "wordcount" in item else {},
        )


def _code(response: "httpx2.Response") -> str:
    try:
        return text(inner(response.json(), "error"), "code")
    except (ValueError, RecursionError):
        return ""
