"""Find references: every place of a connection, family, step, anchor, variable or component."""

from lsprotocol import types

from osiris_lsp.lsp.occurrences import Name, Place, everywhere, name_at, places
from osiris_lsp.lsp.progress import Progress
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.views import View


async def references(server: Server, view: View, name: Name) -> list[Place]:
    """Return the places of a name in all files of its project, definitions included.

    Steps that take a connection as the default of their family are there as `implicit`.
    """
    return [
        place async for other in everywhere(server, view, name) for place in places(other, name)
    ]


def register(server: Server) -> None:
    """Register the handlers."""

    @server.on(types.TEXT_DOCUMENT_REFERENCES, types.ReferenceOptions(work_done_progress=True))
    async def find(params: types.ReferenceParams) -> list[types.Location] | None:
        view = server.view(params.text_document.uri)
        name = name_at(view, view.offset(params.position)) if view is not None else None
        if view is None or name is None:
            return None
        async with Progress(server, "finding references", params.work_done_token):
            found = await references(server, view, name)
        return [
            types.Location(place.view.uri, place.view.range(place.span))
            for place in found
            if place.kind != "definition" or params.context.include_declaration
        ]
