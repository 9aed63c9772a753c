"""A client as thin as can be: what it adds to a measured time is the same for every server."""

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

DEADLINE: Final = 60.0
_BLANK: Final = b"\r\n\r\n"
DIAGNOSTICS: Final = "textDocument/publishDiagnostics"
CAPABILITIES: Final = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {
        "configuration": True,
        "workspaceFolders": True,
        "didChangeWatchedFiles": {"dynamicRegistration": True},
    },
    "textDocument": {
        "synchronization": {"didSave": True},
        "publishDiagnostics": {"versionSupport": True, "relatedInformation": True},
    },
}

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Server:
    """A server and its settings by section.

    `pulls`: diagnostics are asked for, not awaited; `versioned`: those that come name the version.
    """

    name: str
    command: Sequence[str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    pulls: bool = False
    versioned: bool = True


class Client:
    """One session: the server is started and initialized, which took `start` seconds."""

    def __init__(self, server: Server, folders: Sequence[Path]) -> None:
        self.server = server
        self._received = bytearray()
        self._number = 0
        self._versions: dict[str, int] = {}
        self._shown: list[Any] = []
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the session
        began = time.perf_counter()
        self.process = subprocess.Popen(
            server.command,
            cwd=folders[0],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            bufsize=0,
        )
        capabilities: dict[str, Any] = dict(CAPABILITIES)
        if server.pulls:
            capabilities["textDocument"] = {**capabilities["textDocument"], "diagnostic": {}}
        self._answer(
            *self._request(
                "initialize",
                {
                    "processId": os.getpid(),
                    "rootUri": folders[0].as_uri(),
                    "workspaceFolders": [
                        {"uri": folder.as_uri(), "name": folder.name} for folder in folders
                    ],
                    "capabilities": capabilities,
                },
            )
        )
        self._write(_frame("initialized", {}))
        self.start = time.perf_counter() - began

    def open(self, uri: str, text: str) -> list[Any]:
        """Open a document and return its diagnostics once the server has come to rest."""
        self._versions[uri] = 1
        item = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._write(_frame("textDocument/didOpen", {"textDocument": item}))
        self._shown = self._diagnostics(uri)[1]
        # Settings that arrive late have it validated again.
        while (message := self._read(0.5)) is not None:
            if _publishes(message[1], uri):
                self._shown = message[1]["params"]["diagnostics"]
        return self._shown

    def change(self, uri: str, change: Body) -> tuple[float, list[Any]]:
        """Send a change, and return the seconds until its diagnostics came, and these.

        Those that are published carry the version; where they do not, they are the first after
        the change, and a second one stops the run.
        """
        while (message := self._read(0)) is not None:
            if _publishes(message[1], uri):
                self._repeated(message[1]["params"]["diagnostics"])
        self._versions[uri] += 1
        document = {"uri": uri, "version": self._versions[uri]}
        data = _frame(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [change]}
        )
        began = time.perf_counter()
        self._write(data)
        at, self._shown = self._diagnostics(uri)
        return at - began, self._shown

    def _repeated(self, shown: list[Any]) -> None:
        """Stop where an answer may be taken for another one, or was not the last word."""
        if not self.server.versioned:
            raise SystemExit(f"error: {self.server.name} published twice for one change")
        if shown != self._shown:
            raise SystemExit(f"error: {self.server.name} published other diagnostics later")

    def _diagnostics(self, uri: str) -> tuple[float, list[Any]]:
        if self.server.pulls:
            asked = self._request("textDocument/diagnostic", {"textDocument": {"uri": uri}})
            at, body = self._answer(*asked)
            return at, list(body["result"]["items"])
        version = self._versions[uri]

        def accept(body: Body) -> bool:
            if not _publishes(body, uri):
                return False
            return not self.server.versioned or bool(body["params"].get("version") == version)

        at, body = self._wait(accept, DIAGNOSTICS)
        return at, list(body["params"]["diagnostics"])

    def _request(self, method: str, params: Any) -> tuple[str, int]:
        self._number += 1
        self._write(_frame(method, params, self._number))
        return method, self._number

    def _answer(self, method: str, number: int) -> tuple[float, Body]:
        found = self._wait(lambda body: body.get("id") == number and "method" not in body, method)
        if "error" in found[1]:
            raise SystemExit(f"error: {self.server.name} answers {method}: {found[1]['error']}")
        return found

    def _wait(self, accept: Callable[[Body], bool], what: str) -> tuple[float, Body]:
        end = time.monotonic() + DEADLINE
        while (message := self._read(end - time.monotonic())) is not None:
            if accept(message[1]):
                return message
        raise SystemExit(
            f"error: {self.server.name} did not answer within {DEADLINE:.0f} s: {what}"
        )

    def _read(self, seconds: float) -> tuple[float, Body] | None:
        """Return the next message for us and when it was complete; requests are answered."""
        assert self.process.stdout is not None
        pipe = self.process.stdout.fileno()
        while True:
            header = self._received.find(_BLANK)
            begin = header + len(_BLANK)
            end = begin + _length(self._received[:header]) if header >= 0 else sys.maxsize
            if len(self._received) >= end:
                at = time.perf_counter()
                body: Body = json.loads(self._received[begin:end])
                del self._received[:end]
                if "method" not in body or "id" not in body:
                    return at, body
                self._reply(body)
                continue
            if not select.select([pipe], [], [], max(seconds, 0))[0]:
                return None
            data = os.read(pipe, 1 << 20)
            if not data:
                raise SystemExit(f"error: {self.server.name} ended: {self._last_words()}")
            self._received += data

    def _reply(self, body: Body) -> None:
        result = None
        if body["method"] == "workspace/configuration":
            sections = [item.get("section") for item in body["params"]["items"]]
            result = [self.server.settings.get(section, {}) for section in sections]
        self._write(_encode({"id": body["id"], "result": result}))

    def _write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        view = memoryview(data)
        while view:
            view = view[self.process.stdin.write(view) :]

    def _last_words(self) -> str:
        self._log.seek(0)
        return (self._log.read().decode(errors="replace").strip().splitlines() or ["(no log)"])[-1]

    def end(self) -> None:
        """End the server; how fast it ends is not measured."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self._log):
            if stream is not None:
                stream.close()


def _publishes(body: Body, uri: str) -> bool:
    return body.get("method") == DIAGNOSTICS and bool(body["params"]["uri"] == uri)


def _length(header: bytearray) -> int:
    for line in header.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise SystemExit(f"error: a message without a length: {header!r}")


def _frame(method: str, params: Any, number: int | None = None) -> bytes:
    message = {"method": method, "params": params}
    return _encode(message if number is None else {"id": number, **message})


def _encode(message: Body) -> bytes:
    data = json.dumps({"jsonrpc": "2.0", **message}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(data), data)
