"""A real client over standard input and output, as three editors would be it."""

import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

from osiris_lsp.text import Encoding, LineIndex, Position
from tests.cli.conftest import write

CONNECTIONS = """\
# 😀 ours
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      port: 3306
      database: shop
      user: reader
      password: ${MYSQL_DEFAULT_PASSWORD}
      default: true
    replica: {host: db2.example.com, database: shop, user: reader, password: "${REPLICA_PASSWORD}"}
  duckdb:
    local:
      path: ./local.duckdb
"""

PIPELINE = """\
# 😀 orders
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config:
      connection: "@mysql.default"
      table: orders
  - id: write-orders
    component: filesystem.csv_writer
    mode: write
    needs: [extract-orders]
    config:
      path: ./orders.csv
"""

PROFILES = {"visual_studio_code": "utf-16", "neovim@0.11": "utf-8", "emacs": "utf-32"}


def capabilities(name: str) -> types.ClientCapabilities:
    """What an editor can do: VS Code pulls today, the others as pytest-lsp knows them."""
    found = client_capabilities(name)
    found.general = found.general or types.GeneralClientCapabilities()
    found.general.position_encodings = [types.PositionEncodingKind(PROFILES[name])]
    assert found.workspace is not None
    found.workspace.configuration = True
    found.window = found.window or types.WindowClientCapabilities()
    found.window.work_done_progress = True
    if name == "visual_studio_code":
        assert found.text_document is not None
        found.text_document.diagnostic = types.DiagnosticClientCapabilities()
        found.workspace.diagnostics = types.DiagnosticWorkspaceClientCapabilities(True)
    return found


class Editor:
    """A client with a project: opens files, and turns places in texts into positions."""

    def __init__(self, client: LanguageClient, folder: Path, encoding: Encoding) -> None:
        self.client = client
        self.folder = folder
        self.encoding: Encoding = encoding
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}

    def uri(self, name: str) -> str:
        """Return the URI of a file of the project."""
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str | None = None) -> str:
        """Open a file, with another text than that of the disk if one is given."""
        uri = self.uri(name)
        shown = (self.folder / name).read_text() if text is None else text
        self.texts[uri], self.versions[uri] = shown, 1
        item = types.TextDocumentItem(uri, "yaml", 1, shown)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def change(self, uri: str, text: str) -> None:
        """Replace the text of an open file."""
        self.texts[uri] = text
        self.versions[uri] += 1
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self.versions[uri], uri),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    def at(self, uri: str, before: str, shift: int = 0) -> types.Position:
        """Return the position right behind a piece of text that is there once."""
        text = self.texts[uri]
        assert text.count(before) == 1, f"{before!r} is there {text.count(before)} times"
        offset = text.index(before) + len(before) + shift
        return types.Position(*LineIndex(text).encode(offset, self.encoding))

    def text(self, uri: str, range_: types.Range) -> str:
        """Return the text of a range."""
        lines = LineIndex(self.texts.get(uri) or Path(uri.removeprefix("file://")).read_text())
        start, end = (
            lines.decode(Position(at.line, at.character), self.encoding)
            for at in (range_.start, range_.end)
        )
        return lines.text[start:end]

    @property
    def pulls(self) -> bool:
        """Whether this client pulls diagnostics."""
        found = self.client.capabilities
        text_document = found.text_document if found is not None else None
        return text_document is not None and text_document.diagnostic is not None

    async def diagnostics(self, uri: str) -> list[types.Diagnostic]:
        """Return the diagnostics of an open file: pulled, or those that were pushed last."""
        if self.pulls:
            report = await self.client.text_document_diagnostic_async(
                types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
            )
            items: Any = report
            return list(items.items)
        await self.settle()
        return list(self.client.diagnostics.get(uri, []))

    async def settle(self) -> None:
        """Wait until the server has done what it was told so far.

        Each answer takes a turn of its loop at least. The longest chain of timers without a delay
        (lint, compare what is used, plan anew, publish, ask the client) takes seven.
        """
        protocol: Any = self.client.protocol
        for _ in range(12):
            with contextlib.suppress(JsonRpcException):
                await protocol.send_request_async("osiris/noSuchMethod", None)

    def document(self, uri: str) -> types.TextDocumentIdentifier:
        """Return the identifier of a file."""
        return types.TextDocumentIdentifier(uri)


def apply(text: str, edits: Sequence[types.TextEdit], encoding: Encoding) -> str:
    """Return a text after edits, all of which are about the text before."""
    lines = LineIndex(text)
    spans = [
        [lines.decode(Position(at.line, at.character), encoding) for at in (r.start, r.end)]
        for r in (edit.range for edit in edits)
    ]
    for (start, end), edit in reversed(list(zip(spans, edits, strict=True))):
        text = text[:start] + edit.new_text + text[end:]
    return text


REFRESHES = (
    types.WORKSPACE_CODE_LENS_REFRESH,
    types.WORKSPACE_DIAGNOSTIC_REFRESH,
    types.WORKSPACE_INLAY_HINT_REFRESH,
)
"""Requests of the server to show something anew, which the client of pytest-lsp does not know."""

SERVER = ClientServerConfig(server_command=[sys.executable, "-m", "osiris_lsp", "server"])


@pytest.fixture
def project_folder(tmp_path: Path) -> Path:
    """A project that lints clean."""
    write(tmp_path, {"osiris_connections.yaml": CONNECTIONS, "pipelines/orders.yaml": PIPELINE})
    (tmp_path / ".git").mkdir()
    return tmp_path


@pytest_lsp.fixture(params=list(PROFILES), config=SERVER)
async def editor_client(
    request: pytest.FixtureRequest, lsp_client: LanguageClient, project_folder: Path
) -> AsyncIterator[None]:
    """A session of one of the editors in the project."""

    @lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def registered(params: types.RegistrationParams) -> None:
        """Accept what the server registers."""

    def refreshed(params: None) -> None:
        """Request nothing anew."""

    for method in REFRESHES:
        if method not in lsp_client.protocol.fm.features:
            lsp_client.feature(method)(refreshed)
    lsp_client.set_configuration({"osiris": {"lint": {"debounce": 0}}})
    folder = types.WorkspaceFolder(project_folder.as_uri(), "project")
    await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=capabilities(request.param),
            workspace_folders=[folder],
            initialization_options={"workspaceTrusted": True, "lint": {"debounce": 0}},
        )
    )
    yield
    await lsp_client.shutdown_session()


@pytest.fixture
def editor(editor_client: LanguageClient, project_folder: Path) -> Editor:
    """The editor with the project."""
    found = editor_client.capabilities
    general: Any = found.general if found is not None else None
    return Editor(editor_client, project_folder, general.position_encodings[0].value)
