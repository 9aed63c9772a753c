"""Move a secret that is written out into `.env`; it never goes over the wire."""

import os
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from lsprotocol import types

from osiris_lsp.documents import ConnectionsDocument, PipelineDocument
from osiris_lsp.edits import quote_marks
from osiris_lsp.envfile import EnvFileError, store
from osiris_lsp.finding import Edit
from osiris_lsp.lsp.application import apply
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.targets import failed, offset_of
from osiris_lsp.lsp.views import View
from osiris_lsp.secret import Secret
from osiris_lsp.secrets import Place
from osiris_lsp.secrets.places import written
from osiris_lsp.syntax import parse
from osiris_lsp.text import Span

ROTATE = (
    "if this secret was ever committed or shared, change it at its source as well: "
    "the history of the repository still has it"
)
"""What has to be done besides, and no edit can do."""


class Move(NamedTuple):
    """A secret, the variable that takes it, and the edits that leave only `${VARIABLE}`."""

    variable: str
    secret: Secret
    edits: tuple[Edit, ...]


async def move(server: Server, uri: str, position: Any) -> dict[str, Any]:
    """Store the secret at a place in `.env` and have the client put `${VARIABLE}` there."""
    view = server.view(uri)
    if view is None:
        raise failed("this document is not open, or holds neither connections nor steps")
    found = move_at(view, offset_of(view, position))
    path = _dotenv(view)
    name, value = found.variable, found.secret.reveal()
    if _is_dirty(server, path):
        raise failed(f"{path} has unsaved changes; save it first")
    if (server.projects.environment.get(name) or value) != value:
        raise failed(f"`{name}` has another value in the environment, which would win over `.env`")
    try:
        withdraw = await server.blocking(store, path, name, value)
    except EnvFileError as error:
        raise failed(str(error)) from None
    applied = False
    try:
        # The document may have changed while `.env` was written.
        current = server.view(uri)
        if current is not None and current.text == view.text:
            edits = [view.edit(edit) for edit in found.edits]
            applied = await apply(server, uri, edits, "Move secret to .env")
    finally:
        if withdraw is not None and not applied:
            _take_back(withdraw)
    server.projects.changed(path)
    server.refresh()
    if not applied:
        raise failed("the editor did not apply the edit; nothing was changed")
    message = f"`{name}` is now in {path}; {ROTATE}"
    server.window_show_message(types.ShowMessageParams(types.MessageType.Warning, message))
    return {"variable": name, "path": path, "applied": True, "message": message}


def _take_back(withdraw: Callable[[], None]) -> None:
    try:
        withdraw()
    except EnvFileError as error:
        raise failed(str(error)) from None


def _dotenv(view: View) -> str:
    path = view.document.path
    if not isinstance(view.document, ConnectionsDocument):
        path = view.project.connections_path(path) or os.path.join(view.project.root, "x")
    return os.path.join(os.path.dirname(path), ".env")


def _is_dirty(server: Server, path: str) -> bool:
    """Tell whether an editor holds another text of a file than the disk."""
    for uri, document in server.workspace.text_documents.items():
        if server.path(uri) == path:
            try:
                with open(path, encoding="utf-8", newline="") as file:
                    return bool(file.read() != document.source)
            except (OSError, UnicodeDecodeError):
                return True
    return False


def move_at(view: View, offset: int) -> Move:
    """Return how the secret at an offset moves; raises JsonRpcException where that cannot be."""
    for place, span in _written(view):
        found = view.document.tree.value_span(place.node, span.start, span.end)
        if found.start <= offset <= found.end or place.node.start <= offset <= place.node.end:
            edits = _edits(view, place, span, found)
            if edits is None:
                raise failed(
                    "the secret is written in a way that cannot be replaced; do it by hand"
                )
            value = place.node.value[span.start : span.end]
            return Move(place.variable, Secret(value), edits)
    raise failed("there is no secret here that is written out")


def _written(view: View) -> Iterator[tuple[Place, Span]]:
    document = view.document
    if isinstance(document, ConnectionsDocument | PipelineDocument):
        for place in document.secret_places:
            for span in written(place):
                yield place, span


def _edits(view: View, place: Place, part: Span, found: Span) -> tuple[Edit, ...] | None:
    """Return the edits that put the variable in place of a part of a value, which were tried."""
    node, document = place.node, view.document
    reference = f"${{{place.variable}}}"
    wanted = node.value[: part.start] + reference + node.value[part.end :]
    plain: tuple[Edit, ...] = (Edit(found.start, found.end, reference),)
    marks = quote_marks(document, node)
    quoted: tuple[Edit, ...] = ()
    if marks is not None and found == node.span:
        quoted = (Edit(found.start, found.end, f'"{reference}"'),)
    elif marks is not None:
        quoted = (marks[0], *plain, marks[1])
    for edits in filter(None, (plain, quoted)):
        if _gives(document.text, edits, view, node.value, wanted):
            return edits
    return None


def _gives(text: str, edits: tuple[Edit, ...], view: View, old: str, new: str) -> bool:
    """Tell whether edits turn one scalar into what is wanted and leave all others alone."""
    pieces, at = [], 0
    for edit in edits:
        pieces += [text[at : edit.start], edit.new_text]
        at = edit.end
    after = parse("".join((*pieces, text[at:])))
    before = [node.value for node in view.document.tree.scalars()]
    now = [node.value for node in after.scalars()]
    changed = [pair for pair in zip(before, now, strict=False) if pair[0] != pair[1]]
    same = len(before) == len(now) and len(after.problems) <= len(view.document.tree.problems)
    return same and changed == [(old, new)]
