"""Markdown for clients that take it, and plain text for the others."""

from collections.abc import Sequence

from lsprotocol import types

from osiris_lsp.markdown import plain


def markup(markdown: str, formats: Sequence[types.MarkupKind] | None) -> types.MarkupContent:
    """Return a text in the first of the formats that a client takes; plain if it names none."""
    if formats and formats[0] == types.MarkupKind.Markdown:
        return types.MarkupContent(types.MarkupKind.Markdown, markdown)
    return types.MarkupContent(types.MarkupKind.PlainText, plain(markdown))
