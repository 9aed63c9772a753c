"""Which connections a command means: by id, by reference, or at a place of a document."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from osiris_lsp.discovery import CONNECTIONS
from osiris_lsp.documents import Connection, ConnectionsDocument, PipelineDocument
from osiris_lsp.lsp.checks import Target, identifier
from osiris_lsp.lsp.cursor import find
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.views import View
from osiris_lsp.project import ANY, Project, usage_of
from osiris_lsp.refs import parse_reference
from osiris_lsp.text import printable

_REQUEST_FAILED = -32803


def failed(message: str) -> JsonRpcException:
    """Return the error of a request that cannot be fulfilled; the client shows its message."""
    return JsonRpcException(printable(message), _REQUEST_FAILED)


async def connection_files(server: Server) -> list[ConnectionsDocument]:
    """Return the connections files of all folders, and those that are open, by path."""
    open_ones = {view.document.path: view.document for view in server.views()}
    projects = [
        (folder, server.projects.of(os.path.join(folder, "x.yaml")).project)
        for folder in server.projects.folders
    ]

    def paths() -> set[str]:
        found = {path for path, item in open_ones.items() if item.kind == "connections"}
        for folder, project in projects:
            own = project.connections_path(os.path.join(folder, "x.yaml"))
            found.update(filter(None, (own,)))
            found.update(
                path for path in project.files(folder) if os.path.basename(path) in CONNECTIONS
            )
        return found

    documents = []
    for path in sorted(await server.blocking(paths)):
        document = open_ones.get(path)
        if document is None:
            project = server.projects.of(path).project
            document = await server.blocking(entries_of, project, path)
        if isinstance(document, ConnectionsDocument):
            documents.append(document)
    return documents


def entries_of(project: Project, path: str) -> ConnectionsDocument | None:
    """Return a connections file, or None where it cannot be read."""
    known = project.connections_for(path)
    if known is not None and known.path == path:
        return known
    found = project.open(path, kind="connections")
    return found if isinstance(found, ConnectionsDocument) else None


async def chosen(server: Server, given: Any) -> list[Target]:
    """Return what `{ids?: […]}` or `{uri, position?}` mean; all connections without either.

    Ids are opaque ones or `@family.alias`; `uri` says in which file where there are several. Raises
    JsonRpcException for one that there is not.
    """
    options: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    ids, uri = options.get("ids"), options.get("uri")
    if ids is None and isinstance(uri, str):
        return _at(server, uri, options.get("position"))
    documents = await connection_files(server)
    if isinstance(uri, str):
        path = server.path(uri)
        source = server.projects.of(path).project.connections_path(path)
        documents = [item for item in documents if item.path in (path, source)]
    if ids is None:
        return [
            target
            for document in documents
            for target in server.checks.targets(document, document.connections)
        ]
    if not isinstance(ids, list) or not all(isinstance(item, str) for item in ids):
        raise failed("`ids` must be a list of ids, or of references such as `@mysql.default`")
    return [target for name in ids for target in named(server, documents, name)]


def named(server: Server, documents: Sequence[ConnectionsDocument], name: str) -> list[Target]:
    """Return what an id or a reference means; raises JsonRpcException where it is nothing."""
    found: list[Target] = []
    reference = parse_reference(name)
    for document in documents:
        if reference is not None:
            entry = document.resolve(reference)
            entries = [entry] if entry is not None else []
        else:
            entries = [
                item for item in document.connections if identifier(document.path, item) == name
            ]
        if entries:
            found += server.checks.targets(document, entries)
    if not found:
        raise failed(f"there is no connection `{name}`; `osiris/connections` lists what there is")
    return found


def _at(server: Server, uri: str, position: Any) -> list[Target]:
    view = server.view(uri)
    if view is None:
        raise failed("this document is not open, or holds neither connections nor steps")
    if isinstance(view.document, ConnectionsDocument):
        document: ConnectionsDocument | None = view.document
    else:
        document = view.project.connections_for(view.document.path)
    if document is None:
        raise failed("there is no connections file for this document")
    offset = offset_of(view, position) if position is not None else None
    entries = list(dict.fromkeys(_entries(view, document, offset)))
    if not entries:
        raise failed("there is no connection here")
    return server.checks.targets(document, entries)


def offset_of(view: View, position: Any) -> int:
    """Return the offset of `{line, character}`; raises JsonRpcException for anything else."""
    given: Mapping[str, Any] = position if isinstance(position, Mapping) else {}
    line, character = given.get("line"), given.get("character")
    if not isinstance(line, int) or not isinstance(character, int):
        raise failed('`position` must be `{"line": 0, "character": 0}`')
    return view.offset(types.Position(line, character))


def _entries(view: View, document: ConnectionsDocument, offset: int | None) -> list[Connection]:
    if isinstance(view.document, ConnectionsDocument):
        if offset is None:
            return list(document.connections)
        entry = find(view.document, offset).connection
        return [entry] if entry is not None else []
    if not isinstance(view.document, PipelineDocument):
        return []
    steps = view.document.modern_steps
    if offset is not None:
        step = find(view.document, offset).step
        steps = tuple(item for item in steps if item is step)
    found = []
    for step in steps:
        usage = usage_of(step, view.project.families)
        if usage is None or usage.alias == ANY:
            continue
        default = usage.alias is None
        entry = (
            document.default_of(usage.family)
            if default
            else document.find(usage.family, usage.alias or "")
        )
        found += [entry] if entry is not None else []
    return found
