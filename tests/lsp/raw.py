"""A client that writes bytes and reads messages, so that it can break every rule."""

import json
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any


class Raw:
    """A server process, and a client that talks to it in order, one request at a time."""

    def __init__(
        self, folder: Path, *arguments: str, errors: int | IO[bytes] = subprocess.PIPE
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "osiris_lsp", "server", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
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
                self._messages.put(json.loads(out.read(size)))
        self._messages.put(None)

    def send(self, message: Any) -> None:
        """Send a message."""
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self.send({"method": method, "params": params})

    def ask(self, method: str, params: Any = None) -> int:
        """Send a request and return its id."""
        self._id += 1
        self.send({"id": self._id, "method": method, "params": params})
        return self._id

    def next(self, timeout: float) -> Any:
        """Return the next message, or None where none comes in time; requests are answered."""
        try:
            message = self._messages.get(timeout=timeout)
        except queue.Empty:
            return None
        assert message is not None, "the server has ended"
        self.note(message)
        if "method" in message and "id" in message:
            self.send({"id": message["id"], "result": self.answer(message)})
        return message

    def note(self, message: Any) -> None:
        """Keep a message that has come."""
        self.received.append(message)

    def answer(self, message: Any) -> Any:
        """Return what a request of the server gets."""
        return None

    def request(self, method: str, params: Any = None) -> Any:
        """Send a request and return its response; what comes in between stays in `received`."""
        wanted = self.ask(method, params)
        end = time.monotonic() + 60
        while (left := end - time.monotonic()) > 0:
            message = self.next(left)
            if message is not None and message.get("id") == wanted and "method" not in message:
                return message
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
        errors = self.process.stderr
        return code, errors.read().decode() if errors is not None else ""

    def kill(self) -> None:
        """End the server whatever it does, and close the pipes to it."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
