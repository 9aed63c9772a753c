"""The server, its faults and the plain REST API, against independent clients."""

import http.client
import socket
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import trustme

from tests.doubles import faults, rest
from tests.doubles.clients import Serve, bearer, client_context, get, server_context
from tests.doubles.messages import Answer
from tests.doubles.server import Server


def test_server_records_requests_and_keeps_connections() -> None:
    """Two requests of one connection are recorded in full and in order."""
    with Server(rest.Rest()) as server:
        client = http.client.HTTPConnection(server.host, server.port, timeout=5)
        for body in (b"a=1", b"a=2"):
            client.request("PATCH", "/v1?b=%C3%A9", body, {"X-Tenant": "acme"})
            assert client.getresponse().read() == b'{"status": "ok"}'
        client.close()
    expected = [("PATCH", "/v1", {"b": "é"}, "acme", body) for body in (b"a=1", b"a=2")]
    actual = [(r.method, r.path, r.query, r.headers["X-Tenant"], r.body) for r in server.requests]
    assert expected == actual
    assert server.connections == 1


def test_server_closes_what_it_opened() -> None:
    """After `with` no thread runs and nothing listens, even with a client that stops halfway."""
    before = set(threading.enumerate())
    with Server(rest.Rest()) as server:
        halfway = socket.create_connection((server.host, server.port), 5)
        halfway.sendall(b"GET / HT")
        get(f"{server.url}/v1")
    with halfway:
        assert set(threading.enumerate()) - before == set()
        assert halfway.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((server.host, server.port), 5)


def test_server_speaks_tls_and_ipv6(authority: trustme.CA) -> None:
    """HTTPS is verified with the authority; a client that never speaks holds nobody up."""
    with Server(rest.Rest(), tls=server_context(authority)) as server:
        with socket.create_connection((server.host, server.port), 5):
            trust = client_context(authority)
            client = http.client.HTTPSConnection(server.host, server.port, timeout=5, context=trust)
            client.request("GET", "/v1")
            assert client.getresponse().read() == b'{"status": "ok"}'
            client.close()
        with pytest.raises(requests.exceptions.SSLError):
            get(f"{server.url}/v1")
    with Server(rest.Rest(), host="::1") as server:
        assert server.url.startswith("http://[::1]:")
        assert get(f"{server.url}/v1") == (200, {"status": "ok"})


@pytest.mark.parametrize(
    "answer",
    [
        faults.CHUNKED,
        faults.GZIP,
        faults.HTTP_1_0,
        faults.WRONG_TYPE,
        Answer(200, b"{}", drip_body=0.01),
    ],
)
def test_odd_but_right_answers_are_readable(serve: Serve, answer: Answer) -> None:
    """Any framing that HTTP allows reaches a client as JSON."""
    server = serve(rest.Rest())
    server.always(answer)
    assert requests.get(server.url, timeout=5).json() in ({"status": "ok"}, {})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (faults.EMPTY, requests.exceptions.JSONDecodeError),
        (faults.INVALID_JSON, requests.exceptions.JSONDecodeError),
        (faults.LOGIN_PAGE, requests.exceptions.JSONDecodeError),
        (faults.BROKEN_GZIP, requests.exceptions.ContentDecodingError),
        (faults.TRUNCATED, requests.exceptions.ChunkedEncodingError),
        (faults.HANG_UP, requests.exceptions.ConnectionError),
        (faults.NOT_HTTP, requests.exceptions.ConnectionError),
        (faults.SILENT, requests.exceptions.ReadTimeout),
        (faults.redirect("/v1"), requests.exceptions.TooManyRedirects),
    ],
)
def test_faults_are_the_errors_that_they_are_named_after(
    serve: Serve, answer: Answer, error: type[Exception]
) -> None:
    """A client meets each fault as the error that real servers cause."""
    server = serve(rest.Rest())
    server.always(answer)
    with pytest.raises(error):
        requests.get(f"{server.url}/v1", timeout=0.3).json()


def test_slow_answers_outlast_a_timeout_for_each_read(serve: Serve) -> None:
    """Dripping bytes keep a client busy whose timeout is for one read; closing ends it at once."""
    for answer in (faults.SLOW_HEAD, faults.SLOW_BODY):
        server = serve(rest.Rest())
        server.always(answer)
        client = http.client.HTTPConnection(server.host, server.port, timeout=0.4)
        client.request("GET", "/")
        threading.Timer(0.6, server.closing.set).start()
        start = time.monotonic()
        with pytest.raises((http.client.HTTPException, OSError)):
            client.getresponse().read()
        assert 0.5 < time.monotonic() - start < 5.0
        client.close()


def test_huge_body_is_a_stream(serve: Serve) -> None:
    """The huge body comes in pieces, so that a client can stop reading."""
    server = serve(rest.Rest())
    server.always(faults.HUGE)
    with requests.get(server.url, timeout=5, stream=True) as answer:
        assert len(answer.raw.read(3 * 2**20)) > 2**20


def test_statuses_come_in_turn(serve: Serve) -> None:
    """`next` is used up before the double answers; Retry-After is seconds or a date."""
    server = serve(rest.Rest())
    date = datetime(2026, 11, 21, 12, tzinfo=UTC)
    server.next(faults.status(429, 7), faults.status(503, date), faults.status(500))
    answers = [requests.get(f"{server.url}/v1", timeout=5) for _ in range(4)]
    expected = [(429, "7"), (503, "Sat, 21 Nov 2026 12:00:00 GMT"), (500, None), (200, None)]
    assert expected == [(a.status_code, a.headers.get("Retry-After")) for a in answers]


@pytest.mark.parametrize(
    ("accepts", "arguments"),
    [
        (rest.header_key(), {"headers": {"x-api-key": rest.API_KEY}}),
        (rest.header_key("Authorization"), {"headers": {"Authorization": rest.API_KEY}}),
        (rest.query_key("key"), {"params": {"key": rest.API_KEY}}),
        (rest.bearer(), {"headers": bearer(rest.TOKEN)}),
        (rest.basic(), {"auth": (rest.USERNAME, rest.PASSWORD)}),
    ],
)
def test_rest_wants_the_credential(serve: Serve, accepts: rest.Check, arguments: Any) -> None:
    """Each kind of credential is let in, and nobody else."""
    server = serve(rest.Rest(accepts))
    url = f"{server.url}/v1/orders"
    assert requests.get(url, timeout=5, **arguments).status_code == 200
    assert requests.get(url, timeout=5).status_code == 401
