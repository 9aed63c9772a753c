"""Servers that fail: which error, after how many attempts, and never later than the deadline.

`make faults` prints what is seen here as a table.
"""

import asyncio
import json
import os
import socket
import ssl
import struct
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from osiris_lsp.connectors import ConnectorError, RetryConfig, RetryExhaustedError
from tests.connectors.clients.plain import Pauses, client, within
from tests.services import faults
from tests.services.certificates import Certificates, Kind

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
TIMEOUT = 0.4
PATIENCE = 10.0
"""Seconds for servers that answer, or break off: a machine may be busy."""

SEEN = "OSIRIS_LSP_FAULTS"
"""Names the file to which outcomes are added, a line of JSON each, for `tests.tools.faults`."""

Server = Callable[[], AbstractContextManager[faults.Fault]]


def begins(after: faults.Behaviour) -> AbstractContextManager[faults.Fault]:
    """A server whose answer begins at once, and what it does behind the head."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"Content-Length: 100000\r\n\r\n")
        await after(reader, writer)

    return faults.serve(behave)


def reset_later() -> AbstractContextManager[faults.Fault]:
    """A server that breaks off when the request is on its way; what it has not read resets."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return faults.serve(behave)


def answers(
    status: int, body: bytes = b"{}", kind: str = "application/json", **headers: str
) -> Server:
    """A server that gives one answer to all."""
    lines = {"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    payload = f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body
    return partial(faults.text, payload, close=True)


def busy_for_half_a_minute() -> AbstractContextManager[faults.Fault]:
    """A server that says by a date when to come again."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    return answers(429, Retry_After=date)()


NETWORK, LATE, API = "ConnectorNetworkError", "ConnectorTimeoutError", "ConnectorAPIError"

# For each: the error, its code, the attempts of a GET and those of a POST.
FAULTS: dict[str, tuple[Server, str, str, int, int]] = {
    "refuse": (faults.refused, NETWORK, "tcp.refused", 2, 2),
    "reset": (reset_later, NETWORK, "tcp.reset", 2, 1),
    "close": (faults.closes, NETWORK, "http.broken", 2, 1),
    "connect": (faults.black_hole, LATE, "timeout.connect", 2, 2),
    "stall": (faults.half_open, LATE, "timeout.read", 2, 1),
    "stall behind the head": (lambda: begins(faults.silence), LATE, "timeout.read", 2, 1),
    "drip": (lambda: faults.drip(b"x"), LATE, "timeout.read", 2, 1),
    "drip a body": (lambda: begins(faults.dripping(b"x")), LATE, "timeout.read", 2, 1),
    "truncate": (
        lambda: faults.text(HEAD + b"Content-Length: 99\r\n\r\nhalf", close=True),
        *(NETWORK, "http.broken", 2, 1),
    ),
    "garbage": (faults.garbage, LATE, "timeout.read", 2, 1),
    "no HTTP": (
        lambda: faults.text(b"no HTTP\r\n\r\n", close=True),
        *(NETWORK, "http.broken", 2, 1),
    ),
    "bad JSON": (answers(200, b'{"a": '), "ConnectorParseError", "http.bad_json", 1, 1),
    "a page called JSON": (answers(200, b"<html>"), "ConnectorParseError", "http.bad_json", 1, 1),
    "401": (answers(401), "ConnectorAuthError", "http.unauthorized", 1, 1),
    "403": (answers(403), "ConnectorPermissionError", "http.forbidden", 1, 1),
    "404": (answers(404), "ConnectorNotFoundError", "http.not_found", 1, 1),
    "408": (answers(408), API, "http.failed", 2, 1),
    "429": (answers(429), "ConnectorRateLimitError", "http.rate_limited", 2, 2),
    "429, seconds": (
        answers(429, Retry_After="7"),
        *("ConnectorRateLimitError", "http.rate_limited", 2, 2),
    ),
    "429, date": (
        busy_for_half_a_minute,
        *("ConnectorRateLimitError", "http.rate_limited", 2, 2),
    ),
    "429, an hour": (
        answers(429, Retry_After="3600"),
        *("ConnectorRateLimitError", "http.rate_limited", 1, 1),
    ),
    "500": (answers(500), API, "http.failed", 2, 1),
    "502": (answers(502), API, "http.failed", 2, 1),
    "503": (answers(503), API, "http.failed", 2, 2),
    "504": (answers(504), API, "http.failed", 2, 1),
}

PAUSES = {"429, seconds": 7.0, "429, date": 30.0}
"""Seconds that the server asks for; where it does not, the first pause is one second."""


def note(**row: Any) -> None:
    """Add an outcome to the list of them, where one is asked for."""
    path = os.environ.get(SEEN)
    if path is not None:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def outcome(
    fault: str, url: str, method: str = "GET", timeout: float = TIMEOUT, **options: Any
) -> tuple[ConnectorError, int, Pauses]:
    """The error that a call comes to, how often it was tried again, and the pauses."""
    pauses = Pauses()
    api = client(
        url,
        timeout=timeout,
        connect_timeout=timeout / 2,
        retry=RetryConfig(max_retries=1),
        sleep=pauses,
        **options,
    )
    start = time.monotonic()
    with pytest.raises(ConnectorError) as caught:
        within(api, lambda api: api.request(method, "/x"))
    took = time.monotonic() - start
    assert took < 2 * timeout + 1.5
    error: BaseException = caught.value
    error = error.last_error if isinstance(error, RetryExhaustedError) else error
    assert isinstance(error, ConnectorError)
    retries = api.get_metrics().total_retries
    seen = {"error": type(error).__name__, "code": error.code, "retries": retries}
    note(fault=fault, method=method, pauses=list(pauses), took=took, **seen)
    return error, retries, pauses


@pytest.mark.inventory("S4-CFG-03", "S4-TRB-01", "R-52", "S3-ERR-04", "S3-ERR-05")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_fails(fault: str) -> None:
    """A body that drips does not get past the deadline of the attempt."""
    start, kind, code, get, post = FAULTS[fault]
    limit = TIMEOUT if code.startswith("timeout.") else PATIENCE
    with start() as server:
        for method, attempts in (("GET", get), ("POST", post)):
            url = f"http://127.0.0.1:{server.port}"
            error, retries, pauses = outcome(fault, url, method, limit)
            assert (type(error).__name__, error.code) == (kind, code)
            assert retries == attempts - 1
            expected = PAUSES.get(fault, 1.0)
            assert len(pauses) == retries
            # Of the half minute until a date some is gone by then.
            assert all(expected / 2 < pause <= expected for pause in pauses)
            assert ("or raise `timeout`" in error.remedy) is code.startswith("timeout.")


def test_what_is_not_called_json_is_text() -> None:
    """The content type decides: a page that comes with 200 is what the service said."""
    with answers(200, b'{"a": 1}', "text/html")() as server:
        api = client(f"http://127.0.0.1:{server.port}")
        assert within(api, lambda api: api.get("/x")).body == '{"a": 1}'
    note(fault="wrong content type", method="GET", error="", code="the body as text",
         retries=0, pauses=[], took=api.get_metrics().average_response_time_ms / 1000)  # fmt: skip


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


TLS_FAULTS: dict[str, tuple[Server, str, int]] = {
    "no TLS": (lambda: faults.text(b"no TLS\r\n", close=True), "tls.not_spoken", 0),
    "TLS stalls": (faults.tls_stall, "timeout.connect", 1),
}


@pytest.mark.parametrize("fault", TLS_FAULTS)
def test_tls_that_fails(fault: str) -> None:
    """It is told apart from a network that fails."""
    start, code, again = TLS_FAULTS[fault]
    with start() as server:
        limit = TIMEOUT if code.startswith("timeout.") else PATIENCE
        error, retries, _ = outcome(fault, f"https://127.0.0.1:{server.port}", timeout=limit)
        assert (error.code, retries) == (code, again)


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
    with faults.tls(certificates, kind, behave) as server:
        url = f"https://localhost:{server.port}"
        if not code:
            api = client(url, ssl_context=context)
            assert within(api, lambda api: api.get("/x")).body == "fine"
            # By default the system says who can be trusted, and it does not know this authority.
            error, retries, _ = outcome("private CA", url, timeout=PATIENCE)
            assert (error.code, retries) == ("tls.untrusted", 0)
            return
        error, retries, _ = outcome(
            f"certificate {kind}", url, timeout=PATIENCE, ssl_context=context
        )
        assert (error.code, retries) == (code, 0)
