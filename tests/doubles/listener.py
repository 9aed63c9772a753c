"""A TCP server on a free port of the loopback that closes all that it opened."""

import contextlib
import socket
import socketserver
import ssl
import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self

# No test waits this long: it only ends a connection that a failed test left open.
IDLE_SECONDS = 30.0


class Listener(ABC):
    """Accepts connections, one thread each, while inside its `with`; `host` may be `::1`.

    `connections` counts the accepted ones; `closing` is set at the end, for whoever waits.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.connections = 0
        self.tls = tls
        self.closing = threading.Event()
        self._sockets = _Sockets(self, host)
        self.host, self.port = host, int(self._sockets.server_address[1])
        self._thread = threading.Thread(target=self._sockets.serve_forever, args=(0.02,))

    @abstractmethod
    def converse(self, connection: socket.socket) -> None:
        """Serve one connection until it ends; an `OSError` ends it too."""

    @property
    def authority(self) -> str:
        """Host and port, as they stand in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._sockets.shutdown()
        self._sockets.disconnect()
        self._sockets.server_close()
        self._thread.join()


class _Sockets(socketserver.ThreadingTCPServer):
    """The listening socket and every connection that it accepted."""

    allow_reuse_address = True
    daemon_threads = False  # `server_close` then waits for the threads
    request_queue_size = 64

    def __init__(self, owner: Listener, host: str) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._owner = owner
        self._open: set[socket.socket] = set()
        super().__init__((host, 0), socketserver.BaseRequestHandler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Count and track a connection before its thread starts."""
        self._owner.connections += 1
        request.settimeout(IDLE_SECONDS)
        self._open.add(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection; the TLS handshake is here, so that a silent client blocks none."""
        with contextlib.suppress(OSError), request:
            if self._owner.tls is None:
                self._owner.converse(request)
            else:
                self._converse_encrypted(request, self._owner.tls)
        self._open.discard(request)

    def _converse_encrypted(self, plain: socket.socket, tls: ssl.SSLContext) -> None:
        with tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as connection:
            self._open.add(connection)
            try:
                # After `add`: `disconnect` may have passed before, and found the plain one gone.
                if not self._owner.closing.is_set():
                    connection.do_handshake()
                    self._owner.converse(connection)
            finally:
                self._open.discard(connection)

    def disconnect(self) -> None:
        """End every connection, so that the threads that read from them end."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                # Not `SSLSocket.shutdown`: it takes the TLS state from under the other thread.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
