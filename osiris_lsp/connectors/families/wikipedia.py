"""Wikipedia, and any other wiki of MediaWiki: what it says about itself."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from osiris_lsp.connectors.inquiry import Inquiry, below


class WikipediaConnector(Inquiry):
    """One wiki, which needs no key."""

    family: ClassVar[str] = "wikipedia"
    _path: ClassVar[str] = "/w/api.php"
    _params: ClassVar[Mapping[str, str]] = {
        "action": "query",
        "meta": "siteinfo",
        "format": "json",
        "formatversion": "2",
    }

    def _facts(self, answer: Any) -> Mapping[str, Any] | None:
        """Tell the name of the wiki and its version."""
        name = below(answer, "query", "general", "sitename")
        if name is None:
            return None
        return {"site": name, "server_version": below(answer, "query", "general", "generator")}


CONNECTOR: Final = WikipediaConnector()
