"""Code lenses on aliases: how many pipelines use the connection, and how its last check went."""

from collections.abc import Iterator, Mapping, Set
from typing import Final

from lsprotocol import types

from osiris_lsp.documents import Connection, ConnectionsDocument
from osiris_lsp.lsp.checks import plain
from osiris_lsp.lsp.health import said
from osiris_lsp.lsp.occurrences import Name
from osiris_lsp.lsp.references import references
from osiris_lsp.lsp.refresh import Refresh
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.views import View
from osiris_lsp.project import ANY, Project, Usage

MAX_ALIASES: Final = 1_000
"""Aliases of one file that get lenses; an editor cannot show more anyway."""

_SHOW: Final = "editor.action.showReferences"


def uses(entry: Connection, document: ConnectionsDocument, usage: Usage) -> bool:
    """Tell whether a use means a connection, or may mean it."""
    if usage.family != entry.family.canonical:
        return False
    if usage.alias is None:
        default = document.default_of(usage.family)
        return default is not None and default.key is entry.key
    return usage.alias in (entry.alias, ANY)


def _users_by_usage(project: Project, document: ConnectionsDocument) -> Mapping[Usage, Set[str]]:
    """Return the paths of the pipelines with a use; defaults count for the alias they mean.

    This spares `uses` for each pair of a connection and a use.
    """
    found: dict[Usage, set[str]] = {}
    for path, usages in project.users(document).items():
        for usage in usages:
            found.setdefault(usage, set()).add(path)
    for usage in [usage for usage in found if usage.alias is None]:
        default = document.default_of(usage.family)
        if default is not None:
            meant = Usage(usage.family, default.alias)
            found.setdefault(meant, set()).update(found[usage])
    return found


def _title(count: int) -> str:
    if count == 0:
        return "no pipeline uses this"
    return "1 pipeline uses this" if count == 1 else f"{count} pipelines use this"


def _lenses(
    server: Server, view: View, found: Mapping[Usage, Set[str]]
) -> Iterator[types.CodeLens]:
    document = view.document
    if not isinstance(document, ConnectionsDocument):
        return
    for entry in document.connections[:MAX_ALIASES]:
        if not entry.alias or view.name(str(entry)) != str(entry):
            continue  # a lens has the name, and a token may stand in its place
        place = view.range(entry.key.span)
        family = entry.family.canonical
        meant = (Usage(family, entry.alias), Usage(family, ANY))
        paths = {path for usage in meant for path in found.get(usage, ())}
        if paths and knows(server, _SHOW):
            # Where they are is found out when the lens is shown.
            data = {"uri": view.uri, "id": str(entry), "title": _title(len(paths))}
            yield types.CodeLens(place, data=data)
        else:
            yield types.CodeLens(place, types.Command(_title(len(paths)), ""))
        check = server.checks.last(document.path, entry)
        title = "run doctor" if check is None else f"doctor: {said(check)}"
        arguments = [{"ids": [str(entry)], "uri": view.uri}]
        yield types.CodeLens(place, types.Command(title, "osiris.doctor", arguments=arguments))


def knows(server: Server, command: str) -> bool:
    """Tell whether a client names a command under `experimental.commands.commands`."""
    found = plain(server.client_capabilities.experimental)
    for _ in range(2):
        found = found.get("commands") if isinstance(found, dict) else None
    return isinstance(found, list) and command in found


def register(server: Server) -> None:
    """Register the handlers."""
    server.listeners.append(
        Refresh(
            server,
            lambda it: it.code_lens is not None and it.code_lens.refresh_support is True,
            lambda: server.workspace_code_lens_refresh_async(None),
        )
    )

    @server.on(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions(resolve_provider=True))
    async def lenses(params: types.CodeLensParams) -> list[types.CodeLens]:
        view = server.view(params.text_document.uri)
        if view is None or not isinstance(view.document, ConnectionsDocument):
            return []
        found = await server.blocking(_users_by_usage, view.project, view.document)
        return list(_lenses(server, view, found))

    @server.on(types.CODE_LENS_RESOLVE)
    async def resolved(lens: types.CodeLens) -> types.CodeLens:
        data = plain(lens.data)
        if not isinstance(data, dict):
            return lens
        view = server.view(str(data.get("uri")))
        document = view.document if view is not None else None
        if view is None or not isinstance(document, ConnectionsDocument):
            return lens
        entry = next((one for one in document.connections if str(one) == data.get("id")), None)
        places = []
        if entry is not None:
            words = (entry.family.canonical, entry.alias)
            name = Name("connection", document.path, words, entry.key.span)
            places = [
                types.Location(place.view.uri, place.view.range(place.span))
                for place in await references(server, view, name)
                if place.kind != "definition"
            ]
        arguments = [view.uri, lens.range.start, places]
        lens.command = types.Command(str(data.get("title")), _SHOW, arguments=arguments)
        return lens
