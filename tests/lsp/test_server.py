"""The server itself, by a client that breaks the rules: every request is answered, it lives on."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CANARY = "c4n4ry-p4ss"


class Raw:
    """A client that writes bytes and reads messages."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "osiris_lsp", "server", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
        )
        self.folder = folder
        self.received: list[Any] = []
        self._messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._id = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        out = self.process.stdout
        assert out is not None
        while line := out.readline():
            if line.lower().startswith(b"content-length:"):
                size = int(line.split(b":")[1])
                while out.readline().strip():
                    pass
                message = json.loads(out.read(size))
                self.received.append(message)
                self._messages.put(message)

    def send(self, message: Any) -> None:
        """Send a message."""
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self.send({"method": method, "params": params})

    def request(self, method: str, params: Any = None) -> Any:
        """Send a request and return its response; what comes in between stays in `received`."""
        self._id += 1
        self.send({"id": self._id, "method": method, "params": params})
        end = time.monotonic() + 20
        while time.monotonic() < end:
            message = self._messages.get(timeout=20)
            if message.get("id") == self._id and "method" not in message:
                return message
            if "method" in message and "id" in message:  # a request of the server
                self.send({"id": message["id"], "result": None})
        raise AssertionError("no answer")

    def initialize(self, **more: Any) -> Any:
        """Say hello."""
        params = {"processId": None, "rootUri": self.folder.as_uri(), "capabilities": {}, **more}
        answer = self.request("initialize", params)
        self.notify("initialized", {})
        return answer

    def open(self, name: str, text: str) -> str:
        """Open a document and return its URI."""
        uri = (self.folder / name).as_uri()
        item = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})
        return uri

    def pull(self, uri: str) -> list[Any]:
        """Return the diagnostics of a document."""
        answer = self.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})
        return list(answer["result"]["items"])

    def end(self) -> tuple[int, str]:
        """Shut down, and return the exit code and what was written to standard error."""
        self.request("shutdown")
        self.notify("exit", None)
        code = self.process.wait(10)
        assert self.process.stderr is not None
        return code, self.process.stderr.read().decode()


@pytest.fixture
def raw(tmp_path: Path) -> Iterator[Raw]:
    """A client of a server that is not initialized yet."""
    client = Raw(tmp_path)
    yield client
    client.process.kill()
    client.process.wait()
    for stream in (client.process.stdin, client.process.stdout, client.process.stderr):
        if stream is not None:
            stream.close()


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
        for stream in (client.process.stdin, client.process.stdout, client.process.stderr):
            if stream is not None and not stream.closed:
                stream.close()


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
