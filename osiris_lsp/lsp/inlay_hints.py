"""Inlay hints: the connection that a step gets by default, and variables worth a look."""

from collections.abc import Iterator

from lsprotocol import types

from osiris_lsp.documents import Connection, PipelineDocument
from osiris_lsp.lsp.markdown import markup
from osiris_lsp.lsp.refresh import Refresh
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.variables import DOTENV, Variables, variables_for
from osiris_lsp.lsp.views import View
from osiris_lsp.markdown import code, escape
from osiris_lsp.refs import segments
from osiris_lsp.text import Span, printable
from osiris_lsp.values import variable_values

Hint = tuple[int, str, str]
"""An offset, a label, and a tooltip in Markdown."""


def _shown(view: View, variables: Variables, within: Span) -> list[types.InlayHint]:
    """Return the hints of a part of a document; a large one takes long."""
    found = [*_defaults(view, within), *_variables(view, variables, within)]
    formats = [types.MarkupKind.Markdown]
    return [
        types.InlayHint(
            view.position(offset),
            label,
            tooltip=markup(tooltip, formats),
            padding_left=not label.startswith("."),
        )
        for offset, label, tooltip in sorted(found)
    ]


def _defaults(view: View, within: Span) -> Iterator[Hint]:
    """Yield the alias at each step that names none, or the family only."""
    document = view.document
    if not isinstance(document, PipelineDocument):
        return
    connections = view.project.connections_for(document.path)
    if connections is None:
        return
    defaults: dict[str, Connection | None] = {}
    for step in document.modern_steps:
        reference, node = step.reference, step.connection
        bare = reference is not None and reference.alias is None and node is not None
        family = ""
        if bare and reference is not None:
            family = reference.family
        elif step.lacks_connection and step.spec is not None:
            node, family = step.component, step.spec.family_spelling
        if not family or node is None or not _touches(within, node.span):
            continue
        if family not in defaults:
            defaults[family] = connections.default_of(family)
        entry = defaults[family]
        if entry is None:
            continue
        why = "marked with `default: true`" if entry.default is not None else "named `default`"
        label = f".{entry.alias}" if bare else f"@{family}.{entry.alias}"
        yield (
            node.inner.end if bare else node.end,
            printable(label),
            f"{code(f'@{family}.{entry.alias}')} is the default of {escape(family)}: {why}",
        )


def _variables(view: View, variables: Variables, within: Span) -> Iterator[Hint]:
    """Yield what there is to say of variables: not set, or set in `.env` only."""
    document = view.document
    for value in variable_values(document) if "${" in document.text else ():
        if not _touches(within, value.node.span):
            continue
        for piece in segments(value.node.value):
            if piece.kind != "variable":
                continue
            source = variables.source(piece.name)
            end = document.tree.value_span(value.node, piece.start, piece.end).end
            name = code(piece.name)
            if source == DOTENV:
                yield end, ".env", f"{name} is set in `.env`"
            elif source is None and piece.default is not None:
                yield end, "default", f"{name} is not set, so its default counts"
            elif source is None:
                where = "neither in the environment nor in `.env`"
                text = f"{name} is set {where}"
                if variables.is_empty(piece.name):
                    text = f"{name} is set to an empty value, which counts as not set"
                yield end, "not set", text


def _touches(within: Span, span: Span) -> bool:
    return within.start <= span.end and span.start <= within.end


def register(server: Server) -> None:
    """Register the handlers."""
    server.listeners.append(
        Refresh(
            server,
            lambda it: it.inlay_hint is not None and it.inlay_hint.refresh_support is True,
            lambda: server.workspace_inlay_hint_refresh_async(None),
        )
    )

    @server.on(types.TEXT_DOCUMENT_INLAY_HINT)
    async def hints(params: types.InlayHintParams) -> list[types.InlayHint]:
        view = server.view(params.text_document.uri)
        if view is None:
            return []
        variables = variables_for(server, view)
        return await server.blocking(_shown, view, variables, view.span(params.range))
