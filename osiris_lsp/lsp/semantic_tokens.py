"""Semantic tokens: references, variables, anchors and our own comments; full, range and delta."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any, Final, NamedTuple

from lsprotocol import types

from osiris_lsp.documents import Document, PipelineDocument, scalars
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.views import View
from osiris_lsp.refs import Segment, has_variable, parse_reference, segments
from osiris_lsp.text import Span, lazy, units
from osiris_lsp.tree import BROKEN, Scalar, Tree

TYPES: Final = (
    "namespace",  # the family of `@family.alias`
    "variable",  # its alias, and the name in `${NAME}`
    "macro",  # what stands around the name
    "parameter",  # `${params.name}`
    "type",  # `&anchor` and `*alias`
    "keyword",  # `osiris: ignore` in a comment
    "enumMember",  # the rules that it names
)
MODIFIERS: Final = ("declaration",)
LEGEND: Final = types.SemanticTokensLegend(TYPES, MODIFIERS)

_DIRECTIVE: Final = lazy(r"#[ \t]*(osiris:[ \t]*(?:ignore-file|ignore|off|on))")


class Token(NamedTuple):
    """A range of a text on one line with an index into `TYPES` and bits of `MODIFIERS`."""

    span: Span
    type: int
    modifiers: int = 0


def register(server: Server) -> None:
    """Register the handlers."""
    numbers = count(1)
    last: dict[str, tuple[str, Sequence[int]]] = {}

    def keep(uri: str, data: Sequence[int]) -> str:
        for other in [item for item in last if item not in server.workspace.text_documents]:
            del last[other]
        result_id = str(next(numbers))
        last[uri] = result_id, data
        return result_id

    @server.on(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, LEGEND)
    async def full(params: types.SemanticTokensParams) -> types.SemanticTokens | None:
        view = server.view(params.text_document.uri)
        if view is None:
            return None
        data = await server.blocking(_all, view)
        return types.SemanticTokens(data, keep(view.uri, data))

    @server.on(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA)
    async def delta(params: types.SemanticTokensDeltaParams) -> Any:
        view = server.view(params.text_document.uri)
        if view is None:
            return None
        data = await server.blocking(_all, view)
        known, before = last.get(view.uri, ("", ()))
        result_id = keep(view.uri, data)
        if known != params.previous_result_id:
            return types.SemanticTokens(data, result_id)
        return types.SemanticTokensDelta(changes(before, data), result_id)

    @server.on(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE)
    async def part(params: types.SemanticTokensRangeParams) -> types.SemanticTokens | None:
        view = server.view(params.text_document.uri)
        if view is None:
            return None
        data = await server.blocking(_inside, view, view.span(params.range))
        return types.SemanticTokens(data)


def _all(view: View) -> list[int]:
    return encoded(view, tokens(view.document))


def _inside(view: View, span: Span) -> list[int]:
    found = tokens(view.document)
    return encoded(view, [item for item in found if _overlap(item.span, span)])


def _overlap(a: Span, b: Span) -> bool:
    return a.start < b.end and b.start < a.end


def tokens(document: Document) -> list[Token]:
    """Return the tokens of a document in the order of the text, without overlap."""
    found = {
        *_references(document),
        *_variables(document),
        *_anchors(document.tree),
        *_comments(document),
    }
    result: list[Token] = []
    for token in sorted(found):
        if not result or token.span.start >= result[-1].span.end:
            result.append(token)
    return result


def _references(document: Document) -> Iterator[Token]:
    """Yield `@family` and `alias` of the references of steps."""
    if not isinstance(document, PipelineDocument):
        return
    for step in document.steps:
        node = step.connection
        reference = parse_reference(node.value) if node is not None else None
        if node is None or reference is None or node.tag == BROKEN:
            continue
        start = document.text.find(node.value, node.start, node.end)
        if start < 0:
            continue
        dot = start + 1 + len(reference.family)
        yield _token(Span(start, dot), "namespace")
        if reference.alias is not None:
            yield _token(Span(dot + 1, start + len(node.value)), "variable")


def _variables(document: Document) -> Iterator[Token]:
    """Yield the parts of `${...}` in values."""
    if not has_variable(document.text):
        return
    for root in document.tree.roots:
        for node in scalars(root):
            for piece, span in pieces(document, node):
                if piece.kind not in ("variable", "provider", "parameter"):
                    continue
                at = span.start + len("${params." if piece.kind == "parameter" else "${")
                name = Span(at, at + len(piece.name))
                yield _token(Span(span.start, name.start), "macro")
                yield _token(name, "parameter" if piece.kind == "parameter" else "variable")
                yield _token(Span(name.end, span.end), "macro")


def pieces(document: Document, node: Scalar) -> Iterator[tuple[Segment, Span]]:
    """Yield the `${...}` in a scalar with their ranges in the text, where they stand as read."""
    if not has_variable(node.value) or node.tag == BROKEN:
        return
    at = node.inner.start
    if node.style in ("|", ">"):
        at = max(document.text.find("\n", at, node.end), at)  # behind its head
    for piece in segments(node.value):
        if piece.kind != "literal":
            written = node.value[piece.start : piece.end]
            found = document.text.find(written, at, node.end)
            if found >= 0:
                at = found + len(written)
                yield piece, Span(found, at)


def _anchors(tree: Tree) -> Iterator[Token]:
    for _, span in tree.anchors:
        yield _token(span, "type", 1 << MODIFIERS.index("declaration"))
    for alias in tree.aliases:
        yield _token(alias.span, "type")


def _comments(document: Document) -> Iterator[Token]:
    """Yield the verb and the rules of `# osiris:` comments."""
    for comment in document.suppressions:
        if not comment.own:
            continue
        starts = [comment.span.start]
        if comment.verb == "off" and comment.covers.end < len(document.text):
            starts.append(comment.covers.end)  # the `on` that ends it
        for start in starts:
            words = _DIRECTIVE.match(document.text, start)
            if words:
                yield _token(Span(*words.span(1)), "keyword")
        for _, span in comment.rules:
            yield _token(span, "enumMember")


def _token(span: Span, name: str, modifiers: int = 0) -> Token:
    return Token(span, TYPES.index(name), modifiers)


def encoded(view: View, found: Sequence[Token]) -> list[int]:
    """Return tokens as LSP writes them: five numbers each, relative to the one before.

    One with a line break is left out: clients without `multilineTokenSupport` cannot show it.
    """
    data: list[int] = []
    line = character = 0
    for token in found:
        start = view.position(token.span.start)
        text = view.text[slice(*token.span)]
        if not text or "\n" in text or "\r" in text:
            continue
        if start.line != line:
            character = 0
        place = (start.line - line, start.character - character, units(text, view.encoding))
        data += (*place, token.type, token.modifiers)
        line, character = start.line, start.character
    return data


def changes(before: Sequence[int], after: Sequence[int]) -> list[types.SemanticTokensEdit]:
    """Return the one edit that makes tokens out of those before, or none."""
    if before == after:
        return []
    least = min(len(before), len(after))
    start = next((at for at in range(least) if before[at] != after[at]), least)
    same = range(least - start)
    end = next((at for at in same if before[-1 - at] != after[-1 - at]), len(same))
    new = list(after[start : len(after) - end])
    return [types.SemanticTokensEdit(start, len(before) - end - start, new)]
