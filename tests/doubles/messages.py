"""What a client sent and what goes back, and the canary that every credential carries."""

import base64
import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

# Part of every valid secret: a text that holds it has leaked one. Also valid base64url.
CANARY = "c4n4ry"


@dataclass(frozen=True)
class Request:
    """What a client sent; `target` is the request target as it stood on the wire."""

    method: str
    target: str
    headers: Message
    body: bytes

    @property
    def path(self) -> str:
        """The decoded path, without the query."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The decoded query; of a repeated name the last value."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def bearer(self) -> str | None:
        """The token of an `Authorization: Bearer` header (RFC 6750 §2.1)."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" and token else None

    @property
    def basic(self) -> tuple[str, str] | None:
        """User and password of an `Authorization: Basic` header (RFC 7617)."""
        return read_basic(self.headers.get("Authorization", ""))

    def json(self) -> Any:
        """The body read as JSON, or None if it is something else."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def form(self) -> dict[str, str]:
        """The body read as `application/x-www-form-urlencoded`."""
        return dict(parse_qsl(self.body.decode("latin-1"), keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    """What goes back; `delay` is seconds before the first byte, the drips are seconds per byte.

    The body is sent `repeat` times over. `raw` is sent in place of an HTTP answer; empty, it hangs
    up. `takeover` gets the socket after the head. A `Content-Length` among `headers` stands, even
    if it is wrong.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    version: str = "HTTP/1.1"
    chunked: bool = False
    repeat: int = 1
    delay: float = 0.0
    drip_head: float = 0.0
    drip_body: float = 0.0
    raw: bytes | None = None
    takeover: Callable[[socket.socket], None] | None = None


Double = Callable[[Request], Answer]


def as_json(status: int, content: object, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with a JSON body; `headers` come on top of the content type."""
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return Answer(status, json.dumps(content).encode(), {**kind, **(headers or {})})


def read_basic(header: str) -> tuple[str, str] | None:
    """User and password of the value of an `Authorization` or `Proxy-Authorization` header."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(token, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (user, password) if colon else None
