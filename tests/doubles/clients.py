"""How the tests of the doubles ask them: requests and plain TLS."""

import ssl
from collections.abc import Callable, Mapping
from typing import Any

import requests
import trustme

from tests.doubles.messages import Double
from tests.doubles.server import Server

Serve = Callable[[Double], Server]


def server_context(authority: trustme.CA) -> ssl.SSLContext:
    """What a server needs to prove that it is `127.0.0.1`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def client_context(authority: trustme.CA) -> ssl.SSLContext:
    """What a client needs to believe it."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def get(url: str, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
    """Status and JSON body of a GET."""
    answer = requests.get(url, headers=headers, timeout=5, allow_redirects=False)
    return answer.status_code, answer.json()


def post(url: str, content: Any, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
    """Status and JSON body of a POST of JSON."""
    answer = requests.post(url, json=content, headers=headers, timeout=5)
    return answer.status_code, answer.json()


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}
