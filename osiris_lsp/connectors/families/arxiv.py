"""arXiv: one entry of its feed."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from osiris_lsp.connectors.answers import Response
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.inquiry import Inquiry, stranger
from osiris_lsp.connectors.markup import parse_xml


class ArxivConnector(Inquiry):
    """The search of arXiv, which needs no key."""

    family: ClassVar[str] = "arxiv"
    _path: ClassVar[str] = "/query"
    _params: ClassVar[Mapping[str, str]] = {"search_query": "all:electron", "max_results": "1"}

    def _note(self, check: Check, response: Response) -> None:
        """See that a feed came back, which is no JSON."""
        if response.is_html:
            response.json()  # raises `http.html`
        if not parse_xml(response.body, "the check").tag.endswith("}feed"):
            raise stranger("arxiv.answer")

    def _facts(self, answer: Any) -> Mapping[str, Any] | None:
        """Tell nothing more than that it answers."""
        return {}


CONNECTOR: Final = ArxivConnector()
