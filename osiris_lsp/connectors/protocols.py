"""Which kind of server answers on a port, told by the first bytes that it sends."""

import selectors
from typing import Final

from osiris_lsp.connectors.errors import ConnectorNetworkError
from osiris_lsp.connectors.health import Check
from osiris_lsp.connectors.network import DeadlineSocket

POSTGRES_TLS_REQUEST: Final = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""SSLRequest, which PostgreSQL answers with one byte, `S` or `N` (PostgreSQL manual, 55.7)."""

END_OF_LINES: Final = b"\r\n\r\n"
"""What makes a server answer that waits for a request of lines, as one for HTTP does."""

_BANNERS: Final = (
    (b"SSH-", "an SSH server"),
    (b"HTTP/", "a web server"),
    (b"<!DOCTYPE", "a web server"),
    (b"<html", "a web server"),
    (b"220", "a mail or FTP server"),
    (b"-ERR", "a Redis server"),
    (b"-NOAUTH", "a Redis server"),
    (b"-DENIED", "a Redis server"),
    (b"\x15\x03", "a server that wants TLS at once, as for HTTPS,"),
    (b"\x05\x00\x00\x00\x0b", "the X Protocol of MySQL (usually port 33060)"),
)


def product(first: bytes) -> str:
    """Return what kind of server sends these bytes first, for a message; empty when unknown."""
    if is_mysql(first):
        return "a MySQL or MariaDB server"
    return next((name for start, name in _BANNERS if first.startswith(start)), "")


def is_mysql(first: bytes) -> bool:
    """Tell a greeting or error packet of MySQL: length, number 0, version 10 or error 255."""
    if len(first) < 6 or not maybe_mysql(first):
        return False
    # A message of PostgreSQL may look alike up to here; behind its length stands a letter.
    return (first[4] == 0xFF and first[5:6] != b"S") or (
        first[4] in (9, 10) and first[5:6].isdigit()
    )


def maybe_mysql(first: bytes) -> bool:
    """Tell whether these bytes, be they few, can begin a packet that MySQL sends first."""
    return first[3:4] in (b"", b"\0") and first[4:5] in (b"", b"\x09", b"\x0a", b"\xff")


def maybe_postgres(first: bytes) -> bool:
    """Tell whether these bytes, be they few, can begin what PostgreSQL answers to a login."""
    return first[:1] in (b"", b"R", b"E", b"N", b"v")


def mismatch(expected: str, first: bytes) -> ConnectorNetworkError:
    """Return the error for a server of another kind, by the first bytes that it sent."""
    found = product(first)
    return ConnectorNetworkError(
        f"{found} answers on this port, not {expected}"
        if found
        else f"what answers on this port does not speak the protocol of {expected}",
        code="protocol.mismatch",
        stage="auth",
        field="port",
        remedy="check `port`, and that no proxy is in between",
        retryable=False,
        kind="ProtocolError",
    )


def await_answer(check: Check, sock: DeadlineSocket, expected: str, nudge: bytes) -> None:
    """Wait until a server says something; raises TimeoutError when it never does.

    Shortly before the deadline a silent one gets `nudge`: by its answer a server of another kind,
    which waits for the client to speak, is told from one that hangs.
    """
    left = check.deadline.remaining()
    if _speaks(sock, left - min(left / 4, 1.0)):
        return
    sock.sendall(nudge)
    if _speaks(sock, check.deadline.remaining()):
        first = sock.recv(64)
        if nudge.startswith(POSTGRES_TLS_REQUEST) and first in (b"S", b"N"):
            error = mismatch(expected, b"")
            error.message = f"a PostgreSQL server answers on this port, not {expected}"
            raise error
        if product(first) and not is_mysql(first):
            raise mismatch(expected, first)
    raise TimeoutError("the server said nothing in time")


def _speaks(sock: DeadlineSocket, seconds: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(seconds))
