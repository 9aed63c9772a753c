"""Findings as diagnostics: pushed, or pulled where the client can (LSP 3.17, diagnostics)."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from functools import cache
from typing import Any, Final

from lsprotocol import types
from pygls.uris import from_fs_path

from osiris_lsp.finding import Finding, Fix, Severity
from osiris_lsp.lsp.progress import Progress
from osiris_lsp.lsp.refresh import Refresh
from osiris_lsp.lsp.server import Server
from osiris_lsp.lsp.views import View
from osiris_lsp.ruledoc import page
from osiris_lsp.text import LineIndex, Span

SOURCE: Final = "osiris"
"""The `source` of our diagnostics; code actions look at no others."""

SEVERITIES: Final[Mapping[Severity, int]] = {
    "error": types.DiagnosticSeverity.Error.value,
    "warning": types.DiagnosticSeverity.Warning.value,
    "info": types.DiagnosticSeverity.Information.value,
    "hint": types.DiagnosticSeverity.Hint.value,
}

Json = dict[str, Any]
"""An object of LSP as it goes over the wire: at each keystroke objects of lsprotocol, which are
validated and converted, would take longer than all that they say."""


def of_view(server: Server, view: View) -> list[Json]:
    """Return the diagnostics of a document, in the order of its findings.

    What the baseline knows is left out, as at the shell.
    """
    places = Places(server, view)
    return [_diagnostic(view, places, finding) for finding in view.new]


def shown(server: Server, view: View) -> list[Json]:
    """Return what an editor shows of a document: its findings, then checks that have failed."""
    failed = server.checks.diagnostics(view)
    return [*of_view(server, view), *map(server.protocol.plain, failed)]


class Places:
    """Locations in a document and in the files that its findings name, each looked up once."""

    def __init__(self, server: Server, view: View) -> None:
        self._server = server
        own = (view.uri, view.lines)
        self._files: dict[str | None, tuple[str, LineIndex]] = {None: own, view.document.path: own}

    def find(self, path: str | None, span: Span) -> Json:
        """Return the location of a range; `path` None is the document itself."""
        if path is not None and path not in self._files:
            self._files[path] = self._server.uri(path), self._server.foreign(path).lines
        uri, lines = self._files[path]
        return {"uri": uri, "range": self._range(lines, span)}

    def own(self, span: Span) -> Json:
        """Return a range of the document itself."""
        return self._range(self._files[None][1], span)

    def _range(self, lines: LineIndex, span: Span) -> Json:
        encoding = self._server.encoding
        start, end = lines.encode(span.start, encoding), lines.encode(span.end, encoding)
        return {
            "start": {"line": start.line, "character": start.column},
            "end": {"line": end.line, "character": end.column},
        }


def _diagnostic(view: View, places: Places, finding: Finding) -> Json:
    made: Json = {
        "range": places.own(finding.span),
        "severity": SEVERITIES[finding.severity],
        "code": finding.code,
        "source": SOURCE,
        "message": view.sieve.clean(finding.message),
        "data": {"rule": finding.rule, "fix": _fix(view, places, finding.fix)},
    }
    description, tags = _about(finding.rule)
    if description is not None:
        made["codeDescription"] = {"href": description}
    if tags:
        made["tags"] = tags
    if finding.related:
        made["relatedInformation"] = [
            {
                "location": places.find(item.path, item.span),
                "message": view.sieve.clean(item.message),
            }
            for item in finding.related
        ]
    return made


@cache
def _about(rule: str) -> tuple[str | None, list[int]]:
    """Return the address of the page of a rule, and the tags of what it finds."""
    location = page(rule)
    href = (from_fs_path(location) or "") if location else None
    if rule.startswith("unused-"):
        return href, [types.DiagnosticTag.Unnecessary.value]
    if rule.startswith(("deprecated-", "legacy-")):
        return href, [types.DiagnosticTag.Deprecated.value]
    return href, []


def _fix(view: View, places: Places, fix: Fix | None) -> Json | None:
    """Return `{title, safe, edits: [{uri, range, newText}]}`, or None; never with a secret."""
    shows = view.sieve.shows
    if fix is None or any(shows(edit.start, edit.end, edit.new_text) for edit in fix.edits):
        return None
    edits = [
        {**places.find(edit.path, Span(edit.start, edit.end)), "newText": edit.new_text}
        for edit in fix.edits
    ]
    return {"title": view.sieve.clean(fix.title), "safe": fix.safe, "edits": edits}


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
        self._sweeps = 0

    def __call__(self, uri: str | None, wide: bool) -> None:
        """Note a change; without a document results of checks are new, if nothing else."""
        if _pulls(self._server):
            return
        wide = wide or uri is None
        open_ones = self._server.workspace.text_documents
        for one in (uri, *open_ones) if wide else (uri,):
            if one in open_ones:
                self._plan(one, self._publish)
        if wide or uri not in open_ones:
            self._plan("", self._sweep)

    def _plan(self, uri: str, work: Callable[[str], None]) -> None:
        timer = self._timers.pop(uri, None)
        if timer is not None:
            timer.cancel()
        delay = self._server.options.debounce / 1000
        self._timers[uri] = asyncio.get_running_loop().call_later(delay, work, uri)

    def _publish(self, uri: str) -> None:
        del self._timers[uri]
        if uri in self._server.workspace.text_documents:
            self._send(uri, self._server.view(uri))

    def _send(self, uri: str, view: View | None) -> None:
        items = shown(self._server, view) if view is not None else []
        if not items and view is None and uri not in self._shown:
            return
        version = view.version if view is not None else None
        (self._shown.add if items else self._shown.discard)(uri)
        params: Json = {"uri": uri, "diagnostics": items}
        if version is not None:
            params["version"] = version
        self._server.protocol.tell(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params)

    def _sweep(self, _: str) -> None:
        del self._timers[""]
        self._sweeps += 1
        self._server.soon(self._publish_closed(self._sweeps))

    async def _publish_closed(self, sweep: int) -> None:
        """Publish what no editor has open, on wish, and clear what is not to be shown any more."""
        seen = set()
        if self._server.options.scope == "workspace":
            async for uri, view in closed_files(self._server):
                if sweep != self._sweeps:  # a later one is under way
                    return
                seen.add(uri)
                if uri in self._shown or shown(self._server, view):
                    self._send(uri, view)
        for uri in self._shown - seen - self._server.workspace.text_documents.keys():
            self._send(uri, None)


async def closed_files(server: Server) -> AsyncIterator[tuple[str, View]]:
    """Yield the files of all folders that no editor has open, with pauses for other work."""
    for folder in server.projects.folders:
        project = server.projects.of(os.path.join(folder, "x.yaml")).project
        for path in tuple(project.files(folder)):
            if path in server.projects.texts:
                continue
            state = server.projects.of(path)  # a folder within may be a project of its own
            document = state.project.open(path)
            if document is not None:
                uri, linter = server.uri(path), state.linter
                yield uri, View(uri, None, document, linter, server.encoding, state.baseline)
            await asyncio.sleep(0)


def _pulls(server: Server) -> bool:
    text_document = server.client_capabilities.text_document
    return text_document is not None and text_document.diagnostic is not None


def _report(server: Server, view: View, known: str | None) -> Json:
    found = result_id(server, view)
    if known == found:
        return {"kind": "unchanged", "resultId": found}
    return {"kind": "full", "resultId": found, "items": shown(server, view)}


def register(server: Server) -> None:
    """Register the handlers."""
    server.listeners.append(Publisher(server))
    server.listeners.append(
        Refresh(
            server,
            lambda it: it.diagnostics is not None and it.diagnostics.refresh_support is True,
            lambda: server.workspace_diagnostic_refresh_async(None),
        )
    )

    @server.on(
        types.TEXT_DOCUMENT_DIAGNOSTIC,
        types.DiagnosticOptions(
            inter_file_dependencies=True,
            workspace_diagnostics=True,
            identifier=SOURCE,
            work_done_progress=True,
        ),
    )
    async def pull(params: types.DocumentDiagnosticParams) -> Json:
        view = server.view(params.text_document.uri)
        if view is None:
            return {"kind": "full", "items": []}
        return _report(server, view, params.previous_result_id)

    @server.on(types.WORKSPACE_DIAGNOSTIC)
    async def pull_all(params: types.WorkspaceDiagnosticParams) -> Json:
        known = {item.uri: item.value for item in params.previous_result_ids}
        items: list[Json] = []
        if server.options.scope == "workspace":
            async with Progress(server, "linting the workspace", params.work_done_token):
                async for uri, view in closed_files(server):
                    report = _report(server, view, known.get(uri))
                    items.append({"uri": uri, "version": None, **report})
        return {"items": items}
