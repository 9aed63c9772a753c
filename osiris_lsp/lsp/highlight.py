"""Highlight the places of a name in the document at hand."""

from lsprotocol import types

from osiris_lsp.lsp.occurrences import name_at, places
from osiris_lsp.lsp.server import Server


def register(server: Server) -> None:
    """Register the handlers."""

    @server.on(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    async def highlight(
        params: types.DocumentHighlightParams,
    ) -> list[types.DocumentHighlight] | None:
        view = server.view(params.text_document.uri)
        name = name_at(view, view.offset(params.position)) if view is not None else None
        if view is None or name is None:
            return None
        kinds = types.DocumentHighlightKind
        return [
            types.DocumentHighlight(
                view.range(place.span),
                kinds.Write if place.kind == "definition" else kinds.Read,
            )
            for place in places(view, name)
            if place.kind != "implicit"
        ]
