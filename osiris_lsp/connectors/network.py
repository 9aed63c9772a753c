"""Name lookup and TCP under one deadline: sockets that drivers and HTTP are built on."""

import contextlib
import errno
import os
import selectors
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from osiris_lsp.connectors.errors import ConnectorConfigError, ConnectorNetworkError
from osiris_lsp.connectors.health import Check, Deadline

MAX_LOOKUPS: Final = 64
"""Name lookups that may be under way at once; one that hangs cannot be stopped."""

_STAGGER: Final = 0.25
"""Seconds until the next address of a host is tried beside the one before (RFC 8305)."""

_FIRST: Final = 64

Address = tuple[int, Any]
"""An address family and a socket address."""


class _Lookup:
    """A name lookup under way, shared by all checks that want it."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.addresses: Sequence[Address] = ()
        self.error: Exception | None = None


_lookups: dict[tuple[str, int], _Lookup] = {}
_lock = threading.Lock()


def lookup(check: Check, host: str, port: int, field: str = "host") -> Sequence[Address]:
    """Return the addresses of a host.

    The lookup runs in a daemon thread: one that never ends is left behind, and only 64 can be.
    """
    check.at("dns", field)
    key = (host, port)
    with _lock:
        pending = _lookups.get(key)
        if pending is None:
            if len(_lookups) >= MAX_LOOKUPS:
                raise ConnectorNetworkError(
                    f"{MAX_LOOKUPS} name lookups hang already, so that no other was started",
                    code="dns.busy",
                    field=field,
                    remedy="check the name servers of this machine, then try again",
                )
            pending = _lookups[key] = _Lookup()
            threading.Thread(target=_look_up, args=(key, pending), daemon=True).start()
    if not pending.done.wait(check.deadline.remaining()):
        raise TimeoutError("the name lookup did not end")
    if pending.error is not None:
        raise pending.error
    return pending.addresses


def _look_up(key: tuple[str, int], pending: _Lookup) -> None:
    try:
        found = socket.getaddrinfo(*key, type=socket.SOCK_STREAM)
        pending.addresses = tuple(dict.fromkeys((item[0], item[4]) for item in found))
    except Exception as error:  # a name that cannot be encoded is a UnicodeError
        pending.error = error
    finally:
        with _lock:
            _lookups.pop(key, None)
        pending.done.set()


class DeadlineReads:
    """What both kinds of sockets share: each call gets the time that is left, and no more."""

    deadline: Deadline

    def _arm(self) -> None:
        socket.socket.settimeout(self, self.deadline.remaining())  # type: ignore[arg-type]  # a mixin

    def settimeout(self, value: float | None) -> None:
        """Do nothing: drivers have timeouts of their own, but the deadline is what holds."""


class DeadlineSocket(DeadlineReads, socket.socket):
    """A socket on which no call outlives the deadline, however the other side behaves.

    `first` keeps up to 64 of the first bytes that came, which tell what kind of server it is.
    """

    first: bytes = b""

    def recv(self, *args: Any) -> bytes:
        """Receive bytes."""
        self._arm()
        data = super().recv(*args)
        self._note(data)
        return data

    def recv_into(self, *args: Any) -> int:
        """Receive bytes into a buffer."""
        self._arm()
        count = super().recv_into(*args)
        self._note(memoryview(args[0])[: min(count, _FIRST)])
        return count

    def _note(self, data: bytes | memoryview) -> None:
        if len(self.first) < _FIRST:
            self.first = (self.first + bytes(data))[:_FIRST]

    def send(self, *args: Any) -> int:
        """Send some bytes."""
        self._arm()
        return super().send(*args)

    def sendall(self, *args: Any) -> None:
        """Send all bytes."""
        self._arm()
        super().sendall(*args)


def end(sock: socket.socket) -> None:
    """End a connection at once: `close` would wait for the files that drivers open on it."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    number = sock.detach()
    if number >= 0:
        os.close(number)


def connect(
    check: Check, host: str, port: int, field: str = "host", port_field: str = "port"
) -> DeadlineSocket:
    """Return a connected socket; the fields are those to mark when it fails.

    Addresses are tried beside each other, 0.25 s apart, so that a dead one costs no more.
    """
    addresses = lookup(check, host, port, field)
    check.at("tcp", port_field)
    pending: dict[DeadlineSocket, Any] = {}
    errors: list[OSError] = []
    waiting = list(addresses)
    with selectors.DefaultSelector() as selector:
        while waiting or pending:
            if waiting:
                _start(check, waiting.pop(0), selector, pending, errors)
            left = check.deadline.remaining()
            for key, _ in selector.select(min(_STAGGER, left) if waiting else left):
                sock = key.fileobj
                assert isinstance(sock, DeadlineSocket)
                selector.unregister(sock)
                number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                pending.pop(sock)
                if number == 0:
                    for other in pending:
                        selector.unregister(other)
                        other.close()
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    return sock
                sock.close()
                errors.append(OSError(number, os.strerror(number)))
    raise errors[-1] if errors else OSError(errno.EHOSTUNREACH, "no address")


def _start(
    check: Check,
    address: Address,
    selector: selectors.BaseSelector,
    pending: dict[DeadlineSocket, Any],
    errors: list[OSError],
) -> None:
    try:
        sock = DeadlineSocket(address[0], socket.SOCK_STREAM)
    except OSError as error:
        errors.append(error)
        return
    sock.deadline = check.deadline
    check.on_close(partial(end, sock))
    sock.setblocking(False)
    number = sock.connect_ex(address[1])
    if number in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
        selector.register(sock, selectors.EVENT_WRITE)
        pending[sock] = address
    else:
        sock.close()
        errors.append(OSError(number, os.strerror(number)))


def connect_unix(check: Check, path: str, field: str = "unix_socket") -> DeadlineSocket:
    """Return a socket connected to a server on this machine."""
    check.at("tcp", field)
    if not hasattr(socket, "AF_UNIX"):
        raise ConnectorConfigError("this system has no Unix sockets", field=field)
    sock = DeadlineSocket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.deadline = check.deadline
    check.on_close(partial(end, sock))
    socket.socket.settimeout(sock, check.deadline.remaining())
    try:
        sock.connect(path)
    except FileNotFoundError as error:
        raise ConnectorNetworkError(
            f"there is no socket at {path}",
            code="unix.missing",
            field=field,
            remedy="start the server, or ask it for the path of its socket",
            kind="FileNotFoundError",
        ) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise ConnectorConfigError(
            "this path is too long for a socket", code="config.range", field=field
        ) from error
    return sock


def hosts(value: Any) -> Iterator[tuple[str, int | None]]:
    """Yield (host, port or None) of `replicas`: texts `host`, `host:port`, or mappings."""
    for item in value if isinstance(value, list | tuple) else ():
        if isinstance(item, Mapping):
            port = item.get("port")
            yield str(item.get("host", "")), port if isinstance(port, int) else None
        else:
            host, port_text = split_host(str(item))
            yield host, port_text


def split_host(text: str) -> tuple[str, int | None]:
    """Split `host:port`, `[::1]:port` or a bare host; the port is None where there is none."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, int(rest[1:]) if rest[1:].isdigit() else None
    host, colon, port = text.rpartition(":")
    if colon and port.isdigit() and ":" not in host:
        return host, int(port)
    return text, None
