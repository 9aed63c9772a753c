"""XML and HTML of strangers: read without entities, without fetching, without running out."""

import re
from html import unescape
from typing import Final
from xml.etree.ElementTree import Element, ParseError, fromstring

from osiris_lsp.connectors.errors import ConnectorParseError

MAX_XML: Final = 8_000_000
"""Bytes of a document that are read."""

_TAG: Final = re.compile(r"<(?:!--|[!?]|(/?)([A-Za-z][^\s/>]{0,40}))")
_NO_CHARACTER: Final = re.compile(r"&#(?:0*[1-9][0-9]{7,}|[xX]0*[1-9A-Fa-f][0-9A-Fa-f]{6,});?")
_SILENT: Final = frozenset(("template", "noscript", "svg", "head"))
_RAW: Final = ("script", "style", "title", "textarea")
_END: Final = {name: re.compile(f"</{name}", re.IGNORECASE) for name in _RAW}
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


def text_of_html(html: str) -> tuple[str, str]:
    """Return the title of a page and its text, lines trimmed and empty ones left out.

    Takes time in proportion to the page, however broken: `html.parser` takes the square of it.
    """
    pieces: list[str] = []
    title, silent, at = "", "", 0
    while True:
        start = html.find("<", at)
        if not silent:
            pieces.append(html[at:] if start < 0 else html[at:start])
        if start < 0:
            break
        match = _TAG.match(html, start)
        if match is None:
            pieces.append("" if silent else "<")
            at = start + 1
            continue
        end = html.find("-->" if match[0] == "<!--" else ">", match.end())
        if end < 0:
            break
        at = end + (3 if match[0] == "<!--" else 1)
        name = (match[2] or "").lower()
        if match[1] == "/":
            silent = "" if name == silent else silent
        elif name in _RAW:
            close = _END[name].search(html, at)
            if name == "title" and silent in ("", "head") and not title:
                title = " ".join(_plain(html[at : close.start() if close else None]).split())
            if close is None:
                break
            at = close.start()
            continue
        elif name == "body":
            silent = ""  # a `head` need not be closed
        elif name in _SILENT and not silent:
            silent = name
        if name in _BLOCKS and not silent:
            pieces.append("\n")
    lines = (" ".join(line.split()) for line in _plain("".join(pieces)).split("\n"))
    return title, "\n".join(line for line in lines if line)


def _plain(text: str) -> str:
    """Return a text with its references replaced."""
    # `unescape` fails for numbers with thousands of digits; no character has one.
    return unescape(_NO_CHARACTER.sub("\ufffd", text))
