"""Hover: what stands under the cursor, with its exact range."""

import json
from urllib.parse import quote

from lsprotocol import types

from osiris_lsp.documents import Connection, ConnectionsDocument, PipelineDocument
from osiris_lsp.lsp import descriptions as describe
from osiris_lsp.lsp.checks import identifier
from osiris_lsp.lsp.code_lens import knows
from osiris_lsp.lsp.cursor import Cursor, find
from osiris_lsp.lsp.markdown import markup
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.variables import Variables, variables_for
from osiris_lsp.lsp.views import View
from osiris_lsp.secret import mask
from osiris_lsp.specs import FieldSpec
from osiris_lsp.text import Span
from osiris_lsp.tree import BROKEN, Scalar
from osiris_lsp.values import variable_values

Found = tuple[str, Span]
"""A text in Markdown and the range that it is about."""


def hover_at(server: Server, view: View, offset: int, variables: Variables) -> Found | None:
    """Return what to say about a place of a document, or None."""
    cursor = find(view.document, offset)
    if cursor.rule_word and cursor.rule_span is not None:
        text = describe.of_rule(cursor.rule_word)
        return None if text is None else (text, cursor.rule_span)
    if cursor.in_comment:
        return None
    if cursor.reference_span is not None:
        return _reference(server, view, cursor, cursor.reference_span, variables)
    if cursor.variable is not None and not cursor.on_key:
        return _variable(view, cursor, variables)
    node = cursor.node
    if not isinstance(node, Scalar) or not node.start <= offset <= node.end or not node.value:
        return None
    if cursor.on_key:
        return _key(server, view, cursor, node, variables)
    return _value(view, cursor, node)


def _reference(
    server: Server, view: View, cursor: Cursor, span: Span, variables: Variables
) -> Found | None:
    connections = view.project.connections_for(view.document.path)
    if connections is None or cursor.reference is None:
        return None
    entry = connections.resolve(cursor.reference)
    if entry is None:
        return None
    return _connection(server, view, connections, entry, variables), span


def _connection(
    server: Server,
    view: View,
    connections: ConnectionsDocument,
    entry: Connection,
    variables: Variables,
) -> str:
    """Describe a connection with its last check; `doctor.onHover: live` starts a new one."""
    check = None
    if server.options.on_hover != "off":
        check = server.checks.last(connections.path, entry)
    if server.options.on_hover == "live":
        server.checks.live(connections, entry)
    text = describe.of_connection(connections, entry, variables, view.project.root, check)
    if not knows(server, "osiris.doctor"):
        return text
    # The only link to a command: its id is opaque, and the doctor asks for consent.
    arguments = quote(json.dumps([{"ids": [identifier(connections.path, entry)]}]))
    return f"{text}\n\n[Run doctor](command:osiris.doctor?{arguments})"


def _variable(view: View, cursor: Cursor, variables: Variables) -> Found | None:
    """Describe a variable where the runtime substitutes it; elsewhere it is plain text."""
    piece, span, node = cursor.variable, cursor.variable_span, cursor.node
    if piece is None or span is None:
        return None
    if piece.kind != "parameter" and not (isinstance(node, Scalar) and node.tag == BROKEN):
        known = variable_values(view.document)
        if not any(value.node is node for value in known):
            return None
    written = mask(view.text[slice(*span)], view.document.secret_spans, span.start)
    text = describe.of_variable(piece, written, variables)
    return None if text is None else (text, span)


def _key(
    server: Server, view: View, cursor: Cursor, key: Scalar, variables: Variables
) -> Found | None:
    document = view.document
    entry, family = cursor.connection, cursor.family
    if isinstance(document, ConnectionsDocument) and entry is not None and entry.key is key:
        return _connection(server, view, document, entry, variables), key.inner
    if family is not None and family.key is key:
        return (describe.of_family(family.spec), key.inner) if family.spec is not None else None
    text = _field(cursor, key.value)
    return None if text is None else (text, key.inner)


def _field(cursor: Cursor, name: str) -> str | None:
    """Describe the field that the cursor is in."""
    field, step = cursor.field, cursor.step
    if field is None:
        return None
    if step is not None and step.spec is not None and cursor.path[2:3] == ("config",):
        if len(cursor.path) == 4:
            return describe.of_config_key(step.spec, name, field)
        return describe.of_field(name, field, step.spec.path is None)
    entry = cursor.connection
    trusted = entry is None or entry.spec is None or entry.spec.builtin
    notes = []
    if entry is not None and entry.spec is not None and isinstance(field, FieldSpec):
        required = any(
            any(name in option for option in group) and len(group) == 1
            for group in entry.spec.requirements
        )
        notes = ["Required"] if required else []
    return describe.of_field(name, field, trusted, notes)


def _value(view: View, cursor: Cursor, node: Scalar) -> Found | None:
    """Describe a value that is a name: a component, a step, one of a few words."""
    step, document = cursor.step, view.document
    if step is not None and isinstance(document, PipelineDocument):
        if step.component is node:
            text = describe.of_component(step.spec) if step.spec is not None else None
            return None if text is None else (text, node.inner)
        is_input = cursor.path[2:3] == ("inputs",) and node.value.startswith("@")
        if is_input or step.scalar("id") is node or any(item is node for item in step.needs):
            meant = document.step_by_id.get(node.value.removeprefix("@" if is_input else ""))
            return None if meant is None else (describe.of_step(document, meant), node.inner)
    field = cursor.field
    schema = field.schema if isinstance(field, FieldSpec) else field
    if schema is None or cursor.key is None:
        return None
    words = schema.get("enum")
    if not isinstance(words, list) or node.value not in words:
        return None
    text = _field(cursor, cursor.key.value)
    return None if text is None else (text, node.inner)


def register(server: Server) -> None:
    """Register the handler."""

    @server.on(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        view = server.view(params.text_document.uri)
        if view is None:
            return None
        variables = variables_for(server, view)
        found = hover_at(server, view, view.offset(params.position), variables)
        if found is None:
            return None
        text, span = found
        text_document = server.client_capabilities.text_document
        support = text_document.hover if text_document is not None else None
        formats = support.content_format if support is not None else None
        return types.Hover(markup(text, formats), view.range(span))
