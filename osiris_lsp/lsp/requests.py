"""Requests of our own for clients with a view of connections: list, usages, add, changes."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from lsprotocol import types

from osiris_lsp.additions import addition, applied, skeleton
from osiris_lsp.discovery import CONNECTIONS
from osiris_lsp.documents import ConnectionsDocument, PipelineDocument, Step
from osiris_lsp.finding import Edit
from osiris_lsp.lsp.application import apply, can_create
from osiris_lsp.lsp.checks import Last, Target, identifier, plain
from osiris_lsp.lsp.code_lens import uses
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.targets import chosen, connection_files, entries_of, failed
from osiris_lsp.lsp.views import Foreign
from osiris_lsp.project import Project, usage_of
from osiris_lsp.refs import NAME, segments
from osiris_lsp.secret import mask_words
from osiris_lsp.specs import FamilySpec, nearest
from osiris_lsp.text import Span
from osiris_lsp.tree import Map, Node, Scalar, Seq, deref

_PAUSE = 0.2
"""Seconds without a change until a client is told of changes."""


def register(server: Server) -> None:
    """Register the handlers."""
    changes = Changes(server)
    server.listeners.append(changes)

    @server.on("osiris/connections")
    async def connections(params: Any) -> list[Any]:
        changes.is_wanted = True
        found = []
        for document in await connection_files(server):
            project = server.projects.of(document.path).project
            copy = project.overlaid(document.path, document.text)
            found += await server.blocking(_list, server, document, copy, server.uri(document.path))
        return found

    @server.on("osiris/usages")
    async def usages(params: Any) -> list[Any]:
        (target, *_) = await chosen(server, {"ids": [_given(params, "id")]})
        places = await server.blocking(_usages, target)
        found = []
        for path, step, span in places:
            range_ = server.foreign(path).range(span)
            found.append({"uri": server.uri(path), "range": _range(range_), "step": step.id})
        return found

    @server.on("osiris/addConnection")
    async def add(params: Any) -> Any:
        family, alias = _given(params, "family"), _given(params, "alias")
        uri = plain(params).get("uri")
        return await _add(server, family, alias, uri if isinstance(uri, str) else None)


class Changes:
    """Tell the client when connections, their variables or their health may have changed.

    Only one that has asked for them is told, once changes pause.
    """

    def __init__(self, server: Server) -> None:
        self.is_wanted = False
        self._server = server
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self, uri: str | None, wide: bool) -> None:
        """Note a change; `(None, False)` stands for results of checks."""
        if not self.is_wanted or (uri is not None and not wide):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(_PAUSE, self._send)

    def _send(self) -> None:
        self._server.protocol.notify("osiris/connectionsChanged", {})


def _given(params: Any, name: str) -> str:
    given = plain(params)
    value = given.get(name) if isinstance(given, Mapping) else None
    if not isinstance(value, str):
        raise failed(f"`{name}` is missing")
    return value


def _list(server: Server, document: ConnectionsDocument, project: Project, uri: str) -> list[Any]:
    used = project.users(document).values()
    place = Foreign(document.text, server.encoding)
    dotenv = project.dotenv(document.path)
    environment = server.projects.environment
    from osiris_lsp.sensitive import pieces

    found = []
    hidden = pieces(document.text, document.secret_spans)
    for entry in document.connections:
        last = server.checks.last(document.path, entry)
        variables = dict(_variables(entry.node))
        known = {
            name for name in variables
            if environment.get(name) or dotenv.get(name) or variables[name]
        }  # fmt: skip
        found.append(
            {
                "id": identifier(document.path, entry),
                "family": mask_words(entry.family.canonical, hidden),
                "alias": mask_words(entry.alias, hidden),
                "uri": uri,
                "range": _range(place.range(entry.key.span)),
                "default": document.default_of(entry.family.name) is entry,
                "env": {"set": sorted(known), "missing": sorted(variables.keys() - known)},
                "usages": sum(any(uses(entry, document, one) for one in usages) for usages in used),
                "health": None if last is None else _health(last),
            }
        )
    return found


def _health(last: Last) -> dict[str, Any]:
    at = datetime.fromtimestamp(last.checked_at, UTC)
    return {
        "ok": last.result.ok,
        "category": last.result.shown_category,
        "message": last.result.message,
        "latency_ms": last.result.latency_ms,
        "checked_at": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "stale": last.stale,
    }


def _range(range_: Any) -> dict[str, Any]:
    return {
        name: {"line": at.line, "character": at.character}
        for name, at in (("start", range_.start), ("end", range_.end))
    }


def _variables(node: Node | None, depth: int = 0) -> Iterator[tuple[str, bool]]:
    """Yield the variables below a node, and whether they have a default."""
    node = deref(node) if node is not None else None
    inner: list[Node] = []
    if isinstance(node, Scalar):
        for piece in segments(node.value):
            if piece.kind == "variable":
                yield piece.name, piece.default is not None
    elif isinstance(node, Map):
        inner = [value for _, value in node.fields.values()]
    elif isinstance(node, Seq):
        inner = list(node.items)
    for item in inner if depth < 20 else ():
        yield from _variables(item, depth + 1)


def _usages(target: Target) -> list[tuple[str, Step, Span]]:
    """Return the steps that use a connection, with their files and where they name it."""
    project = target.project
    document = entries_of(project, target.path)
    listed = document.connections if document is not None else ()
    entry = next((item for item in listed if str(item) == str(target.entry)), None)
    if document is None or entry is None:
        return []
    places = []
    for path, usages in sorted(project.users(document).items()):
        meant = {usage for usage in usages if uses(entry, document, usage)}
        pipeline = project.open(path) if meant else None
        for step in pipeline.modern_steps if isinstance(pipeline, PipelineDocument) else ():
            if usage_of(step, project.families) in meant:
                span = step.connection.span if step.connection is not None else step.anchor
                places.append((path, step, span))
    return places


async def _add(server: Server, family: str, alias: str, uri: str | None) -> dict[str, Any]:
    folders = server.projects.folders
    near = server.path(uri) if uri else os.path.join(folders[0], "x.yaml") if folders else None
    if near is None:
        raise failed("there is no folder that could hold a connections file")
    project = server.projects.of(near).project
    spec = project.families.find(family)
    if spec is None:
        close = nearest(family, project.families.spellings)
        hint = f"; did you mean `{close}`?" if close else ""
        raise failed(f"`{family}` is no family{hint}")
    if not NAME.fullmatch(alias):
        raise failed(f"`{alias}` is no alias: use lower-case letters, digits and `_`")
    path = project.connections_path(near) or os.path.join(project.root, CONNECTIONS[0])
    exists = path in server.projects.texts or os.path.exists(path)
    if not exists and not can_create(server):
        raise failed(f"{path} does not exist; make it first")
    text, problem = project.read(path) if exists else ("", None)
    if problem is not None:
        raise failed(f"{path}: {problem[1]}")
    document = ConnectionsDocument(path, text, project.families)
    edit = _addition(document, spec, alias)
    place = Foreign(text, server.encoding)
    change = types.TextEdit(place.range(Span(edit.start, edit.end)), edit.new_text)
    target = server.uri(path)
    done = await apply(server, target, [change], f"Add @{spec.name}.{alias}", create=not exists)
    now = ConnectionsDocument(path, applied(text, edit), project.families)
    entry = now.find(spec.name, alias)
    assert entry is not None, "the edit was tried"
    after = Foreign(now.text, server.encoding)
    return {
        "applied": done,
        "id": identifier(path, entry),
        "uri": target,
        "range": _range(after.range(entry.key.span)),
    }


def _addition(document: ConnectionsDocument, spec: FamilySpec, alias: str) -> Edit:
    if document.tree.problems:
        raise failed(f"{document.path} does not parse; mend it first")
    if document.find(spec.name, alias) is not None:
        raise failed(f"`@{spec.name}.{alias}` exists already")
    edit = addition(document, spec, alias, dict(skeleton(spec, alias)))
    if edit is None:
        raise failed(f"{document.path} is laid out in a way that cannot be added to")
    return edit
