"""Servers that fail: which error, after how many attempts, and never later than the deadline."""

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from pytest_httpserver import HTTPServer

from osiris_lsp.connectors import ConnectorError, RetryConfig, RetryExhaustedError
from tests.connectors.clients.plain import client, within
from tests.services import faults
from tests.services.certificates import Certificates, Kind

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
TIMEOUT = 0.4

Server = Callable[[], AbstractContextManager[faults.Fault]]


def drip_body() -> AbstractContextManager[faults.Fault]:
    """A server whose answer begins at once and never ends."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"Content-Length: 100000\r\n\r\n")
        await faults.dripping(b"x")(reader, writer)

    return faults.serve(behave)


def reset_later() -> AbstractContextManager[faults.Fault]:
    """A server that breaks off when the request is on its way; what it has not read resets."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return faults.serve(behave)


@pytest.mark.inventory("S4-CFG-03", "S4-TRB-01", "R-52", "S3-ERR-04", "S3-ERR-05")
@pytest.mark.parametrize(
    ("server", "kind", "code", "get", "post"),
    [
        (faults.refused, "ConnectorNetworkError", "tcp.refused", 2, 2),
        (reset_later, "ConnectorNetworkError", "tcp.reset", 2, 1),
        (faults.closes, "ConnectorNetworkError", "http.broken", 2, 1),
        (faults.half_open, "ConnectorTimeoutError", "timeout.read", 2, 1),
        (drip_body, "ConnectorTimeoutError", "timeout.read", 2, 1),
        (lambda: faults.drip(b"x"), "ConnectorTimeoutError", "timeout.read", 2, 1),
        (
            lambda: faults.text(HEAD + b"Content-Length: 99\r\n\r\nhalf", close=True),
            "ConnectorNetworkError",
            "http.broken",
            2,
            1,
        ),
        (faults.garbage, "ConnectorTimeoutError", "timeout.read", 2, 1),
        (
            lambda: faults.text(b"no HTTP\r\n\r\n", close=True),
            "ConnectorNetworkError",
            "http.broken",
            2,
            1,
        ),
        (faults.black_hole, "ConnectorTimeoutError", "timeout.connect", 2, 2),
    ],
    ids=[
        "refuse",
        "reset",
        "close",
        "stall",
        "drip-body",
        "drip-garbage",
        "truncated",
        "garbage",
        "nonsense",
        "hole",
    ],
)
def test_a_server_that_fails(server: Server, kind: str, code: str, get: int, post: int) -> None:
    """A body that drips does not get past the deadline of the attempt."""
    with server() as fault:
        for method, attempts in (("GET", get), ("POST", post)):
            api = client(
                f"http://127.0.0.1:{fault.port}",
                timeout=TIMEOUT,
                connect_timeout=TIMEOUT / 2,
                retry=RetryConfig(max_retries=1),
            )
            start = time.monotonic()
            with pytest.raises(ConnectorError) as caught:
                within(api, lambda api, method=method: api.request(method, "/x"))  # type: ignore[misc]
            assert time.monotonic() - start < 2 * TIMEOUT + 1.5
            error = caught.value
            last = error.last_error if isinstance(error, RetryExhaustedError) else error
            assert isinstance(last, ConnectorError)
            assert (type(last).__name__, last.code) == (kind, code)
            assert api.get_metrics().total_retries == attempts - 1
            assert ("or raise `timeout`" in last.remedy) is code.startswith("timeout.")


@pytest.mark.inventory("S0-ERR-01", "S0-ERR-02")
def test_a_service_that_comes_up_is_found() -> None:
    """Refused at first, then there: nobody notices but the metrics and the clock."""
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    server = HTTPServer(port=port)
    server.expect_request("/x").respond_with_data("fine")

    async def sleep(seconds: float) -> None:
        assert seconds == api.get_metrics().total_retries
        if seconds == 2:
            server.start()

    api = client(server.url_for(""), retry=RetryConfig(jitter=False), sleep=sleep)
    try:
        assert within(api, lambda api: api.get("/x")).body == "fine"
    finally:
        server.clear()
        server.stop()
    metrics = api.get_metrics()
    assert (metrics.total_retries, metrics.successful_requests) == (2, 1)


@pytest.mark.parametrize(
    ("server", "code"),
    [
        (lambda: faults.text(b"no TLS\r\n", close=True), "tls.not_spoken"),
        (faults.tls_stall, "timeout.connect"),
    ],
)
def test_tls_that_fails(server: Server, code: str) -> None:
    """It is told apart from a network that fails."""
    with server() as fault:
        api = client(
            f"https://127.0.0.1:{fault.port}", timeout=TIMEOUT, connect_timeout=TIMEOUT / 2
        )
        with pytest.raises(ConnectorError) as caught:
            within(api, lambda api: api.get("/x"))
        assert caught.value.code == code


@pytest.mark.inventory("S0-SEC-02")
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("good", ""),
        ("untrusted", "tls.untrusted"),
        ("expired", "tls.expired"),
        ("wrong_host", "tls.hostname"),
    ],
)
def test_certificates(certificates: Certificates, kind: Kind, code: str) -> None:
    """A server that cannot be trusted is not asked again; with the right one, TLS works."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"Content-Length: 4\r\n\r\nfine")
        await writer.drain()

    context = ssl.create_default_context(cafile=str(certificates.ca))
    with faults.tls(certificates, kind, behave) as fault:
        url = f"https://localhost:{fault.port}"
        api = client(url, ssl_context=context, retry=RetryConfig())
        if not code:
            assert within(api, lambda api: api.get("/x")).body == "fine"
            # By default the system says who can be trusted, and it does not know this authority.
            with pytest.raises(ConnectorError) as caught:
                within(client(url), lambda api: api.get("/x"))
            assert caught.value.code == "tls.untrusted"
            return
        with pytest.raises(ConnectorError) as caught:
            within(api, lambda api: api.get("/x"))
        assert caught.value.code == code
        assert api.get_metrics().total_retries == 0
