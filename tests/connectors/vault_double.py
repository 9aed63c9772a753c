"""A local server that answers as Vault's key-value API, version 2, does.

Source: developer.hashicorp.com/vault/api-docs and /vault/api-docs/secret/kv/kv-v2.
"""

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

Answer = tuple[int, Mapping[str, Any]]


class Vault(ThreadingHTTPServer):
    """Secrets by `mount/data/path` (None: deleted), for one token and one namespace.

    `answer` replaces every answer by a status and a raw body; `requests` holds what was asked.
    """

    daemon_threads = True

    def __init__(self, token: str, secrets: Mapping[str, Mapping[str, Any] | None]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.token = token
        self.namespace: str | None = None
        self.sealed = False
        self.secrets = secrets
        self.answer: tuple[int, bytes, Mapping[str, str]] | None = None
        self.requests: list[tuple[str, Message]] = []
        self.scheme = "http"

    @property
    def url(self) -> str:
        """The address for `VAULT_ADDR`."""
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def reply(self, path: str, headers: Message) -> Answer:
        """Return the status and body for a path below `/v1/`."""
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if headers["X-Vault-Namespace"] != self.namespace:
            return 403, {"errors": ["preflight capability check returned 403"]}
        if headers["X-Vault-Token"] != self.token:
            return 403, {"errors": ["2 errors occurred:\n\t* permission denied\n\t* invalid token"]}
        mounts = {name.partition("/data/")[0] for name in self.secrets}
        if path.partition("/data/")[0] not in mounts:
            return 404, {"errors": [f'no handler for route "{path}". route entry not found.']}
        if path not in self.secrets:
            return 404, {"errors": []}
        values = self.secrets[path]
        metadata = {"version": 1, "deletion_time": "" if values else "2026-01-01T00:00:00Z"}
        body = {"request_id": "1", "data": {"data": values, "metadata": metadata}}
        return 200 if values else 404, body


class _Handler(BaseHTTPRequestHandler):
    server: Vault

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers))
        headers: Mapping[str, str] = {"Content-Type": "application/json"}
        if self.server.answer is None:
            status, body = self.server.reply(unquote(self.path.removeprefix("/v1/")), self.headers)
            raw = json.dumps(body).encode()
        else:
            status, raw, headers = self.server.answer
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(raw))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""


@contextmanager
def running(
    token: str,
    secrets: Mapping[str, Mapping[str, Any] | None],
    tls: ssl.SSLContext | None = None,
) -> Iterator[Vault]:
    """Run a Vault double on a free port of the loopback device."""
    with Vault(token, secrets) as server:
        if tls:
            server.scheme = "https"
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
