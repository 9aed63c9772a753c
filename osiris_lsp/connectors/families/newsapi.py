"""NewsAPI: the list of its sources."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.inquiry import Inquiry


class NewsapiConnector(Inquiry):
    """NewsAPI, with a key."""

    family: ClassVar[str] = "newsapi"
    _path: ClassVar[str] = "/top-headlines/sources"
    _key_field: ClassVar[str] = "api_key"

    def _headers(self, check: Check) -> Mapping[str, str]:
        """Return the key."""
        return {"X-Api-Key": check.connection.text("api_key")}

    def _facts(self, answer: Any) -> Mapping[str, Any] | None:
        """Tell how many sources there are."""
        sources = answer.get("sources") if isinstance(answer, Mapping) else None
        return {"sources": len(sources)} if isinstance(sources, list) else None


CONNECTOR: Final = NewsapiConnector()
