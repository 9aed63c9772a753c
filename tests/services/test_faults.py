import socket
import ssl
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pg8000.dbapi
import pymysql
import pytest

from tests.services import faults
from tests.services.certificates import Certificates, Kind
from tests.services.faults import Fault
from tests.services.names import Answer


@pytest.mark.parametrize(
    ("kind", "code"),
    [("good", 0), ("wrong_host", 64), ("expired", 10), ("untrusted", 20)],
)
def test_certificates(certificates: Certificates, kind: Kind, code: int) -> None:
    """A client finds in a certificate what it was issued for."""
    found = 0
    with faults.tls(certificates, kind) as fault:
        try:
            shake(fault, certificates.client_context())
        except ssl.SSLCertVerificationError as error:
            found = error.verify_code
        assert (code, 0) == (found, fault.open_connections)


def shake(fault: Fault, context: ssl.SSLContext, timeout: float = 5) -> None:
    """Connect, do the handshake of TLS and close."""
    with (
        socket.create_connection((fault.host, fault.port), timeout) as connection,
        context.wrap_socket(connection, server_hostname=fault.host),
    ):
        pass


@pytest.mark.parametrize(
    ("open_fault", "said"),
    [
        (faults.refused, "ConnectionRefusedError"),
        (faults.black_hole, "TimeoutError"),
        (faults.mute, "TimeoutError"),
        (faults.half_open, "TimeoutError"),
        (faults.tls_stall, "TimeoutError"),
        (faults.reset, "ConnectionResetError"),
        (faults.closes, ""),
        (lambda: faults.text(b"SSH-2.0-x\r\n", close=True), "SSH-2.0-x\r\n"),
        (lambda: faults.drip(b"abc", 0.01), "abcab"),
    ],
)
def test_faults(open_fault: Callable[[], AbstractContextManager[Fault]], said: str) -> None:
    """A fault shows what it is named after, and knows when its client has gone."""
    with open_fault() as fault:
        try:
            with socket.create_connection((fault.host, fault.port), 0.2) as connection:
                connection.sendall(b"hello")
                heard = b""
                while len(heard) < 5 and (more := connection.recv(100)):
                    heard += more
                found = heard.decode()[: len(said)]
        except OSError as error:
            found = type(error).__name__
        assert (said, 0) == (found, fault.open_connections)


def test_open_connections(certificates: Certificates) -> None:
    """A connection counts as open in any state, until its client closes it."""
    with faults.half_open() as fault, socket.create_connection((fault.host, fault.port)):
        assert fault.open_connections == 1
    with faults.black_hole() as fault, socket.socket() as connection:
        connection.setblocking(False)
        connection.connect_ex((fault.host, fault.port))
        assert fault.open_connections == 1
    with faults.tls_drip(0.01) as fault:
        with pytest.raises(TimeoutError):
            shake(fault, certificates.client_context(), timeout=0.2)
        assert (fault.accepted, fault.open_connections) == (1, 0)


@pytest.mark.parametrize(
    ("opening", "connect", "option"),
    [
        (faults.MYSQL, pymysql.connect, "ssl"),
        (faults.POSTGRES, pg8000.dbapi.connect, "ssl_context"),
    ],
)
def test_tls_within_a_protocol(
    certificates: Certificates, opening: faults.Opening, connect: Callable[..., object], option: str
) -> None:
    """A driver gets as far as the certificate of a fault that speaks its protocol until then."""
    tls: dict[str, Any] = {option: certificates.client_context()}
    with faults.tls(certificates, "expired", opening=opening) as fault:
        with pytest.raises((pymysql.MySQLError, pg8000.dbapi.Error, OSError)) as refused:
            connect(host=fault.host, port=fault.port, user="reader", password="", **tls)
        causes = [refused.value, refused.value.__cause__, refused.value.__context__]
        codes = [getattr(cause, "verify_code", 0) for cause in causes]
        assert (max(codes), fault.open_connections) == (10, 0)


@pytest.mark.parametrize(
    ("answer", "said"), [("nxdomain", "EAI_NONAME"), ("servfail", "EAI_AGAIN"), ("silence", "")]
)
def test_names(
    run_with_names: Callable[..., subprocess.CompletedProcess[str]], answer: Answer, said: str
) -> None:
    """A name gets the answer asked for, or none within a second."""
    code = f"""\
import socket, threading
def look():
    try:
        socket.getaddrinfo("db.example.com", 1)
    except socket.gaierror as error:
        print(error.errno == getattr(socket, "{said}", None))
looking = threading.Thread(target=look, daemon=True)
looking.start()
looking.join(1)
"""
    done = run_with_names(code, answer)
    assert ("" if answer == "silence" else "True\n", "") == (done.stdout, done.stderr)
