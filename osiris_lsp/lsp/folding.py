"""Folding: blocks, flow collections, block scalars and runs of comment lines."""

from collections.abc import Iterator, Sequence

from lsprotocol import types

from osiris_lsp.documents import Document
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.views import View
from osiris_lsp.text import Span
from osiris_lsp.tree import Map, Node, Scalar, Seq


def register(server: Server) -> None:
    """Register the handler."""

    @server.on(types.TEXT_DOCUMENT_FOLDING_RANGE)
    async def folded(params: types.FoldingRangeParams) -> list[types.FoldingRange] | None:
        view = server.view(params.text_document.uri)
        if view is None:
            return None
        text_document = server.client_capabilities.text_document
        support = text_document.folding_range if text_document is not None else None
        lines_only = support is not None and bool(support.line_folding_only)
        limit = support.range_limit if support is not None else None
        return (await server.blocking(_ranges, view, lines_only))[:limit]


def _ranges(view: View, lines_only: bool) -> list[types.FoldingRange]:
    """Return the ranges, the largest of those that start on one line; outer ones first."""
    best: dict[int, types.FoldingRange] = {}
    for span, flow in blocks(view.document):
        range_ = _range(view, span, flow, lines_only)
        known = best.get(range_.start_line)
        if range_.end_line > range_.start_line and (
            known is None or known.end_line < range_.end_line
        ):
            best[range_.start_line] = range_
    for first, last in comments(view.document):
        best[first] = types.FoldingRange(first, last, kind=types.FoldingRangeKind.Comment)
    return [best[line] for line in sorted(best)]


def _range(view: View, span: Span, flow: bool, lines_only: bool) -> types.FoldingRange:
    """Return a range; the closing bracket of a flow collection stays to be seen."""
    first, last = (view.lines.position(offset).line for offset in span)
    if not flow or first == last:
        return types.FoldingRange(first, last)
    if lines_only:
        return types.FoldingRange(first, last - 1)
    inner = view.range(Span(span.start + 1, span.end - 1))
    return types.FoldingRange(first, last, inner.start.character, inner.end.character)


def blocks(document: Document) -> Iterator[tuple[Span, bool]]:
    """Yield what can be folded: the values of keys from the key on, items, flow collections."""
    stack: list[Node] = list(document.tree.roots)
    while stack:
        node = stack.pop()
        if isinstance(node, Map | Seq) and node.flow:
            yield node.span, True
        if isinstance(node, Map):
            for key, value in node.pairs:
                if _is_block(document, value):
                    yield Span(key.start, value.end), False
                stack.append(value)
        elif isinstance(node, Seq):
            for item in node.items:
                if _is_block(document, item):
                    yield item.span, False
                stack.append(item)


def _is_block(document: Document, node: Node) -> bool:
    """Tell whether a node may have more than one line and no brackets around it."""
    if isinstance(node, Map | Seq):
        return not node.flow
    return isinstance(node, Scalar) and document.text.find("\n", node.start, node.end) >= 0


def comments(document: Document) -> Iterator[tuple[int, int]]:
    """Yield the first and the last line of each run of lines that are comments only."""
    lines = document.tree.lines
    numbers = [at for at in range(len(lines)) if lines.line(at).lstrip(" \t\ufeff")[:1] == "#"]
    text = _lines_of_text(document) if numbers else frozenset()
    run: list[int] = []
    for number in (*(at for at in numbers if at not in text), len(lines) + 1):
        if run and number != run[-1] + 1:
            if len(run) > 1:
                yield run[0], run[-1]
            run = []
        run.append(number)


def _lines_of_text(document: Document) -> frozenset[int]:
    """Return the lines that go on with a text of more than one line."""
    lines = document.tree.lines
    found: set[int] = set()
    scalars: Sequence[Scalar] = tuple(document.tree.scalars())
    for node in scalars:
        first, last = lines.position(node.start).line, lines.position(node.end).line
        found.update(range(first + 1, last + 1))
    return frozenset(found)
