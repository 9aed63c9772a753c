"""A forward proxy: tunnels and absolute-form requests (RFC 9110 §9.3.6, RFC 9112 §3.2.2)."""

import contextlib
import http.client
import selectors
import socket
from urllib.parse import urlsplit

from tests.doubles.faults import PROXY_AUTHENTICATION
from tests.doubles.messages import CANARY, Answer, Request, read_basic

USERNAME = "proxyuser"
PASSWORD = f"pr@xy-{CANARY}"
SECONDS = 10.0


class Proxy:
    """A proxy that counts; `target` is where every name leads, as the tests have no DNS.

    `tunnels` and `forwards` hold the authorities that were let through.
    """

    def __init__(
        self,
        credentials: tuple[str, str] | None = None,
        target: tuple[str, int] | None = None,
    ) -> None:
        self.tunnels: list[str] = []
        self.forwards: list[str] = []
        self._credentials = credentials
        self.target = target

    def __call__(self, request: Request) -> Answer:
        """Authenticate, then tunnel or forward."""
        sent = read_basic(request.headers.get("Proxy-Authorization", ""))
        if self._credentials is not None and sent != self._credentials:
            return PROXY_AUTHENTICATION
        url = urlsplit(f"//{request.target}" if request.method == "CONNECT" else request.target)
        if url.hostname is None:
            return Answer(400)
        address = self.target or (url.hostname, url.port or 80)
        if request.method != "CONNECT":
            return self._forward(request, address, url.netloc)
        try:
            upstream = socket.create_connection(address, SECONDS)
        except OSError:
            return Answer(502)
        self.tunnels.append(request.target)
        return Answer(200, takeover=lambda client: _tunnel(client, upstream))

    def _forward(self, request: Request, address: tuple[str, int], authority: str) -> Answer:
        dropped = {"proxy-authorization", "proxy-connection", "connection"}
        headers = {k: v for k, v in request.headers.items() if k.lower() not in dropped}
        url = urlsplit(request.target)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        upstream = http.client.HTTPConnection(*address, timeout=SECONDS)
        with contextlib.closing(upstream):
            try:
                upstream.request(request.method, path, request.body or None, headers)
                answer = upstream.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException):
                return Answer(502)
        self.forwards.append(authority)
        kept = {"content-type", "location", "www-authenticate", "retry-after"}
        passed = {name: value for name, value in answer.getheaders() if name.lower() in kept}
        return Answer(answer.status, body, passed)


def _tunnel(client: socket.socket, upstream: socket.socket) -> None:
    """Carry bytes both ways until one side ends."""
    other = {client: upstream, upstream: client}
    with upstream, selectors.DefaultSelector() as selector:
        for side in other:
            selector.register(side, selectors.EVENT_READ)
        while ready := selector.select(SECONDS):
            for event, _ in ready:
                source = event.fileobj
                assert isinstance(source, socket.socket)
                data = source.recv(65536)
                if not data:
                    return
                other[source].sendall(data)
