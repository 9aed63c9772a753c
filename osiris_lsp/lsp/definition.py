"""Go to definition: the connection, step, anchor or component spec behind a name."""

from lsprotocol import types

from osiris_lsp.lsp import cursor
from osiris_lsp.lsp.occurrences import Name, Place, name_at, opened, places
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.views import View


def definitions(server: Server, view: View, name: Name) -> list[Place]:
    """Return where a name of a document is defined."""
    path = name.path
    defining = view if path == view.document.path else opened(server, path) if path else None
    if defining is None:
        return []
    return [place for place in places(defining, name) if place.kind == "definition"]


def register(server: Server) -> None:
    """Register the handlers."""

    @server.on(types.TEXT_DOCUMENT_DEFINITION)
    async def definition(
        params: types.DefinitionParams,
    ) -> list[types.Location] | list[types.LocationLink] | None:
        view = server.view(params.text_document.uri)
        if view is None:
            return None
        offset = view.offset(params.position)
        name = name_at(view, offset)
        if name is None:
            return None
        found = definitions(server, view, name)
        if not _takes_links(server):
            return [types.Location(place.view.uri, place.view.range(place.span)) for place in found]
        origin = view.range(cursor.find(view.document, offset).reference_span or name.span)
        return [
            types.LocationLink(
                place.view.uri,
                place.view.range(place.whole),
                place.view.range(place.span),
                origin,
            )
            for place in found
        ]


def _takes_links(server: Server) -> bool:
    document = server.client_capabilities.text_document
    definition = document.definition if document is not None else None
    return definition is not None and bool(definition.link_support)
