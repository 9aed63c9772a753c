"""Rename aliases, steps and anchors in every file that names them, or say why that cannot be."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final, NoReturn

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from osiris_lsp.documents import ConnectionsDocument, PipelineDocument, sanitized
from osiris_lsp.edits import replace_scalar
from osiris_lsp.finding import Edit
from osiris_lsp.lsp.application import takes_versions
from osiris_lsp.lsp.occurrences import Name, Place, everywhere, name_at, places, table_of
from osiris_lsp.lsp.progress import Progress
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.views import View
from osiris_lsp.refs import NAME
from osiris_lsp.specs import step_schema
from osiris_lsp.text import lazy, printable

_ANCHOR: Final = lazy(r"[A-Za-z0-9_-]+")
_SHORT: Final = 80
_QUERY: Final = "query"
"""The annotation of edits inside SQL, which the client asks about first."""

_REFUSED: Final[Mapping[str, str]] = {
    "family": "`{}` is a family of connections, which Osiris gives its name; rename an alias below "
    "it instead",
    "variable": "`{}` is a variable of the environment, which is set elsewhere; change it there "
    "and here by hand",
    "component": "`{}` is the name of a component, which its driver is known by; it cannot be "
    "renamed",
}


def refusal(view: View, name: Name) -> str | None:
    """Return why a name cannot be renamed from where it stands, or None."""
    word = printable(name.words[-1])
    if name.kind in _REFUSED:
        return _REFUSED[name.kind].format(word)
    written = view.text[slice(*name.span)]
    if name.kind == "connection" and written.startswith("@"):
        return f"`{written}` has no alias; rename `{word}` where it is defined"
    if written != name.words[-1]:
        what = "id of the step" if name.kind == "step" else "name"
        return f"rename `{word}` where the {what} is written"
    document = view.document
    if name.kind == "step" and isinstance(document, PipelineDocument):
        known = name.words[0] in document.step_by_id
        return None if known else f"there is no step `{word}` in this pipeline; add it first"
    if name.kind == "connection" and isinstance(document, PipelineDocument):
        connections = view.project.connections_for(document.path)
        if connections is None:
            return "there is no connections file that defines this; add osiris_connections.yaml"
        if connections.find(*name.words) is None:
            file = os.path.basename(connections.path)
            return f"`{_reference(name)}` is not defined in {file}; define it first"
    return None


def problem(view: View, name: Name, new: str, found: Sequence[Place]) -> str | None:
    """Return why a name cannot become another one, given all of its places, or None."""
    shown = printable(new[:_SHORT])
    if name.kind == "connection":
        if not NAME.fullmatch(new):
            return (
                f"`{shown}` cannot be an alias; use lower-case letters, digits and `_`, and start "
                "with a letter"
            )
        return _taken_alias(name, new, found)
    if name.kind == "step":
        if not _step_id().fullmatch(new):
            return (
                f"`{shown}` cannot be the id of a step; use letters, digits, `_`, `.` and `-`, and "
                "start with a letter, a digit or `_`"
            )
        return _taken_id(view, name, new, found)
    if not _ANCHOR.fullmatch(new):
        return f"`{shown}` cannot be an anchor; use letters, digits, `_` and `-`"
    tree = view.document.tree
    names = [node.anchor for node, _ in tree.anchors] + [alias.name for alias in tree.aliases]
    return f"there is an anchor `&{shown}` already; take another name" if new in names else None


def _taken_alias(name: Name, new: str, found: Sequence[Place]) -> str | None:
    definition = next((place for place in found if place.kind == "definition"), None)
    document = definition.view.document if definition is not None else None
    if not isinstance(document, ConnectionsDocument):
        return f"`{_reference(name)}` is not defined; define it first"
    family, alias = name.words
    file = os.path.basename(document.path)
    if document.find(family, new) is not None:
        return f"`@{family}.{new}` is defined in {file} already; take another name"
    if "default" not in (alias, new):
        return None
    default = document.default_of(family)
    if default is not None and default.default is not None:
        return None
    # Without a flag the name alone makes it the default, and `@family` would lose its meaning.
    unsaid = [place for place in found if place.kind in ("implicit", "bare")]
    if alias == "default" and unsaid:
        plural = "steps take" if len(unsaid) > 1 else "step takes"
        return (
            f"{len(unsaid)} {plural} `@{family}.default` as the default because of its name; set "
            f"`default: true` on it in {file} first"
        )
    return None


def _taken_id(view: View, name: Name, new: str, found: Sequence[Place]) -> str | None:
    document = view.document
    defined = sum(place.kind == "definition" for place in found)
    if defined != 1:
        word = printable(name.words[0])
        return f"{defined} steps have the id `{word}`; give each an id of its own first"
    ids = document.step_by_id if isinstance(document, PipelineDocument) else {}
    if new in ids:
        return f"there is a step `{new}` already; take another id"
    same = next((one for one in ids if one != name.words[0] and _tables_clash(one, new)), None)
    if same is not None:
        return f"`{new}` and `{printable(same)}` would be the same table `{table_of(new)}`"
    return None


def _tables_clash(one: str, other: str) -> bool:
    return table_of(one).lower() == table_of(other).lower()


def unreadable(name: Name, found: Sequence[Place], views: Iterable[View]) -> str | None:
    """Return that a file names more than its tree shows, for a part of it does not parse."""
    word = re.escape(name.words[-1])
    pattern = {
        "connection": rf"@([\w-]+)\.{word}(?![\w.-])",
        "step": rf"(?<![\w.-]){word}(?![\w.-])",
        "anchor": rf"[&*]{word}(?![\w-])",
    }[name.kind]
    for view in views:
        document = view.document
        if not document.is_broken(0, len(document.text)):
            continue
        known = sum(place.view is view and place.kind in ("definition", "use") for place in found)
        families = view.project.families
        hits = [
            match
            for match in re.finditer(pattern, document.text)
            if not match.lastindex or families.canonical(match[1]) == name.words[0]
        ]
        if len(hits) > known:
            file = os.path.relpath(document.path, view.project.root)
            return f"{file} does not parse, so that not every use can be found; repair it first"
    return None


def edit(name: Name, new: str, place: Place) -> Edit | None:
    """Return the edit of a place; None where the text does not let it be changed."""
    old, node = name.words[-1], place.node
    written = place.view.text[slice(*place.span)]
    if place.kind == "table":
        literal = written.lower() in (table_of(old).lower(), sanitized(old).lower())
        return Edit(*place.span, table_of(new)) if literal else None
    if node is None or (written == old and place.span != node.inner):
        return Edit(*place.span, new)
    value = node.value.removesuffix(old) + new
    return replace_scalar(place.view.document, node, value)


def workspace_edit(
    server: Server, name: Name, new: str, found: Sequence[Place]
) -> types.WorkspaceEdit:
    """Return the edits of all places by file; what is in SQL is asked about, or left with a word.

    Raises JsonRpcException where a place cannot be edited.
    """
    asks = _asks(server)
    by_uri: dict[str, tuple[View, list[types.TextEdit | types.AnnotatedTextEdit]]] = {}
    left: list[Place] = []
    for place in found:
        same = place.kind == "table" and table_of(new) == table_of(name.words[-1])
        if place.kind in ("implicit", "bare") or same:
            continue
        view = place.view
        changed = edit(name, new, place)
        if place.kind == "table" and (changed is None or not asks):
            left.append(place)
            continue
        if changed is None:
            _refuse(f"{_where(place)} names it in a form that cannot be edited; change it by hand")
        item: types.TextEdit | types.AnnotatedTextEdit = view.edit(changed)
        if place.kind == "table":
            item = types.AnnotatedTextEdit(_QUERY, item.range, item.new_text)
        by_uri.setdefault(view.uri, (view, []))[1].append(item)
    if left:
        where = ", ".join(map(_where, left))
        message = f"{where}: the query reads `{sanitized(name.words[-1])}`, which is now "
        message = left[0].view.sieve.clean(f"{message}`{table_of(new)}`; change it there")
        server.window_show_message(types.ShowMessageParams(types.MessageType.Warning, message))
    return _assembled(server, by_uri.values())


def _assembled(
    server: Server,
    changes: Iterable[tuple[View, list[types.TextEdit | types.AnnotatedTextEdit]]],
) -> types.WorkspaceEdit:
    if not takes_versions(server):
        return types.WorkspaceEdit(
            {
                view.uri: [types.TextEdit(item.range, item.new_text) for item in items]
                for view, items in changes
            }
        )
    annotated = any(
        isinstance(item, types.AnnotatedTextEdit) for _, items in changes for item in items
    )
    annotation = types.ChangeAnnotation("Tables in queries", True, "The result of the step")
    return types.WorkspaceEdit(
        document_changes=[
            types.TextDocumentEdit(
                types.OptionalVersionedTextDocumentIdentifier(view.uri, view.version), items
            )
            for view, items in changes
        ],
        change_annotations={_QUERY: annotation} if annotated else None,
    )


def _asks(server: Server) -> bool:
    """Tell whether the client asks about annotated edits."""
    document = server.client_capabilities.text_document
    rename = document.rename if document is not None else None
    return takes_versions(server) and rename is not None and bool(rename.honors_change_annotations)


def _where(place: Place) -> str:
    document = place.view.document
    line = document.tree.lines.position(place.span.start).line + 1
    return f"{os.path.relpath(document.path, place.view.project.root)}:{line}"


def _reference(name: Name) -> str:
    return printable(f"@{'.'.join(name.words)}")


@cache
def _step_id() -> re.Pattern[str]:
    return re.compile(step_schema()["properties"]["id"]["pattern"].replace("$", r"\Z"))


def _refuse(message: str) -> NoReturn:
    raise JsonRpcException(message, types.LSPErrorCodes.RequestFailed)


def register(server: Server) -> None:
    """Register the handlers."""

    def renamed(
        params: types.PrepareRenameParams | types.RenameParams,
    ) -> tuple[View, Name] | None:
        view = server.view(params.text_document.uri)
        if view is None:
            return None
        offset = view.offset(params.position)
        name = name_at(view, offset)
        if name is None:
            return None
        if name.kind == "connection" and offset < name.span.start:
            _refuse(view.sieve.clean(_REFUSED["family"].format(name.words[0])))
        reason = refusal(view, name)
        if reason is not None:
            _refuse(view.sieve.clean(reason))
        return view, name

    @server.on(types.TEXT_DOCUMENT_PREPARE_RENAME)
    async def prepare(params: types.PrepareRenameParams) -> types.PrepareRenameResult | None:
        target = renamed(params)
        if target is None:
            return None
        view, name = target
        if view.sieve.shows(*name.span, name.words[-1]):
            return view.range(name.span)  # what looks like a secret is not said, the client has it
        return types.PrepareRenamePlaceholder(view.range(name.span), name.words[-1])

    @server.on(
        types.TEXT_DOCUMENT_RENAME,
        types.RenameOptions(prepare_provider=True, work_done_progress=True),
    )
    async def rename(params: types.RenameParams) -> types.WorkspaceEdit | None:
        target = renamed(params)
        if target is None:
            _refuse("there is nothing here that can be renamed")
        view, name = target
        new = params.new_name
        if new == name.words[-1]:
            return types.WorkspaceEdit()
        async with Progress(server, "renaming", params.work_done_token):
            views = [other async for other in everywhere(server, view, name)]
        found = [place for other in views for place in places(other, name)]
        reason = problem(view, name, new, found) or unreadable(name, found, views)
        if reason is not None:
            _refuse(view.sieve.clean(reason))
        return workspace_edit(server, name, new, found)
