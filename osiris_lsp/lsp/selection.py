"""Selection ranges: variable or name, text, scalar, pair, collection and so on, up to the file."""

from bisect import bisect_right
from collections.abc import Iterator

from lsprotocol import types

from osiris_lsp.documents import Document, part_span
from osiris_lsp.lsp.semantic_tokens import pieces
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.views import View
from osiris_lsp.refs import parse_reference
from osiris_lsp.text import Span
from osiris_lsp.tree import BROKEN, Map, Node, Scalar, Seq


def register(server: Server) -> None:
    """Register the handler."""

    @server.on(types.TEXT_DOCUMENT_SELECTION_RANGE)
    async def selected(params: types.SelectionRangeParams) -> list[types.SelectionRange] | None:
        view = server.view(params.text_document.uri)
        if view is None:
            return None
        return [_selection(view, view.offset(position)) for position in params.positions]


def _selection(view: View, offset: int) -> types.SelectionRange:
    chain: types.SelectionRange | None = None
    last = None
    for span in spans(view.document, offset):
        if span != last:
            chain = types.SelectionRange(view.range(span), chain)
        last = span
    assert chain is not None  # the whole text comes first
    return chain


def spans(document: Document, offset: int) -> Iterator[Span]:
    """Yield the ranges around an offset, each inside the one before; the whole text comes first."""
    yield Span(0, len(document.text))
    node: Node | None = next(
        (root for root in document.tree.roots if root.begin <= offset <= root.end), None
    )
    while node is not None:
        yield Span(node.begin, node.end)
        if offset < node.start:  # in the anchor or the tag before it
            return
        yield node.span
        if isinstance(node, Scalar):
            yield from _inside(document, node, offset)
            return
        pair, node = _below(node, offset)
        if pair is not None:
            yield pair


def _below(node: Node, offset: int) -> tuple[Span | None, Node | None]:
    """Return the pair of a mapping at an offset, and the key, value or item there."""
    if isinstance(node, Map):
        at = bisect_right(node.pairs, offset, key=lambda pair: pair[0].begin) - 1
        if at < 0 or offset > max(node.pairs[at][0].end, node.pairs[at][1].end):
            return None, None
        key, value = node.pairs[at]
        pair = Span(key.begin, max(key.end, value.end))
        if offset <= key.end:
            return pair, key
        return pair, value if value.begin <= offset else None
    items = node.items if isinstance(node, Seq) else []
    at = bisect_right(items, offset, key=lambda item: item.begin) - 1
    return None, items[at] if at >= 0 and offset <= items[at].end else None


def _inside(document: Document, node: Scalar, offset: int) -> Iterator[Span]:
    """Yield the text of a scalar without quotes, and the variable or name in it at an offset."""
    if not node.inner.start <= offset <= node.inner.end or node.tag == BROKEN:
        return
    outer = node.inner
    yield outer
    for span in _parts(document, node):
        if outer.start <= span.start <= offset <= span.end <= outer.end:
            outer = span
            yield span


def _parts(document: Document, node: Scalar) -> Iterator[Span]:
    reference = parse_reference(node.value) if node.value.startswith("@") else None
    if reference is not None and reference.alias is not None:
        dot = node.value.index(".")
        for start, end in ((1, dot), (dot + 1, len(node.value))):
            yield part_span(document.tree, node, start, end)
    for piece, span in pieces(document, node):
        yield span
        if piece.kind == "variable":
            start = span.start + 2
            yield Span(start, start + len(piece.name))
