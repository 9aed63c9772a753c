"""Names that files share, and where they stand: connections, families, steps, anchors and others.

Definition, references, rename and highlight are views of this.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from typing import Literal, NamedTuple

from osiris_lsp.configs import upstream
from osiris_lsp.documents import (
    ComponentDocument,
    ConnectionsDocument,
    PipelineDocument,
    Step,
    part_span,
    sanitized,
    walk,
)
from osiris_lsp.lsp.cursor import Cursor, find
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.views import View
from osiris_lsp.project import Project
from osiris_lsp.refs import Reference, parse_reference, segments
from osiris_lsp.text import Span
from osiris_lsp.tree import Node, Scalar, deref

NameKind = Literal["connection", "family", "step", "anchor", "variable", "component"]
PlaceKind = Literal["definition", "use", "bare", "implicit", "table"]


class Name(NamedTuple):
    """A name at a place of a document.

    `path` is the file that defines it (empty where there is none), `words` the name itself: family
    and alias, or a single word; `span` where it stands, `node` what an anchor names.
    """

    kind: NameKind
    path: str
    words: tuple[str, ...]
    span: Span
    node: Node | None = None


class Place(NamedTuple):
    """A place of a name in a file; `whole` is what is defined or used, `node` the scalar around it.

    Kinds: `bare` is `@family` for its default connection, `implicit` a step that takes the default
    connection unsaid, `table` the result `df_<id>` of a step in a query.
    """

    view: View
    span: Span
    kind: PlaceKind
    whole: Span
    node: Scalar | None = None


def name_at(view: View, offset: int) -> Name | None:
    """Return the name at an offset, or None."""
    cursor = find(view.document, offset)
    path = view.document.path
    if cursor.in_comment:
        return None
    if cursor.alias is not None and cursor.alias.target is not None:
        span = Span(cursor.alias.start + 1, cursor.alias.end)
        return Name("anchor", path, (cursor.alias.name,), span, cursor.alias.target)
    if cursor.anchor is not None:
        node, span = cursor.anchor
        return Name("anchor", path, (node.anchor or "",), Span(span.start + 1, span.end), node)
    if cursor.variable is not None and cursor.variable_span is not None:
        if cursor.variable.kind != "variable":
            return None
        start = cursor.variable_span.start + 2
        name = cursor.variable.name
        return Name("variable", path, (name,), Span(start, start + len(name)))
    if isinstance(view.document, PipelineDocument):
        return _in_pipeline(view.project, view.document, cursor)
    return _defined(view, cursor)


def _defined(view: View, cursor: Cursor) -> Name | None:
    """Return the name that a connections file or component spec defines at a cursor."""
    path, node = view.document.path, cursor.node
    if not isinstance(node, Scalar):
        return None
    if isinstance(view.document, ComponentDocument):
        is_name = node is view.document.value("name") and not cursor.on_key
        return Name("component", path, (node.value,), node.inner) if is_name else None
    entry, family = cursor.connection, cursor.family
    if entry is not None and entry.key is node:
        return Name("connection", path, (entry.family.canonical, entry.alias), node.inner)
    if family is not None and family.key is node:
        return Name("family", path, (family.canonical,), node.inner)
    return None


def _in_pipeline(project: Project, document: PipelineDocument, cursor: Cursor) -> Name | None:
    if cursor.reference is not None and cursor.reference_span is not None:
        return _referenced(project, document, cursor.reference, cursor.reference_span)
    step, node = cursor.step, cursor.node
    if step is None or not isinstance(node, Scalar) or cursor.on_key:
        return None
    if node is step.component:
        path = step.spec.path if step.spec is not None else None
        return Name("component", path or "", (node.value,), node.inner)
    tree = document.tree
    for name, (start, end), place in _steps_named(document, step):
        if place is node:
            span = part_span(tree, node, start, end)
            if (start, end) == (0, len(node.value)) or span.start <= cursor.offset <= span.end:
                return Name("step", document.path, (name,), span)
    return None


def _referenced(
    project: Project, document: PipelineDocument, reference: Reference, span: Span
) -> Name:
    """Return the connection that a reference names; it stands where its alias does."""
    path = project.connections_path(document.path) or ""
    family = project.families.canonical(reference.family)
    alias = reference.alias
    if alias is None:
        connections = project.connections_for(document.path)
        entry = connections.default_of(family) if connections is not None else None
        return (
            Name("family", path, (family,), span)
            if entry is None
            else Name("connection", path, (family, entry.alias), span)
        )
    is_literal = document.text[slice(*span)] == str(reference)
    start = span.end - len(alias) if is_literal else span.start
    return Name("connection", path, (family, alias), Span(start, span.end))


def _steps_named(
    document: PipelineDocument, step: Step
) -> Iterator[tuple[str, tuple[int, int], Scalar]]:
    """Yield the ids that a step has or names, with their range in the value of a scalar."""
    node = step.scalar("id")
    if node is not None and step.id is not None:
        yield step.id, (0, len(node.value)), node
    for node in step.needs:
        yield node.value, (0, len(node.value)), node
    inputs = deref(step.fields["inputs"][1]) if "inputs" in step.fields else None
    for key, value in walk(inputs) if inputs is not None else ():
        if isinstance(value, Scalar) and value.value.startswith("@"):
            yield value.value[1:], (1, len(value.value)), value
        elif isinstance(value, Scalar) and key is not None and key.value == "from":
            yield value.value, (0, len(value.value)), value
    query = step.option("query")
    if isinstance(query, Scalar) and step.spec is not None and step.spec.name == "duckdb.processor":
        for name in upstream(document, step) or ():
            tables = rf"\b(?:{sanitized(name)}|{table_of(name)})\b"
            for match in re.finditer(tables, query.value, re.IGNORECASE):
                yield name, match.span(), query


def table_of(step_id: str) -> str:
    """Return the table of a step's result; the runtime puts one more `_` before a digit."""
    table = sanitized(step_id)
    return f"df__{table[3:]}" if table[3:4].isdigit() else table


def places(view: View, name: Name) -> Iterator[Place]:
    """Yield the places of a name in a document, each once, in the order of the text."""
    document, found = view.document, set()
    kind = name.kind
    if kind in ("step", "anchor", "variable") and document.path != name.path:
        return
    if kind == "step" and isinstance(document, PipelineDocument):
        listed = _of_step(view, document, name.words[0])
    elif kind == "anchor":
        listed = _of_anchor(view, name)
    elif kind == "variable":
        listed = _of_variable(view, name.words[0])
    elif kind == "component":
        listed = _of_component(view, name)
    elif isinstance(document, ConnectionsDocument):
        listed = _definitions(view, document, name)
    elif isinstance(document, PipelineDocument):
        listed = _uses(view, document, name)
    else:
        return
    for place in sorted(listed, key=lambda place: place.span):
        if place.span not in found:
            found.add(place.span)
            yield place


def _of_step(view: View, document: PipelineDocument, name: str) -> Iterator[Place]:
    for step in document.steps:
        for word, (start, end), node in _steps_named(document, step):
            if word != name:
                continue
            span = part_span(document.tree, node, start, end)
            if node is step.scalar("id"):
                yield Place(view, span, "definition", step.item.span, node)
            elif node is step.option("query"):
                yield Place(view, span, "table", span, node)
            else:
                yield Place(view, span, "use", node.span, node)


def _of_anchor(view: View, name: Name) -> Iterator[Place]:
    tree = view.document.tree
    for node, span in tree.anchors:
        if node is name.node:
            yield Place(view, Span(span.start + 1, span.end), "definition", Span(span[0], node.end))
    for alias in tree.aliases:
        if alias.target is name.node:
            yield Place(view, Span(alias.start + 1, alias.end), "use", alias.span)


def _of_variable(view: View, name: str) -> Iterator[Place]:
    tree = view.document.tree
    for node in tree.scalars():
        for piece in segments(node.value) if "${" in node.value else ():
            if piece.kind == "variable" and piece.name == name:
                whole = tree.value_span(node, piece.start, piece.end)
                start = whole.start + 2
                yield Place(view, Span(start, start + len(name)), "use", whole, node)


def _of_component(view: View, name: Name) -> Iterator[Place]:
    document = view.document
    if name.words[0] not in document.text:  # spares the parser
        return
    if isinstance(document, PipelineDocument):
        for step in document.steps:
            node = step.component
            if node is not None and node.value == name.words[0]:
                yield Place(view, node.inner, "use", step.item.span, node)
    elif isinstance(document, ComponentDocument) and document.root is not None:
        node_ = document.value("name")
        if isinstance(node_, Scalar) and node_.value == name.words[0]:
            yield Place(view, node_.inner, "definition", document.root.span, node_)


def _definitions(view: View, document: ConnectionsDocument, name: Name) -> Iterator[Place]:
    if document.path != name.path:
        return
    entries: list[tuple[Scalar, Node]] = []
    if name.kind == "family":
        listed = document.families
        entries = [(one.key, one.value) for one in listed if one.canonical == name.words[0]]
    else:
        entry = document.find(*name.words)
        entries = [(entry.key, entry.value)] if entry is not None else []
    for key, value in entries:
        yield Place(view, key.inner, "definition", Span(key.start, value.end), key)


def _uses(view: View, document: PipelineDocument, name: Name) -> Iterator[Place]:
    project = view.project
    family = name.words[0]
    spellings = [word for word, known in project.families.spellings.items() if known == family]
    if not any(word in document.text for word in (*spellings, family)):  # spares the parser
        return
    if (project.connections_path(document.path) or "") != name.path:
        return
    connections = project.connections_for(document.path)
    entry = connections.default_of(family) if connections is not None else None
    for node in _reference_nodes(document):
        reference = parse_reference(node.value)
        if reference is None or project.families.canonical(reference.family) != family:
            continue
        whole = view.document.tree.value_span(node, 0, len(node.value))
        if name.kind == "family":
            yield Place(view, whole, "use", whole, node)
        elif reference.alias == name.words[1]:
            is_literal = view.text[slice(*whole)] == node.value
            start = whole.end - len(reference.alias) if is_literal else whole.start
            yield Place(view, Span(start, whole.end), "use", whole, node)
        elif reference.alias is None and entry is not None and entry.alias == name.words[1]:
            yield Place(view, whole, "bare", whole, node)
    for step in document.steps:
        if step.spec is None or not step.lacks_connection or step.component is None:
            continue
        if project.families.canonical(step.spec.family_spelling) != family:
            continue
        if name.kind == "family" or (entry is not None and entry.alias == name.words[1]):
            yield Place(view, step.component.inner, "implicit", step.item.span, step.component)


def _reference_nodes(document: PipelineDocument) -> Iterator[Scalar]:
    """Yield the scalars that may name a connection, as `Cursor.reference_span` sees them."""
    for mapping in document.tree.maps:
        for key, value in mapping.pairs:
            node = deref(value)
            if isinstance(node, Scalar) and getattr(key, "value", None) == "connection":
                yield node
    for word in ("params", "profiles"):
        top = document.value(word)
        for _, value in walk(top) if top is not None else ():
            if isinstance(value, Scalar):
                yield value


async def everywhere(server: Server, view: View, name: Name) -> AsyncIterator[View]:
    """Yield the documents that may hold a name, that of `view` first, with pauses between."""
    yield view
    if name.kind in ("step", "anchor", "variable"):
        return
    path = name.path or view.document.path
    folders = {server.projects.of(path).project.root: None}
    folders.update((state.project.root, None) for state in server.projects.states())
    paths = dict.fromkeys((*server.projects.texts, *((name.path,) if name.path else ())))
    for folder in folders:
        paths.update(dict.fromkeys(server.projects.of(f"{folder}/x.yaml").project.files(folder)))
    for path in paths:
        if path != view.document.path:
            other = opened(server, path)
            if other is not None:
                yield other
        await asyncio.sleep(0)


def opened(server: Server, path: str) -> View | None:
    """Return a file as its editor has it, else as it is on disk; None where it is not ours."""
    uri = server.uri(path)
    if uri in server.workspace.text_documents:
        return server.view(uri)
    state = server.projects.of(path)
    document = state.closed(path)
    if document is None or document.input_problem is not None:
        return None
    return View(uri, None, document, state.linter, server.encoding)
