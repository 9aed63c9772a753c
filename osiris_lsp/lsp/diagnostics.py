"""Findings as diagnostics: pushed, or pulled where the client can (LSP 3.17, diagnostics)."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

from lsprotocol import types
from pygls.uris import from_fs_path

from osiris_lsp.finding import Finding, Severity
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.views import View
from osiris_lsp.reports.record import Record, Recorder
from osiris_lsp.ruledoc import page

SOURCE: Final = "osiris"
"""The `source` of our diagnostics; code actions look at no others."""

SEVERITIES: Final[dict[Severity, types.DiagnosticSeverity]] = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "info": types.DiagnosticSeverity.Information,
    "hint": types.DiagnosticSeverity.Hint,
}


def of_view(server: Server, view: View) -> list[types.Diagnostic]:
    """Return the diagnostics of a document, in the order of its findings."""
    recorder = Recorder(view.project)
    records = recorder.records(view.document, view.findings)
    return [
        _diagnostic(server, view, finding, record)
        for finding, record in zip(view.findings, records, strict=True)
    ]


def shown(server: Server, view: View) -> list[types.Diagnostic]:
    """Return what an editor shows of a document: its findings, then checks that have failed."""
    return [*of_view(server, view), *server.checks.diagnostics(view)]


def _diagnostic(server: Server, view: View, finding: Finding, record: Record) -> types.Diagnostic:
    location = page(finding.rule)
    return types.Diagnostic(
        range=view.range(finding.span),
        message=record.message,
        severity=SEVERITIES[finding.severity],
        code=finding.code,
        code_description=types.CodeDescription(from_fs_path(location) or "") if location else None,
        source=SOURCE,
        tags=list(_tags(finding.rule)) or None,
        related_information=list(_related(server, view, finding, record)) or None,
        data={"rule": finding.rule, "fix": _fix(server, view, finding, record)},
    )


def _tags(rule: str) -> Iterator[types.DiagnosticTag]:
    if rule.startswith("unused-"):
        yield types.DiagnosticTag.Unnecessary
    if rule.startswith(("deprecated-", "legacy-")):
        yield types.DiagnosticTag.Deprecated


def _related(
    server: Server, view: View, finding: Finding, record: Record
) -> Iterator[types.DiagnosticRelatedInformation]:
    for item, (_, message) in zip(finding.related, record.related, strict=True):
        path = item.path or finding.path
        place = view if path == view.document.path else server.foreign(path)
        uri = view.uri if path == view.document.path else server.uri(path)
        yield types.DiagnosticRelatedInformation(
            types.Location(uri, place.range(item.span)), message
        )


def _fix(server: Server, view: View, finding: Finding, record: Record) -> Any:
    """Return `{title, safe, edits: [{uri, range, newText}]}`, or None; never with a secret."""
    fix = finding.fix
    if fix is None or record.edits is None:
        return None
    edits = []
    for edit in fix.edits:
        path = edit.path or finding.path
        own = path == view.document.path
        place = view if own else server.foreign(path)
        edits.append(
            {
                "uri": view.uri if own else server.uri(path),
                "range": _plain(place.range(type(finding.span)(edit.start, edit.end))),
                "newText": edit.new_text,
            }
        )
    return {"title": record.fix, "safe": fix.safe, "edits": edits}


def _plain(range_: types.Range) -> Any:
    return {
        name: {"line": at.line, "character": at.character}
        for name, at in (("start", range_.start), ("end", range_.end))
    }


def result_id(server: Server, view: View) -> str:
    """Return what the diagnostics of a document depend on, in short."""
    generation = server.projects.of(view.document.path).generation
    text = hashlib.sha256(view.text.encode("utf-8", "surrogatepass")).hexdigest()
    return "-".join(filter(None, (str(generation), text[:32], server.checks.state(view))))


class Publisher:
    """Push: each document after a pause in its edits, those that depend on it too."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._shown: set[str] = set()

    def __call__(self, uri: str | None, wide: bool) -> None:
        """Note a change; without a document results of checks are new, if nothing else."""
        wide = wide or uri is None
        if _pulls(self._server):
            if wide:
                self._refresh()
            return
        if uri is not None:
            self._plan(uri)
        if wide:
            for other in tuple(self._server.workspace.text_documents):
                if other != uri:
                    self._plan(other)
            if self._server.options.scope == "workspace":
                self._server.soon(self._publish_all())

    def _plan(self, uri: str) -> None:
        timer = self._timers.pop(uri, None)
        if timer is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        if uri in self._server.workspace.text_documents:
            delay = self._server.options.debounce / 1000
            self._timers[uri] = loop.call_later(delay, self._publish, uri)
        elif uri in self._shown:
            self._publish(uri)

    def _publish(self, uri: str) -> None:
        self._timers.pop(uri, None)
        view = self._server.view(uri)
        if view is None and uri not in self._shown:
            return
        self._send(uri, view)

    def _send(self, uri: str, view: View | None) -> None:
        items = shown(self._server, view) if view is not None else []
        version = view.version if view is not None else None
        if items:
            self._shown.add(uri)
        self._server.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, items, version)
        )

    async def _publish_all(self) -> None:
        async for uri, view in closed_files(self._server):
            if view.findings or uri in self._shown or any(self._server.checks.diagnostics(view)):
                self._send(uri, view)

    def _refresh(self) -> None:
        workspace = self._server.client_capabilities.workspace
        support = workspace.diagnostics if workspace is not None else None
        if support is not None and support.refresh_support:
            self._server.soon(self._server.workspace_diagnostic_refresh_async(None))


async def closed_files(server: Server) -> AsyncIterator[tuple[str, View]]:
    """Yield the files of all folders that no editor has open, with pauses for other work."""
    for folder in server.projects.folders:
        state = server.projects.of(os.path.join(folder, "x.yaml"))
        for path in tuple(state.project.files(folder)):
            if path in server.projects.texts:
                continue
            document = state.project.open(path)
            if document is not None:
                yield (
                    server.uri(path),
                    View(server.uri(path), None, document, state.linter, server.encoding),
                )
            await asyncio.sleep(0)


def _pulls(server: Server) -> bool:
    text_document = server.client_capabilities.text_document
    return text_document is not None and text_document.diagnostic is not None


def register(server: Server) -> None:
    """Register the handlers."""
    server.listeners.append(Publisher(server))

    @server.on(
        types.TEXT_DOCUMENT_DIAGNOSTIC,
        types.DiagnosticOptions(
            inter_file_dependencies=True, workspace_diagnostics=True, identifier=SOURCE
        ),
    )
    async def pull(params: types.DocumentDiagnosticParams) -> Any:
        view = server.view(params.text_document.uri)
        if view is None:
            return types.RelatedFullDocumentDiagnosticReport([])
        found = result_id(server, view)
        if params.previous_result_id == found:
            return types.RelatedUnchangedDocumentDiagnosticReport(found)
        return types.RelatedFullDocumentDiagnosticReport(shown(server, view), result_id=found)

    @server.on(types.WORKSPACE_DIAGNOSTIC)
    async def pull_all(params: types.WorkspaceDiagnosticParams) -> types.WorkspaceDiagnosticReport:
        known = {item.uri: item.value for item in params.previous_result_ids}
        items: list[types.WorkspaceDocumentDiagnosticReport] = []
        if server.options.scope == "workspace":
            async for uri, view in closed_files(server):
                found = result_id(server, view)
                if known.get(uri) == found:
                    items.append(types.WorkspaceUnchangedDocumentDiagnosticReport(uri, found))
                else:
                    items.append(
                        types.WorkspaceFullDocumentDiagnosticReport(
                            uri, shown(server, view), result_id=found
                        )
                    )
        return types.WorkspaceDiagnosticReport(items)
