"""A session that uses all that the server can do is LSP 3.17 to the letter, in both directions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.lsp.server import Server
from tests.cli.conftest import write
from tests.lsp import metamodel
from tests.lsp.conftest import CONNECTIONS, PIPELINE
from tests.lsp.metamodel import Message, violations
from tests.lsp.raw import Raw
from tests.services.faults import mute

_SECRET = "c4n4ry-tractor-9"
_REFRESHED = {"refreshSupport": True}

CAPABILITIES: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-16"]},
    "window": {"workDoneProgress": True, "showMessage": {}},
    "workspace": {
        "applyEdit": True,
        "workspaceFolders": True,
        "configuration": True,
        "workspaceEdit": {
            "documentChanges": True,
            "resourceOperations": ["create"],
            "changeAnnotationSupport": {"groupsOnLabel": True},
        },
        "didChangeWatchedFiles": {"dynamicRegistration": True},
        "codeLens": _REFRESHED,
        "inlayHint": _REFRESHED,
        "semanticTokens": _REFRESHED,
        "diagnostics": _REFRESHED,
    },
    "textDocument": {
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "completion": {
            "completionItem": {
                "snippetSupport": True,
                "documentationFormat": ["markdown"],
                "resolveSupport": {"properties": ["documentation"]},
            }
        },
        "codeAction": {
            "dataSupport": True,
            "isPreferredSupport": True,
            "resolveSupport": {"properties": ["edit"]},
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "source"]}},
        },
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "rename": {"prepareSupport": True},
        "publishDiagnostics": {
            "relatedInformation": True,
            "versionSupport": True,
            "codeDescriptionSupport": True,
            "dataSupport": True,
        },
        "foldingRange": {"lineFoldingOnly": False},
        "inlayHint": {},
    },
}

PULLING = {
    **CAPABILITIES,
    "textDocument": {
        **CAPABILITIES["textDocument"],
        "diagnostic": {"relatedDocumentSupport": True},
    },
}


class Recorded(Raw):
    """A client that keeps what goes to and fro, and a user who agrees to all."""

    def __init__(self, folder: Path) -> None:
        self.session: list[Message] = []
        super().__init__(folder)

    def send(self, message: Any) -> None:
        """Send a message and keep it; what has no parameters has no member for them."""
        sent = {key: value for key, value in message.items() if (key, value) != ("params", None)}
        self.session.append(Message("client", {"jsonrpc": "2.0", **sent}))
        super().send(sent)

    def note(self, message: Any) -> None:
        """Keep a message of the server."""
        self.session.append(Message("server", message))
        super().note(message)

    def answer(self, message: Any) -> Any:
        """Return what the user, or the editor, says to a request."""
        if message["method"] == "workspace/configuration":
            settings = {"lint": {"debounce": 0, "scope": "workspace"}, "doctor": {"timeout": 1}}
            return [settings for _ in message["params"]["items"]]
        if message["method"] == "window/showMessageRequest":
            return {"title": "Allow"}
        if message["method"] == "workspace/applyEdit":
            return {"applied": True}
        return None

    def until(self, method: str, token: str | None = None) -> None:
        """Read on until the server has sent something of a method, and about a token if given."""
        while not any(
            item.data.get("method") == method
            and token in (None, item.data["params"].get("token") if token else None)
            for item in self.session
        ):
            assert self.next(20) is not None, f"no {method} came"

    def command(self, name: str, *arguments: Any, **more: Any) -> Any:
        """Run a command."""
        params = {"command": name, "arguments": list(arguments), **more}
        return self.request("workspace/executeCommand", params)


def _place(text: str, before: str) -> dict[str, int]:
    assert text.count(before) == 1, f"{before!r} is there {text.count(before)} times"
    head = text[: text.index(before) + len(before)]
    line = head.rpartition("\n")[2]
    return {"line": head.count("\n"), "character": len(line.encode("utf-16-le")) // 2}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder with findings of many kinds and a server that never answers; its connections."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    folder = tmp_path / "work"
    with mute() as silent:
        text = (
            CONNECTIONS.replace("host: db.example.com", f"host: {silent.host}")
            .replace("port: 3306", f"port: {silent.port}")
            .replace("${MYSQL_DEFAULT_PASSWORD}", f"{_SECRET} # 😀")
            .replace("path: ./local.duckdb", "path: ./local.duckdb\n      colour: red")
        )
        broken = PIPELINE.replace("@mysql.default", "@mysql.defalt")
        files = {"osiris_connections.yaml": text, "pipelines/orders.yaml": PIPELINE}
        write(folder, {**files, "pipelines/broken.yaml": broken})
        (folder / ".git").mkdir()
        yield folder, text


def _whole(text: str) -> dict[str, Any]:
    return {"start": {"line": 0, "character": 0}, "end": {"line": text.count("\n"), "character": 0}}


def _features(client: Recorded, uri: str, text: str, name: str, field: str) -> None:
    """Send every request about a document: at a name that is used, and behind a field."""
    document = {"textDocument": {"uri": uri}}
    at = {**document, "position": _place(text, name)}
    client.request("textDocument/hover", {**at, "workDoneToken": 1})
    client.request("textDocument/hover", {**document, "position": _place(text, field)})
    for place in (at, {**document, "position": _place(text, field)}):
        for item in client.request("textDocument/completion", place)["result"]["items"][:3]:
            client.request("completionItem/resolve", item)
    client.request("textDocument/definition", at)
    client.request(
        "textDocument/references",
        {**at, "context": {"includeDeclaration": True}, "workDoneToken": f"refs {uri}"},
    )
    client.request("textDocument/documentHighlight", at)
    assert client.request("textDocument/prepareRename", at)["result"]
    assert client.request("textDocument/rename", {**at, "newName": "main"})["result"]
    assert "error" in client.request("textDocument/rename", {**at, "newName": "not a name"})
    client.request("textDocument/documentSymbol", document)
    client.request("textDocument/foldingRange", document)
    client.request("textDocument/selectionRange", {**document, "positions": [at["position"]]})
    client.request("textDocument/documentLink", document)
    client.request("textDocument/inlayHint", {**document, "range": _whole(text)})
    for lens in client.request("textDocument/codeLens", document)["result"]:
        client.request("codeLens/resolve", lens)
    tokens = client.request("textDocument/semanticTokens/full", document)["result"]
    client.request(
        "textDocument/semanticTokens/full/delta",
        {**document, "previousResultId": tokens["resultId"]},
    )
    client.request("textDocument/semanticTokens/range", {**document, "range": _whole(text)})


def _diagnostics(client: Recorded, uri: str, pulls: bool) -> list[Any]:
    if pulls:
        result = client.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})["result"]
        again = {"textDocument": {"uri": uri}, "previousResultId": result["resultId"]}
        client.request("textDocument/diagnostic", again)
        return list(result["items"])
    client.until("textDocument/publishDiagnostics")
    pushed = [
        item.data["params"]["diagnostics"]
        for item in client.session
        if item.data.get("method") == "textDocument/publishDiagnostics"
        and item.data["params"]["uri"] == uri
    ]
    return list(pushed[-1])


def _actions(client: Recorded, uri: str, text: str, diagnostics: list[Any]) -> None:
    document = {"textDocument": {"uri": uri}}
    assert diagnostics
    for found in diagnostics:
        params = {**document, "range": found["range"], "context": {"diagnostics": [found]}}
        for action in client.request("textDocument/codeAction", params)["result"]:
            if "kind" in action and "command" not in action:
                client.request("codeAction/resolve", action)
    context = {"diagnostics": [], "only": ["source.fixAll"], "triggerKind": 1}
    client.request(
        "textDocument/codeAction", {**document, "range": _whole(text), "context": context}
    )


def _commands(client: Recorded, uri: str, text: str) -> None:
    """Run every command, well and badly, with either token, and cancel one in both ways."""
    one = {"ids": ["@mysql.default"]}
    client.command("osiris.trust", one)
    assert client.command("osiris.doctor", one)["result"][0]["ok"] is False
    client.command("osiris.doctor", {"ids": ["@duckdb.local"]}, workDoneToken="mine")
    assert "error" in client.command("osiris.doctor", {"ids": ["@mysql.nobody"]})
    assert "error" in client.command("no.such")
    params = {"command": "osiris.doctor", "arguments": [one], "workDoneToken": "a"}
    client.notify("$/cancelRequest", {"id": client.ask("workspace/executeCommand", params)})
    client.ask("workspace/executeCommand", {**params, "workDoneToken": "b"})
    client.until("$/progress", "b")
    client.notify("window/workDoneProgress/cancel", {"token": "b"})
    client.command("osiris.showResolved", {"id": "@mysql.default"})
    client.command("osiris.explainRule", {"rule": "OSR219"})
    client.command("osiris.debugInformation")
    place = {"uri": uri, "position": _place(text, "password: c4n")}
    assert "error" not in client.command("osiris.moveSecretToEnv", place)


def _session(folder: Path, text: str, capabilities: Any) -> list[Message]:
    client = Recorded(folder)
    try:
        assert client.request("textDocument/hover", {
            "textDocument": {"uri": "file:///x"}, "position": {"line": 0, "character": 0},
        })["error"]["code"] == -32002  # fmt: skip
        folders = [{"uri": folder.as_uri(), "name": "work"}]
        client.initialize(capabilities=capabilities, workspaceFolders=folders)
        client.until("client/registerCapability")
        pulls = "diagnostic" in capabilities["textDocument"]
        connections = client.open("osiris_connections.yaml", text)
        pipeline = client.open("pipelines/orders.yaml", PIPELINE)
        _features(client, connections, text, "  mysql:\n    defau", "user: reader\n      pass")
        _features(client, pipeline, PIPELINE, "@mysql.def", "table: ord")
        _actions(client, connections, text, _diagnostics(client, connections, pulls))
        client.request("workspace/symbol", {"query": "mysql", "workDoneToken": "symbols"})
        known = {"previousResultIds": [], "workDoneToken": "all"}
        for report in client.request("workspace/diagnostic", known)["result"]["items"]:
            ids = [{"uri": report["uri"], "value": report["resultId"]}]
            client.request("workspace/diagnostic", {"previousResultIds": ids})
        _commands(client, connections, text)
        listed = client.request("osiris/connections", {})["result"]
        client.request("osiris/usages", {"id": listed[0]["id"]})
        client.request("osiris/addConnection", {"family": "duckdb", "alias": "more"})
        client.notify("osiris/workspaceTrusted", {"trusted": True})
        client.notify("$/setTrace", {"value": "off"})
        item = {"uri": pipeline, "version": 2}
        changes = [{"range": _whole("# 😀 orders\n"), "text": "# 😀😀\n"}]
        client.notify("textDocument/didChange", {"textDocument": item, "contentChanges": changes})
        client.notify("textDocument/didSave", {"textDocument": {"uri": pipeline}})
        client.notify("textDocument/didClose", {"textDocument": {"uri": pipeline}})
        client.notify("workspace/didChangeConfiguration", {"settings": {"osiris": {"bad": 1}}})
        watched = [{"uri": (folder / ".env").as_uri(), "type": 2}]
        client.notify("workspace/didChangeWatchedFiles", {"changes": watched})
        event = {"event": {"added": folders, "removed": []}}
        client.notify("workspace/didChangeWorkspaceFolders", event)
        client.until("workspace/codeLens/refresh")
        client.until("window/logMessage")
        assert "error" in client.request("no/such")
        assert client.end()[0] == 0
        return client.session
    finally:
        client.kill()


@pytest.fixture(scope="session")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The definitions of LSP 3.17, and what checks against them."""
    return metamodel.install(tmp_path_factory.mktemp("metamodel"))


# What is no part of LSP: a method that nobody has, asked for on purpose.
_FOREIGN = "no/such"


@pytest.mark.parametrize("capabilities", [CAPABILITIES, PULLING], ids=["push", "pull"])
def test_a_session_is_lsp_to_the_letter(
    project: tuple[Path, str], definitions: Path, capabilities: Any
) -> None:
    """It uses every method and command that the server has; no message breaks the protocol."""
    folder, text = project
    session = _session(folder, text, capabilities)
    methods = {item.data["method"] for item in session if "method" in item.data}
    features = {*Server().protocol.fm.features, *Server().protocol.fm.builtin_features}
    unused = {name for name in features if not name.startswith("notebookDocument/")} - methods
    if capabilities is CAPABILITIES:
        unused.discard("textDocument/diagnostic")
    assert unused == set()
    commands = {item.data["params"]["command"] for item in session
                if item.data.get("method") == "workspace/executeCommand"}  # fmt: skip
    assert set(Server().protocol.fm.commands) <= commands
    sent = {item.data["method"] for item in session
            if item.sender == "server" and "method" in item.data}  # fmt: skip
    assert {"$/progress", "window/workDoneProgress/create", "window/showMessageRequest"} <= sent
    assert {"workspace/applyEdit", "workspace/configuration", "client/registerCapability"} <= sent
    cancelled = [item for item in session if item.data.get("error", {}).get("code") == -32800]
    assert len(cancelled) == 2
    lsp = [item for item in session if item.data.get("method") != _FOREIGN]
    assert violations(definitions, lsp) == []


def test_violations_are_found(definitions: Path) -> None:
    """Unknown and missing members, wrong types, answers and envelopes, methods that nobody has."""
    place = {"line": 0, "character": 1}
    asked = {"textDocument": {"uri": "a"}, "position": place}

    def message(sender: str, **data: Any) -> Message:
        return Message(sender, {"jsonrpc": "2.0", **data})

    good = [
        message("client", id=1, method="textDocument/hover", params=asked),
        message("server", id=1, result={"contents": "x"}),
        message("client", id=2, method="shutdown"),
        message("server", id=2, result=None),
        message("server", id=2, method="workspace/codeLens/refresh"),
        message("client", id=2, result=None),
    ]
    assert violations(definitions, good) == []
    bad = [
        message("server", id=1, result={"contents": "x", "wrong": 1}),
        message("server", id=1, result={"range": {"start": place, "end": place}}),
        message("server", id=2, result={}),
        message("server", method="$/progress", params={"token": 1, "value": {"kind": "x"}}),
        message("server", method="textDocument/hover", params=None),
        message("client", method="textDocument/didSave", params={"textDocument": {"uri": 1}}),
        message("client", method="exit", params={}),
        message("client", method=_FOREIGN),
        message("server", id=1, result=None, error={"code": 1, "message": "x"}),
        message("server", id=1, error={"code": 1, "message": "x", "more": 1}),
        message("client", method="$/cancelRequest", params={"id": -1}),
    ]
    found = violations(definitions, [*good, *bad])
    for item in bad:
        assert any(str(item.data) in text for text in found), item
