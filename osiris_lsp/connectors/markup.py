"""XML and HTML of strangers: read without entities, without fetching, without running out."""

import re
from html.parser import HTMLParser
from typing import Final
from xml.etree.ElementTree import Element, ParseError, fromstring

from osiris_lsp.connectors.errors import ConnectorParseError

MAX_XML: Final = 8_000_000
"""Bytes of a document that are read."""

_SILENT: Final = frozenset(("script", "style", "template", "noscript", "svg", "head"))
_BLOCKS: Final = frozenset(
    (
        *("address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figure"),
        *("footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main"),
        *("nav", "ol", "p", "pre", "section", "table", "td", "th", "title", "tr", "ul"),
    )
)


class _DoctypeError(Exception):
    """A document type, where entities are declared."""


def parse_xml(data: bytes | str, where: str) -> Element:
    """Return the root of a document; raises ConnectorParseError.

    A document type is refused: entities in it can expand without end, or lead to files.
    """
    from xml.parsers import expat

    raw = data.encode() if isinstance(data, str) else data
    if len(raw) > MAX_XML:
        raise _unreadable(f"{where} was answered with XML of more than {MAX_XML} bytes")
    scout = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise _DoctypeError

    scout.StartDoctypeDeclHandler = refuse
    try:
        scout.Parse(raw, True)
        return fromstring(raw)
    except _DoctypeError:
        raise _unreadable(f"{where} was answered with XML that has a document type") from None
    except (expat.ExpatError, ParseError, ValueError, LookupError):
        # Their texts may quote the document.
        raise _unreadable(f"{where} was answered with XML that cannot be read") from None


def _unreadable(what: str) -> ConnectorParseError:
    return ConnectorParseError(
        what,
        code="xml.unreadable",
        stage="query",
        field="base_url",
        remedy="check that `base_url` leads to the service and not to a page in front of it",
    )


class _Text(HTMLParser):
    """Collects what a reader sees of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.title = ""
        self._silent: list[str] = []
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_title = tag == "title"
        if tag in _SILENT:
            self._silent.append(tag)
        elif tag == "body":
            self._silent.clear()  # a `head` need not be closed
        elif tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False
        if tag in self._silent:
            del self._silent[self._silent.index(tag) :]
        elif tag in _BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if self._in_title and not self.title:
            self.title = " ".join(data.split())
        elif not self._silent:
            self.pieces.append(data)


def text_of_html(html: str) -> tuple[str, str]:
    """Return the title of a page and its text, lines trimmed and empty ones left out."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in re.split(r"\n", "".join(reader.pieces)))
    return reader.title, "\n".join(line for line in lines if line)
