"""Code actions: quick fixes, comments that silence, `source.fixAll.osiris`, commands.

Edits are made from the document as it is now, never from what a diagnostic once carried. Where the
client resolves, `data` says where to look again: `{uri, version, do, rule, range, nth}`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from osiris_lsp.documents import Connection, ConnectionsDocument
from osiris_lsp.finding import Edit, Finding, Fix
from osiris_lsp.lsp import cursor
from osiris_lsp.lsp.application import takes_versions
from osiris_lsp.lsp.changes import fix_all, ignore, ignore_file, public
from osiris_lsp.lsp.diagnostics import SOURCE
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.targets import chosen
from osiris_lsp.lsp.views import View
from osiris_lsp.rules import load
from osiris_lsp.text import Span, printable

FIX_ALL: Final = "source.fixAll.osiris"

_QUICK_FIX: Final = types.CodeActionKind.QuickFix.value
_REWRITE: Final = types.CodeActionKind.RefactorRewrite.value
_SECRET: Final = "plaintext-secret"
_MISSING: Final = "missing-field"
_MOST: Final = 50
"""Findings of one request that get actions: a longer menu helps nobody."""


class Offer(NamedTuple):
    """An action that edits; `do`, `rule`, `span` and `nth` (among equals) tell which edits."""

    title: str
    kind: str
    do: str
    rule: str = ""
    span: Span = Span(0, 0)
    nth: int = 0
    code: str = ""
    safe: bool = False


def register(server: Server) -> None:
    """Register the handlers."""
    kinds = [_QUICK_FIX, _REWRITE, FIX_ALL]

    @server.on(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=kinds, resolve_provider=True),
    )
    async def offered(params: types.CodeActionParams) -> Any:
        view = server.view(params.text_document.uri)
        if view is None:
            return None
        commands = [
            types.CodeAction(title, kind, diagnostics=shown, command=command)
            for title, kind, shown, command in await _commands(server, view, params)
            if _is_wanted(kind, params.context.only)
        ]
        if not _takes_literals(server):
            return [action.command for action in commands]
        span = view.span(params.range)
        offers = [
            item for item in _offers(view, span) if _is_wanted(item.kind, params.context.only)
        ]
        safe = [item for item in offers if item.do == "fix" and item.safe]
        preferred = safe[0] if len(safe) == 1 else None
        actions = [
            _action(server, view, item, params.context.diagnostics, item is preferred)
            for item in offers
        ]
        return [action for action in actions if action is not None] + commands

    @server.on(types.CODE_ACTION_RESOLVE)
    async def resolved(action: types.CodeAction) -> types.CodeAction:
        data: Any = action.data
        if not isinstance(data, Mapping):
            return action
        view = server.view(data["uri"])
        offer = None if view is None else _again(view, action.title, data)
        edits = None if view is None or offer is None else make(view, offer)
        if view is None or edits is None:
            code = types.LSPErrorCodes.ContentModified.value
            raise JsonRpcException(
                "the document has changed, or this cannot be edited; ask for actions again", code
            )
        action.edit = workspace_edit(server, view, edits)
        return action


def _offers(view: View, span: Span) -> Iterator[Offer]:
    """Yield the actions for a range: fixes first, comments that silence last."""
    touched = [item for item in view.new if _touches(item.span, span)][:_MOST]
    for finding in touched:
        fix = finding.fix
        if fix is not None and public(view, fix.edits) is not None:
            yield _about(view, finding, view.sieve.clean(fix.title), "fix", fix.safe)
    entry = cursor.find(view.document, span.start).connection
    shown = any(item.rule == _MISSING for item in touched)
    # The rule looks at all connections of the file, so it is asked only where it will tell.
    lacks = entry is not None and not shown and _lacks(entry)
    if entry is not None and lacks and _missing(view, entry.key.span) is not None:
        yield Offer(_adding(entry), _REWRITE, "fields", _MISSING, entry.key.span)
    if any(item.fix is not None and item.fix.safe for item in view.findings):
        yield Offer("Fix all that is safe to fix", FIX_ALL, "fix-all")
    seen: set[tuple[str, int]] = set()
    for finding in touched:
        at = (finding.code, view.lines.position(finding.span.start).line)
        if at not in seen:
            seen.add(at)
            title = f"Ignore this here: # osiris: ignore[{finding.code}]"
            yield _about(view, finding, title, "ignore")
    for finding in {item.code: item for item in touched}.values():
        title = f"Ignore this in the file: # osiris: ignore-file[{finding.code}]"
        yield _about(view, finding, title, "ignore-file")


def _about(view: View, finding: Finding, title: str, do: str, safe: bool = False) -> Offer:
    nth = _equals(view, finding.rule, finding.span).index(finding)
    return Offer(title, _QUICK_FIX, do, finding.rule, finding.span, nth, finding.code, safe)


def _equals(view: View, rule: str, span: Span) -> list[Finding]:
    return [item for item in view.findings if item.rule == rule and item.span == span]


def _touches(a: Span, b: Span) -> bool:
    return a.start <= b.end and b.start <= a.end


def _is_wanted(kind: str | None, only: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Tell whether a kind is one of those asked for, or below one (LSP 3.17, CodeActionKind)."""
    if only is None:
        return True
    wanted = [str(getattr(item, "value", item)) for item in only]
    return any(not item or f"{kind or ''}.".startswith(f"{item}.") for item in wanted)


def _takes_literals(server: Server) -> bool:
    text_document = server.client_capabilities.text_document
    support = text_document.code_action if text_document is not None else None
    return support is not None and support.code_action_literal_support is not None


def _resolves(server: Server) -> bool:
    text_document = server.client_capabilities.text_document
    support = text_document.code_action if text_document is not None else None
    if support is None or not support.data_support or support.resolve_support is None:
        return False
    return "edit" in support.resolve_support.properties


def _action(
    server: Server,
    view: View,
    offer: Offer,
    diagnostics: Sequence[types.Diagnostic],
    preferred: bool,
) -> types.CodeAction | None:
    range_ = view.range(offer.span)
    action = types.CodeAction(
        offer.title,
        offer.kind,
        diagnostics=_shown(diagnostics, offer.code, range_),
        is_preferred=True if preferred else None,
    )
    if _resolves(server):
        action.data = {
            "uri": view.uri,
            "version": view.version,
            "do": offer.do,
            "rule": offer.rule,
            "range": server.protocol._converter.unstructure(range_),
            "nth": offer.nth,
        }
        return action
    edits = make(view, offer)
    if edits is None:
        return None
    action.edit = workspace_edit(server, view, edits)
    return action


def _shown(
    diagnostics: Sequence[types.Diagnostic], code: str, range_: types.Range
) -> list[types.Diagnostic] | None:
    """Return those diagnostics of the client that an action is about."""
    found = [
        item
        for item in diagnostics
        if item.source == SOURCE and item.code == code and item.range == range_
    ]
    return found or None


def _again(view: View, title: str, data: Mapping[str, Any]) -> Offer | None:
    """Return the offer that a client kept, for the document as it is now; None where it is gone.

    In a text that has changed, a finding counts when it is the only one of its rule.
    """
    do, rule = str(data["do"]), str(data["rule"])
    if do == "fix-all":
        return Offer(title, FIX_ALL, do)
    start, end = (types.Position(**data["range"][name]) for name in ("start", "end"))
    span = view.span(types.Range(start, end))
    if do == "fields":
        entries = getattr(view.document, "connections", ())
        named = next((entry.key.span for entry in entries if _adding(entry) == title), None)
        return None if named is None else Offer(title, _REWRITE, do, rule, named)
    found = _equals(view, rule, span)
    nth = int(data["nth"])
    if data["version"] != view.version:
        found = [item for item in view.findings if item.rule == rule]
        nth = 0 if len(found) == 1 else len(found)
    return _about(view, found[nth], title, do) if nth < len(found) else None


def make(view: View, offer: Offer) -> tuple[Edit, ...] | None:
    """Return the edits of an offer; None where there are none, or they would show a secret."""
    if offer.do == "fix-all":
        return public(view, fix_all(view)) or None
    if offer.do == "fields":
        return None if (fix := _missing(view, offer.span)) is None else fix.edits
    finding = _equals(view, offer.rule, offer.span)[offer.nth]
    if offer.do == "fix":
        return None if finding.fix is None else public(view, finding.fix.edits)
    edit = ignore_file(view, finding) if offer.do == "ignore-file" else ignore(view, finding)
    return None if edit is None else (edit,)


def workspace_edit(server: Server, view: View, edits: Sequence[Edit]) -> types.WorkspaceEdit:
    """Return edits for the client: with versions where it takes these, else by file."""
    changes: dict[str, list[types.TextEdit]] = {}
    versions: dict[str, int | None] = {view.uri: view.version}
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if edit.path in (None, view.document.path):
            changes.setdefault(view.uri, []).append(view.edit(edit))
            continue
        path = str(edit.path)
        uri = server.uri(path)
        text = server.workspace.text_documents.get(uri)
        versions[uri] = None if text is None else text.version
        place = server.foreign(path).range(Span(edit.start, edit.end))
        changes.setdefault(uri, []).append(types.TextEdit(place, edit.new_text))
    if not takes_versions(server):
        return types.WorkspaceEdit(changes=changes)
    return types.WorkspaceEdit(
        document_changes=[
            types.TextDocumentEdit(
                types.OptionalVersionedTextDocumentIdentifier(uri, versions[uri]), found
            )
            for uri, found in changes.items()
        ]
    )


def _adding(entry: Connection) -> str:
    return f"Add the missing fields of `{printable(str(entry))}`"


def _lacks(entry: Connection) -> bool:
    if entry.spec is None:
        return False
    present = {entry.spec.canonical(name) for name in entry.fields}
    return not all(
        any(present.issuperset(map(entry.spec.canonical, option)) for option in group)
        for group in entry.spec.requirements
    )


def _missing(view: View, alias: Span) -> Fix | None:
    """Return the fix that adds the fields which the connection of an alias lacks, or None."""
    if isinstance(view.document, ConnectionsDocument):
        for problem in load(_MISSING).check(view.document, view.project):
            if problem.span == alias:
                return problem.fix
    return None


_Command = tuple[str, str | None, list[types.Diagnostic] | None, types.Command]


async def _commands(server: Server, view: View, params: types.CodeActionParams) -> list[_Command]:
    """Return the actions that commands do: title, kind, diagnostics, command with the place."""
    found: list[_Command] = []
    span = view.span(params.range)
    at = params.range.start

    def add(title: str, name: str, offset: int, kind: str | None = None, shown: Any = None) -> None:
        position = server.protocol._converter.unstructure(view.position(offset))
        arguments = [{"uri": view.uri, "position": position}]
        found.append((title, kind, shown, types.Command(title, name, arguments=arguments)))

    for finding in view.findings:
        if finding.rule == _SECRET and _touches(finding.span, span):
            shown = _shown(params.context.diagnostics, finding.code, view.range(finding.span))
            start = finding.span.start
            add("Move this secret to .env", "osiris.moveSecretToEnv", start, _QUICK_FIX, shown)
    if server.checks.refusal is not None:
        return found
    place = {"uri": view.uri, "position": {"line": at.line, "character": at.character}}
    try:
        targets = await chosen(server, place)
    except JsonRpcException:  # there is no connection here
        return found
    for path, entry, _ in targets:
        name = printable(str(entry))
        add(f"Run doctor on `{name}`", "osiris.doctor", span.start)
        if not await server.blocking(server.checks.store.is_trusted, path, entry):
            add(f"Trust the connection `{name}`", "osiris.trust", span.start)
    return found
