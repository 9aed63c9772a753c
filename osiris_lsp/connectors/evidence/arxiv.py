"""arXiv: papers, from its Atom feed."""

import re
from collections.abc import Sequence
from typing import Any, Final
from xml.etree.ElementTree import Element

from osiris_lsp.connectors.errors import ConnectorParseError, ConnectorValidationError
from osiris_lsp.connectors.evidence.base import checked
from osiris_lsp.connectors.evidence.service import ServiceConnector
from osiris_lsp.connectors.evidence.source import Evidence, SourceType
from osiris_lsp.connectors.markup import parse_xml
from osiris_lsp.connectors.resilience.rate_limit import RateLimitConfig

_ATOM: Final = "{http://www.w3.org/2005/Atom}"
_ARXIV: Final = "{http://arxiv.org/schemas/atom}"
_TOTAL: Final = "{http://a9.com/-/spec/opensearch/1.1/}totalResults"
_ID: Final = re.compile(r"(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d{1,3})?", re.ASCII)
_PREFIXED: Final = re.compile(r"\b(?:ti|au|abs|co|jr|cat|rn|id|all|submittedDate):")
_ERRORS: Final = "arxiv.org/api/errors"


class ArXivConnector(ServiceConnector):
    """Papers; ids are those of arXiv (`2101.00001`, `hep-th/9901001v1`).

    One request in three seconds, as its terms want. https://info.arxiv.org/help/api/user-manual.html
    """

    name = "arXiv"
    source_type = SourceType.PUBLICATION
    default_url = "https://export.arxiv.org/api"
    default_limit = RateLimitConfig(1, 3.0)
    confidence = 0.8
    authority = 0.85

    async def search(self, query: str, limit: int = 10, **options: Any) -> list[Evidence]:
        """Search for all words, or with the fields of arXiv (`ti:`, `au:`, `AND`)."""
        words, size = _query(checked(query, limit)), min(limit, 100)

        async def page(start: int) -> tuple[Sequence[Evidence], int | None]:
            params = {"search_query": words, "start": start, "max_results": size}
            feed = await self._feed("search", {**params, "sortBy": "relevance"})
            found = self._papers(feed)
            total = (feed.findtext(_TOTAL) or "").strip()
            more = total.isdigit() and start + size < int(total[:12])
            return found, start + size if more else None

        return await self._turn(limit, 0, page)

    async def _load(self, evidence_id: str) -> Evidence | None:
        if not _ID.fullmatch(evidence_id):
            return None
        feed = await self._feed("fetch", {"id_list": evidence_id, "max_results": 1})
        return next(iter(self._papers(feed)), None)

    async def _feed(self, operation: str, params: dict[str, Any]) -> Element:
        body = await self._ask(operation, "/query", params=params)
        root = parse_xml(body if isinstance(body, str) else "", f"`{self.name}.{operation}`")
        if root.tag != f"{_ATOM}feed":
            raise ConnectorParseError(
                f"`{self.name}.{operation}` was answered with XML that is no Atom feed",
                code="answer.shape",
                stage="query",
            )
        # Errors of arXiv are a feed, too, with a single entry.
        if any(_ERRORS in _text(entry, "id") for entry in root.iter(f"{_ATOM}entry")):
            raise ConnectorValidationError(
                f"`{self.name}.{operation}` was refused",
                status_code=400,
                code="arxiv.refused",
                stage="query",
                remedy="look at the syntax of queries in the manual of the API of arXiv",
            )
        return root

    def _papers(self, feed: Element) -> list[Evidence]:
        entries = feed.iter(f"{_ATOM}entry")
        # For an id that it does not know, arXiv has an entry without a title.
        return [self._paper(entry) for entry in entries if _text(entry, "title")]

    def _paper(self, entry: Element) -> Evidence:
        address = _text(entry, "id")
        authors = [_text(author, "name") for author in entry.iter(f"{_ATOM}author")]
        links = (link.attrib for link in entry.iter(f"{_ATOM}link"))
        pdf = next((link.get("href") for link in links if link.get("title") == "pdf"), None)
        return self._evidence(
            re.sub(r".*/abs/", "", address),
            address,
            _text(entry, "summary"),
            title=_text(entry, "title"),
            created_at=_text(entry, "published") or None,
            author=", ".join(filter(None, authors)) or None,
            metadata={
                "updated": _text(entry, "updated"),
                "categories": [item.get("term") for item in entry.iter(f"{_ATOM}category")],
                "doi": (entry.findtext(f"{_ARXIV}doi") or "").strip() or None,
                "pdf": pdf,
            },
        )


def _query(words: str) -> str:
    if _PREFIXED.search(words):
        return words
    parts = re.findall(r"[^\s\"():]+", words)
    return " AND ".join(f"all:{part}" for part in parts) or f"all:{words}"


def _text(element: Element, name: str) -> str:
    return " ".join((element.findtext(f"{_ATOM}{name}") or "").split())
