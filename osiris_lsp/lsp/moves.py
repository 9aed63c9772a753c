"""Move a secret that is written out into `.env`; it never goes over the wire."""

from collections.abc import Callable, Mapping
from typing import Any

from lsprotocol import types

from osiris_lsp.envfile import EnvFileError, store, variables
from osiris_lsp.finding import Edit
from osiris_lsp.lsp.application import apply
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.targets import failed, offset_of
from osiris_lsp.lsp.views import View
from osiris_lsp.relocation import (
    ROTATE,
    Literal,
    Names,
    Uses,
    dotenv_path,
    literals,
    relocation,
)


async def move(server: Server, uri: str, position: Any) -> dict[str, Any]:
    """Store the secret at a place in `.env` and have the client put `${VARIABLE}` there."""
    view = server.view(uri)
    if view is None:
        raise failed("this document is not open, or holds neither connections nor steps")
    literal = literal_at(view, offset_of(view, position))
    path = dotenv_path(view.document, view.project)
    name = await server.blocking(_name_of, literal, view, server.projects.environment)
    found, value = move_of(view, literal, name), literal.secret.reveal()
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
            edits = [view.edit(edit) for edit in found]
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


def literal_at(view: View, offset: int) -> Literal:
    """Return the secret at an offset that can move; raises JsonRpcException where none is."""
    for literal in literals(view.document):
        node, part = literal.node, literal.part
        found = view.document.tree.value_span(node, part.start, part.end)
        if literal.is_default:
            continue
        if found.start <= offset <= found.end or node.start <= offset <= node.end:
            return literal
    raise failed("there is no secret here that is written out")


def move_of(view: View, literal: Literal, variable: str) -> tuple[Edit, ...]:
    """Return the edits that leave only `${variable}`; raises JsonRpcException where none can."""
    edits = relocation(view.document, literal, variable)
    if edits is None:
        raise failed("the secret is written in a way that cannot be replaced; do it by hand")
    return edits


def _name_of(literal: Literal, view: View, environment: Mapping[str, str]) -> str:
    """Return the variable for a secret: another one than its own where other places expect that.

    Its own stays where it has a value, for a value that differs is refused.
    """
    try:
        known = variables(dotenv_path(view.document, view.project))
    except EnvFileError as error:
        raise failed(str(error)) from None
    if known.get(literal.variable) or environment.get(literal.variable):
        return literal.variable
    beside = Uses(view.project).beside(view.document)
    return Names(view.document, known, {}, beside, environment).of(literal) or literal.variable
