"""Text as XML shows it: what XML 1.0 forbids is written as an escape that people can read."""

from xml.sax.saxutils import escape, quoteattr

from osiris_lsp.text import printable


def text(value: str) -> str:
    """Return a value as the content of an element."""
    return escape(printable(value))


def attribute(value: object) -> str:
    """Return a value as that of an attribute, in quotes."""
    return quoteattr(printable(str(value)))
