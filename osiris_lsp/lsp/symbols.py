"""Symbols of documents as a tree, and of the workspace: connections, pipelines and steps."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from lsprotocol import types

from osiris_lsp.documents import (
    ComponentDocument,
    ConnectionsDocument,
    Document,
    FamilyEntry,
    PipelineDocument,
    Step,
)
from osiris_lsp.lsp.progress import Progress
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.views import View
from osiris_lsp.text import Span, printable
from osiris_lsp.tree import Map, Node, Scalar, deref

_Kind = types.SymbolKind

_MOST: Final = 1_000
"""Symbols of the workspace in one answer."""


_DETAILED: Final = 2_000
"""Connections up to which an outline has their fields, too."""


class Symbol(NamedTuple):
    """A named part of a document: `span` is all of it, `key` where its name stands."""

    name: str
    kind: types.SymbolKind
    span: Span
    key: Span
    detail: str = ""
    children: tuple["Symbol", ...] = ()


_Cached = tuple[tuple[int, int, int], Sequence[types.WorkspaceSymbol]]


def register(server: Server) -> None:
    """Register the handlers."""
    known: dict[str, _Cached] = {}

    @server.on(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def outline(params: types.DocumentSymbolParams) -> Any:
        view = server.view(params.text_document.uri)
        if view is None:
            return None
        text_document = server.client_capabilities.text_document
        support = text_document.document_symbol if text_document is not None else None
        nested = support is not None and bool(support.hierarchical_document_symbol_support)
        return await server.blocking(shown, view, nested)

    @server.on(types.WORKSPACE_SYMBOL, types.WorkspaceSymbolOptions(work_done_progress=True))
    async def search(params: types.WorkspaceSymbolParams) -> list[types.WorkspaceSymbol]:
        found: list[types.WorkspaceSymbol] = []
        for view in server.views():
            found += await server.blocking(_matching, _of_workspace(view), params.query)
        async with Progress(server, "searching symbols", params.work_done_token):
            for folder in server.projects.folders:
                if len(found) < _MOST:
                    found += await _in_files(server, folder, params.query, known)
        unique = {(item.name, str(item.location)): item for item in found}
        return list(unique.values())[:_MOST]


def shown(view: View, nested: bool) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
    """Return the outline of a document as a tree, or as a list for clients that take no tree."""
    found = symbols(view.document)
    if nested:
        return [_tree(view, item) for item in found]
    return [symbol for item in found for symbol in _flat(view, item, None)]


def symbols(document: Document) -> list[Symbol]:
    """Return the outline of a document; no value is in it."""
    if isinstance(document, ConnectionsDocument):
        depth = 3 if len(document.connections) <= _DETAILED else 0
        return [_family(entry, depth) for entry in document.families]
    if isinstance(document, PipelineDocument):
        return [_step(step) for step in document.steps if step.node is not None]
    if isinstance(document, ComponentDocument) and document.root is not None:
        return list(_fields(document.root, depth=3))
    return []


def _family(entry: FamilyEntry, depth: int) -> Symbol:
    own = [link for link in entry.connections if _holds(entry.value, link.key)]
    children = tuple(
        Symbol(
            _name(link.alias),
            _Kind.Variable,
            _span(link.key, link.value),
            link.key.span,
            "default" if link.default is not None else "",
            tuple(_fields(link.value, depth)),
        )
        for link in own
    )
    children = children or tuple(_fields(entry.value, depth=1))
    detail = entry.spec.title if entry.spec is not None else ""
    span = _span(entry.key, entry.value)
    return Symbol(_name(entry.name), _Kind.Namespace, span, entry.key.span, detail, children)


def _step(step: Step) -> Symbol:
    key = step.anchor
    if not step.item.start <= key.start <= key.end <= step.item.end:
        key = step.item.span
    component = step.component.value if step.component is not None else ""
    children = tuple(_fields(step.item, depth=4))
    name = step.id or f"step {step.index + 1}"
    return Symbol(_name(name), _Kind.Function, step.item.span, key, printable(component), children)


def _fields(node: Node, depth: int) -> Iterator[Symbol]:
    """Yield the keys of a mapping, nested ones up to a depth; merge keys are none."""
    if not isinstance(node, Map) or depth == 0:
        return
    for key, value in node.pairs:
        if isinstance(key, Scalar) and key.value != "<<":
            children = tuple(_fields(value, depth - 1))
            kind = _Kind.Object if isinstance(deref(value), Map) else _Kind.Field
            yield Symbol(_name(key.value), kind, _span(key, value), key.span, children=children)


def _holds(node: Node, inner: Node) -> bool:
    return node.start <= inner.start and inner.end <= node.end


def _span(key: Node, value: Node) -> Span:
    return Span(key.start, max(key.end, value.end))


def _name(text: str) -> str:
    """Return a name that LSP takes: it must not be empty."""
    return printable(text).strip() or '""'


def _tree(view: View, symbol: Symbol) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        view.name(symbol.name),
        symbol.kind,
        view.range(symbol.span),
        view.range(symbol.key),
        detail=view.name(symbol.detail) or None,
        children=[_tree(view, item) for item in symbol.children],
    )


def _flat(view: View, symbol: Symbol, container: str | None) -> Iterator[types.SymbolInformation]:
    place = types.Location(view.uri, view.range(symbol.span))
    name = view.name(symbol.name)
    yield types.SymbolInformation(place, name, symbol.kind, container_name=container)
    for item in symbol.children:
        yield from _flat(view, item, name)


def _of_workspace(view: View) -> Iterator[types.WorkspaceSymbol]:
    """Yield what one looks for over files: connections by reference, pipelines, steps."""
    document = view.document
    if isinstance(document, ConnectionsDocument):
        for link in document.connections:
            yield _found(view, str(link), _Kind.Variable, link.key.span, link.family.name)
    elif isinstance(document, PipelineDocument):
        node = document.value("name")
        named = isinstance(node, Scalar) and bool(node.value.strip())
        stem = os.path.splitext(os.path.basename(document.path))[0]
        name = node.value if isinstance(node, Scalar) and named else stem
        span = node.span if node is not None and named else Span(0, 0)
        yield _found(view, name, _Kind.Module, span, "")
        for symbol in symbols(document):
            yield _found(view, symbol.name, symbol.kind, symbol.key, name)


def _found(
    view: View, name: str, kind: types.SymbolKind, span: Span, container: str
) -> types.WorkspaceSymbol:
    place = types.Location(view.uri, view.range(span))
    around = view.name(printable(container)) or None
    return types.WorkspaceSymbol(place, _name(view.name(name)), kind, container_name=around)


def _matching(
    found: Iterator[types.WorkspaceSymbol] | Sequence[types.WorkspaceSymbol], query: str
) -> list[types.WorkspaceSymbol]:
    return [item for item in found if matches(item.name, query)]


def matches(name: str, query: str) -> bool:
    """Tell whether a name has the characters of a query in their order, in any case."""
    rest = iter(name.casefold())
    return all(char in rest for char in query.casefold() if not char.isspace())


async def _in_files(
    server: Server, folder: str, query: str, known: dict[str, _Cached]
) -> list[types.WorkspaceSymbol]:
    """Return the symbols of files that no editor has open; a file is read when it has changed."""
    state = server.projects.of(os.path.join(folder, "x.yaml"))
    found: list[types.WorkspaceSymbol] = []
    for path in await server.blocking(_paths, state.project.files(folder)):
        if path in server.projects.texts:
            continue
        stamp = (*_stamp(path), state.generation)
        cached = known.get(path)
        if cached is None or cached[0] != stamp:
            document = state.project.open(path)
            uri = server.uri(path)
            cached = (stamp, ())
            if document is not None:
                view = View(uri, None, document, state.linter, server.encoding)
                cached = (stamp, tuple(_of_workspace(view)))
            known[path] = cached
            await asyncio.sleep(0)  # so that other requests, and a cancellation, get their turn
        found += _matching(cached[1], query)
    return found


def _paths(files: Iterator[str]) -> list[str]:
    return list(files)


def _stamp(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0
    return status.st_mtime_ns, status.st_size
