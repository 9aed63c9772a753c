"""The server itself, by a client that breaks the rules: every request is answered, it lives on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.raw import Raw

CANARY = "c4n4ry-p4ss"


@pytest.fixture
def raw(tmp_path: Path) -> Iterator[Raw]:
    """A client of a server that is not initialized yet."""
    client = Raw(tmp_path)
    yield client
    client.kill()


BROKEN = f"version: 1\nconnections:\n  mysql:\n    x:\n      host: h\n      password: {CANARY}\n"


def test_requests_before_initialize_are_refused(raw: Raw) -> None:
    """With the code of LSP 3.17; afterwards all is well."""
    answer = raw.request("textDocument/diagnostic", {"textDocument": {"uri": "file:///x"}})
    assert answer["error"]["code"] == -32002
    capabilities = raw.initialize()["result"]["capabilities"]
    assert capabilities["diagnosticProvider"]["interFileDependencies"] is True
    assert capabilities["positionEncoding"] == "utf-16"
    assert raw.end() == (0, "")


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("no/such", {}, -32601),
        ("textDocument/diagnostic", {"textDocument": 5}, -32602),
        ("textDocument/diagnostic", {"wrong": CANARY}, -32602),
        ("textDocument/diagnostic", None, -32602),
        ("workspace/executeCommand", {"command": "no.such", "arguments": [CANARY]}, -32602),
    ],
)
def test_wrong_requests_are_answered(raw: Raw, method: str, params: Any, code: int) -> None:
    """With a code and no text of ours or of theirs; the server lives on."""
    raw.initialize()
    answer = raw.request(method, params)
    assert answer["error"]["code"] == code
    assert answer["error"].get("data") is None
    uri = raw.open("osiris_connections.yaml", BROKEN)
    assert len(raw.pull(uri)) > 0
    code_, errors = raw.end()
    assert code_ == 0
    assert CANARY not in json.dumps(raw.received) + errors


def _framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def _message(**data: Any) -> bytes:
    return _framed(json.dumps({"jsonrpc": "2.0", **data}).encode())


_PLACE = {"textDocument": {"uri": "file:///x.yaml"}, "position": {"line": -1, "character": -1}}
_CHANGE = {
    "textDocument": {"uri": "file:///x.yaml", "version": 2},
    "contentChanges": [{"text": CANARY}],
}


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (_framed(b'{"' + CANARY.encode()), (None, -32700)),
        (_framed(b'{"jsonrpc":"2.0","id":70,"method":"\xff"}'), (None, -32700)),
        (_framed(b'{"jsonrpc":"2.0","id":70,"params":' + b"[" * 99_999 + b"]" * 99_999 + b"}"),
         (None, -32700)),
        (_framed(b"[]"), (None, -32600)),
        (_framed(b"5"), (None, -32600)),
        (_framed(b"null"), (None, -32600)),
        (_framed(b'{"id":70,"method":"shutdown"}'), (70, -32600)),
        (_framed(b'[{"jsonrpc":"2.0","id":70,"method":"shutdown"}]'), (None, -32600)),
        (_message(id={}, method="shutdown"), (None, -32600)),
        (_message(id=None, method="shutdown"), (None, -32600)),
        (_message(id=70, method=5), (70, -32600)),
        (_message(id=70, method="no/such"), (70, -32601)),
        (_message(id=70, method="no/such", params=[CANARY]), (70, -32601)),
        (_message(id=70, method="textDocument/hover", params=_PLACE), (70, -32602)),
        (_message(id=70, method="initialize", params={"capabilities": {}, "processId": None}),
         (70, -32600)),
        (_message(id=70, result={"a": CANARY}), None),
        (_message(id=70, error={"code": 1, "message": CANARY}), None),
        (_message(id=70, error=5), None),
        (_message(method="$/cancelRequest"), None),
        (_message(method="$/cancelRequest", params={"id": 70}), None),
        (_message(method="no/such", params={"method": CANARY}), None),
        (_message(method="textDocument/didOpen", params={"textDocument": CANARY}), None),
        (_message(method="textDocument/didChange", params=_CHANGE), None),
        (_message(method="textDocument/didClose", params=_CHANGE), None),
        (_message(method="window/workDoneProgress/cancel", params={"token": "nobody"}), None),
        (b"Content-Length: -5\r\n\r\n", None),
        (b"Content-Length: many\r\n\r\n", None),
        (b"Content-Length: 0\r\n\r\n", None),
        (b"\r\n\r\nFrom: me\r\n\r\n", None),
    ],
)  # fmt: skip
def test_what_breaks_the_rules_is_answered(
    raw: Raw, sent: bytes, answered: tuple[int | None, int] | None
) -> None:
    """Each request, and what is no message, once; nothing of it comes back, the server lives on."""
    raw.initialize()
    before = len(raw.received)
    assert raw.process.stdin is not None
    raw.process.stdin.write(sent)
    uri = raw.open("osiris_connections.yaml", BROKEN)
    assert len(raw.pull(uri)) > 0
    responses = [item for item in raw.received[before:-1] if "method" not in item]
    assert [(item["id"], item["error"]["code"]) for item in responses] == (
        [answered] if answered is not None else []
    )
    code, errors = raw.end()
    assert code == 0
    assert CANARY not in json.dumps(raw.received) + errors


def test_after_shutdown_only_exit_is_left(raw: Raw) -> None:
    """A request is refused, a notification does nothing, and the exit code is that of success."""
    raw.initialize()
    raw.request("shutdown")
    answer = raw.request("textDocument/hover", {})
    assert answer["error"]["code"] in (-32600, -32602)
    assert raw.request("no/such", {})["error"]["code"] == -32600
    uri = raw.open("osiris_connections.yaml", BROKEN)
    assert raw.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})["error"]
    raw.notify("exit", None)
    assert raw.process.wait(10) == 0


def test_documents_that_are_not_there_have_no_diagnostics(raw: Raw) -> None:
    """Closed, never opened, of a scheme that has no path."""
    raw.initialize()
    for uri in ("file:///nowhere.yaml", "untitled:Untitled-1", "git:/x/y.yaml?ref", "::"):
        assert raw.pull(uri) == []


def test_an_untitled_document_has_diagnostics(raw: Raw) -> None:
    """By its content."""
    raw.initialize()
    item = {"uri": "untitled:Untitled-1", "languageId": "yaml", "version": 1, "text": BROKEN}
    raw.notify("textDocument/didOpen", {"textDocument": item})
    assert len(raw.pull("untitled:Untitled-1")) > 0


def test_huge_documents_are_answered(raw: Raw) -> None:
    """Ten megabytes, and a hundred thousand aliases: limits hold, and the next request works."""
    raw.initialize()
    big = raw.open("osiris_connections.yaml", BROKEN + "# " + "x" * 10_000_000)
    assert [item["code"] for item in raw.pull(big)] == ["OSR010"]
    aliases = "".join(f"    a{number}: *x\n" for number in range(100_000))
    many = raw.open(
        "b/osiris_connections.yaml",
        f"version: 1\nx: &x {{path: p}}\nconnections:\n  duckdb:\n{aliases}",
    )
    assert isinstance(raw.pull(many), list)
    small = raw.open("c/osiris_connections.yaml", BROKEN)
    assert len(raw.pull(small)) > 0
    assert CANARY not in json.dumps(raw.received)


_MANY = 20_000
_LARGE = {
    "connections": "version: 1\nconnections:\n  mysql:\n"
    + "".join(
        f"    a{number}: {{host: h, database: d, user: u, password: '${{PW}}'}}\n"
        for number in range(_MANY)
    ),
    "aliases": "version: 1\nx: &x {path: p}\nconnections:\n  duckdb:\n"
    + "".join(f"    a{number}: *x\n" for number in range(_MANY)),
}


@pytest.mark.parametrize("kind", _LARGE)
def test_other_requests_do_not_wait_for_a_large_document(raw: Raw, kind: str) -> None:
    """Whatever is asked about it, the next request is answered within ten seconds."""
    raw.initialize()
    text = _LARGE[kind]
    assert len(text) < 5_000_000
    uri = raw.open("osiris_connections.yaml", text)
    raw.pull(uri)
    document = {"textDocument": {"uri": uri}}
    position = {"line": 4, "character": 5}
    place = {**document, "position": position}
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": _MANY, "character": 0}}
    asked: dict[str, dict[str, Any]] = {
        "textDocument/hover": place,
        "textDocument/completion": place,
        "textDocument/definition": place,
        "textDocument/references": {**place, "context": {"includeDeclaration": True}},
        "textDocument/documentHighlight": place,
        "textDocument/prepareRename": place,
        "textDocument/codeAction": {
            **document,
            "range": {"start": position, "end": position},
            "context": {"diagnostics": []},
        },
        "textDocument/documentSymbol": document,
        "textDocument/codeLens": document,
        "textDocument/inlayHint": {**document, "range": whole},
        "textDocument/foldingRange": document,
        "textDocument/semanticTokens/full": document,
        "textDocument/documentLink": document,
        "textDocument/selectionRange": {**document, "positions": [position]},
        "workspace/symbol": {"query": "a1"},
        "osiris/connections": {},
    }
    for method, params in asked.items():
        wanted = {raw.ask(method, params): 60.0, raw.ask("no/such"): 10.0}
        start = time.monotonic()
        while wanted:
            message = raw.next(max(wanted.values()))
            assert message is not None, f"no answer to {method}"
            if "method" not in message:
                took = time.monotonic() - start
                assert took < wanted.pop(message["id"]), f"{method}: an answer after {took:.0f} s"
                assert message.get("error", {}).get("code") in (None, -32601, -32803), message


def test_edits_in_every_kind_of_line(raw: Raw) -> None:
    """Incremental changes count in UTF-16, and only CR, LF and CRLF end a line."""
    raw.initialize()
    text = "version: 1\r\nconnections:\n  duckdb:\r    a😀b: {path: x\u2028y}\n"
    uri = raw.open("osiris_connections.yaml", text)
    change = {
        "range": {"start": {"line": 3, "character": 5}, "end": {"line": 3, "character": 7}},
        "text": "c",
    }
    raw.notify(
        "textDocument/didChange",
        {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [change]},
    )
    codes = {item["code"] for item in raw.pull(uri)}
    assert "OSR107" not in codes  # the alias reads `acb` now


def test_a_client_that_dies_takes_the_server_along(tmp_path: Path) -> None:
    """By the end of standard input, and by `processId` where the pipe stays open."""
    raw = Raw(tmp_path)
    raw.initialize()
    assert raw.process.stdin is not None
    raw.process.stdin.close()
    assert raw.process.wait(10) is not None
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    other = Raw(tmp_path)
    other.initialize(processId=parent.pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert other.process.wait(10) == 1
    for client in (raw, other):
        client.kill()


def test_tcp_is_for_this_machine_only(tmp_path: Path) -> None:
    """Another address needs a word more."""
    done = subprocess.run(
        [sys.executable, "-m", "osiris_lsp", "server", "--tcp", "0.0.0.1:2087"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ},
    )
    assert done.returncode == 2
    assert "--allow-remote" in done.stderr
