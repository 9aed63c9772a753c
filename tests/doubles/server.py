"""A local HTTP(S) server that records what it is asked and answers what a double says."""

import contextlib
import socket
import ssl
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.doubles.listener import Listener
from tests.doubles.messages import Answer, Double, Request


class Server(Listener):
    """A double behind HTTP, or HTTPS with `tls`; `requests` is what was asked, oldest first."""

    def __init__(
        self, double: Double, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> None:
        super().__init__(tls=tls, host=host)
        self.requests: list[Request] = []
        self._double = double
        self._next: deque[Answer] = deque()
        self._always: Answer | None = None

    @property
    def url(self) -> str:
        """Scheme and authority, without a slash at the end."""
        return f"{'https' if self.tls else 'http'}://{self.authority}"

    def always(self, answer: Answer | None) -> None:
        """Give this answer from now on, whatever is asked; None: the double answers again."""
        self._always = answer

    def next(self, *answers: Answer) -> None:
        """Give these answers to the next requests, one each, before anything else."""
        self._next.extend(answers)

    def answer(self, request: Request) -> Answer:
        """Record a request and say what goes back."""
        self.requests.append(request)
        with contextlib.suppress(IndexError):
            return self._next.popleft()
        return self._always or self._double(request)

    def converse(self, connection: socket.socket) -> None:
        """Answer the requests of one connection, one after the other."""
        _Exchange(connection, self)


class _Exchange(BaseHTTPRequestHandler):
    """The requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"

    def __init__(self, connection: socket.socket, owner: Server) -> None:
        self._owner = owner
        # The two that the base class asks for are read by its log alone.
        super().__init__(connection, ("", 0), None)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Callable[[], None]:
        # `BaseHTTPRequestHandler` looks for `do_GET` and the like: a double sees every method.
        if name.startswith("do_"):
            return self._exchange
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the output of pytest is for failures."""

    def _exchange(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self._owner.answer(Request(self.command, self.path, self.headers, body))
        self._pause(answer.delay)
        if answer.raw is not None:
            self.wfile.write(answer.raw)
        else:
            self._write(_head(answer), answer.drip_head)
            if answer.takeover is not None:
                answer.takeover(self.connection)
            elif self.command != "HEAD":
                self._send_body(answer)
        if _ends_connection(answer):
            self.close_connection = True

    def _send_body(self, answer: Answer) -> None:
        for _ in range(answer.repeat):
            chunk = b"%x\r\n%s\r\n" % (len(answer.body), answer.body)
            self._write(chunk if answer.chunked else answer.body, answer.drip_body)
        if answer.chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _write(self, data: bytes, drip: float) -> None:
        if not drip:
            self.wfile.write(data)
            return
        for byte in data:
            self.wfile.write(bytes((byte,)))
            self._pause(drip)

    def _pause(self, seconds: float) -> None:
        if seconds and self._owner.closing.wait(seconds):
            raise ConnectionAbortedError("the double closes")


def _ends_connection(answer: Answer) -> bool:
    return (
        answer.raw is not None
        or answer.takeover is not None
        or answer.version == "HTTP/1.0"
        or "Content-Length" in answer.headers
        or answer.headers.get("Connection", "").lower() == "close"
    )


def _head(answer: Answer) -> bytes:
    phrase = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else "Unassigned"
    headers = dict(answer.headers)
    if answer.chunked:
        headers["Transfer-Encoding"] = "chunked"
    elif answer.takeover is None and answer.version != "HTTP/1.0":
        headers.setdefault("Content-Length", str(len(answer.body) * answer.repeat))
    lines = [f"{answer.version} {answer.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
