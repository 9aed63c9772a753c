import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorNetworkError,
    RestClient,
    RetryExhaustedError,
)
from osiris_lsp.connectors.clients.http.connection import connection_of, limit_of
from tests.connectors.clients.plain import Pauses
from tests.doubles.messages import Answer, Request, as_json
from tests.doubles.proxy import PASSWORD, USERNAME, Proxy
from tests.doubles.server import Server
from tests.services import faults
from tests.services.certificates import Certificates


def echo(request: Request) -> Answer:
    """Answer with what was asked."""
    return as_json(200, {"path": request.path, "query": request.query})


def use(client: RestClient, work: Callable[[RestClient], Awaitable[Any]]) -> Any:
    """Use a client in its session."""

    async def main() -> Any:
        async with client.session():
            return await work(client)

    return asyncio.run(main())


SENT: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "key": ({"api_key": "c4n4ry"}, {"X-API-Key": "c4n4ry"}),
    "named key": ({"api_key": "k", "api_key_header": "X-K"}, {"X-K": "k"}),
    "bearer": ({"auth": {"type": "bearer", "token": "t"}}, {"Authorization": "Bearer t"}),
    "basic": (
        {"auth": {"type": "basic", "username": "u", "password": "p"}},
        {"Authorization": "Basic dTpw"},
    ),
    "custom": (
        {"auth": {"type": "custom", "custom_headers": {"X-Key": "k"}}},
        {"X-Key": "k"},
    ),
    "headers": ({"headers": {"X-Tenant": "acme"}}, {"X-Tenant": "acme"}),
}


@pytest.mark.parametrize("kind", SENT)
def test_what_a_connection_sends(kind: str) -> None:
    """Credentials, headers and parameters of the connection go with each call."""
    fields, expected = SENT[kind]
    with Server(echo) as server:
        connection = {"base_url": f"{server.url}/v1", "params": {"a": "1", "b": "2"}, **fields}
        client = RestClient.from_connection(connection)
        answer = use(client, lambda client: client.get("/things", params={"b": "3"}))
    assert answer.body == {"path": "/v1/things", "query": {"a": "1", "b": "3"}}
    sent = server.requests[0].headers
    assert {name: sent[name] for name in expected} == expected
    assert "c4n4ry" not in f"{client!r} {client.config!r}"


def test_oauth_of_a_connection() -> None:
    """A token is fetched with the scopes, written as a text or as a list."""
    for scope in ({"scope": "a b"}, {"scopes": ["a", "b"]}):

        def answer(request: Request) -> Answer:
            token = {"access_token": "t", "expires_in": 60}
            return as_json(200, token) if request.path == "/token" else echo(request)

        with Server(answer) as server:
            auth = {
                "type": "oauth2",
                "token_url": f"{server.url}/token",
                "client_id": "i",
                "client_secret": "s",
                **scope,
            }
            client = RestClient.from_connection({"base_url": server.url, "auth": auth})
            use(client, lambda client: client.get("/x"))
        assert server.requests[0].form()["scope"] == "a b"
        assert server.requests[1].bearer == "t"


def test_limits_and_retries_of_a_connection() -> None:
    """The parts of the framework are set up as the connection says."""
    fields = {
        "base_url": "https://api.example.com",
        "rate_limit": {"max_requests": 7, "window_seconds": 2},
        "retry": {"max_retries": 5, "strategy": "linear", "jitter": False},
        "circuit_breaker": {"failure_threshold": 2},
        "timeout": 9,
        "connect_timeout": 3,
        "follow_redirects": True,
    }
    config = RestClient.from_connection(fields).config
    assert config.rate_limit is not None
    assert (config.rate_limit.max_requests, config.rate_limit.window_seconds) == (7, 2)
    assert config.retry is not None
    assert (config.retry.max_retries, config.retry.jitter) == (5, False)
    assert config.circuit_breaker is not None
    assert config.circuit_breaker.failure_threshold == 2
    assert (config.timeout, config.connect_timeout, config.follow_redirects) == (9, 3, True)
    least = RestClient.from_connection({"base_url": "https://api.example.com"}).config
    assert [least.rate_limit, least.retry, least.circuit_breaker, least.auth] == [None] * 4


@pytest.mark.parametrize(
    ("given", "requests", "window"), [(2, 2, 1.0), (0.5, 1, 2.0), (2.5, 2, 0.8)]
)
def test_a_limit_by_number(given: float, requests: int, window: float) -> None:
    """A number is that of requests in a second, whole or not."""
    found = limit_of(connection_of("api", {"rate_limit": given}))
    assert found is not None
    assert (found.max_requests, found.window_seconds) == (requests, window)


def test_a_limit_of_nothing() -> None:
    """No request in a second is no limit that a client could keep."""
    for given in (0, -1, "many"):
        with pytest.raises(ConnectorConfigError) as caught:
            limit_of(connection_of("api", {"rate_limit": given}))
        assert caught.value.field == "rate_limit"


def test_retries() -> None:
    """What the connection says about tries is done."""
    with Server(echo) as server:
        server.always(Answer(503))
        pauses = Pauses()
        retry = {"max_retries": 2, "initial_delay": 4, "jitter": False}
        fields = {"base_url": server.url, "retry": retry}
        client = RestClient.from_connection(fields, sleep=pauses)
        with pytest.raises(RetryExhaustedError):
            use(client, lambda client: client.get("/x"))
    assert (len(server.requests), list(pauses)) == (3, [4.0, 8.0])


def test_tls_of_a_connection(certificates: Certificates) -> None:
    """An authority of one's own is trusted where it is named, and nowhere else."""
    with faults.tls(certificates, opening=faults.DIRECT, then=_hello) as server:
        base = {"base_url": f"https://127.0.0.1:{server.port}"}
        trusted = RestClient.from_connection({**base, "ssl_ca": str(certificates.ca)})
        assert use(trusted, lambda client: client.get("/")).body == "hello"
        lax = RestClient.from_connection({**base, "verify": False})
        assert use(lax, lambda client: client.get("/")).body == "hello"
        with pytest.raises(ConnectorNetworkError) as caught:
            use(RestClient.from_connection(base), lambda client: client.get("/"))
        assert caught.value.stage == "tls"
    for broken in ({"ssl_ca": "nothing.pem"}, {"ssl_cert": str(certificates.ca)}):
        with pytest.raises(ConnectorConfigError):
            RestClient.from_connection({**base, **broken})


async def _hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello")
    await writer.drain()


def test_proxy_of_a_connection() -> None:
    """Calls go through the proxy, whose password shows in no configuration."""
    with Server(echo) as server:
        proxy = Proxy((USERNAME, PASSWORD), (server.host, server.port))
        with Server(proxy) as front:
            address = front.url.replace("://", f"://{USERNAME}:{PASSWORD}@")
            fields = {"base_url": "http://api.example.com", "proxy": address}
            client = RestClient.from_connection(fields)
            assert PASSWORD not in repr(client.config)
            assert use(client, lambda client: client.get("/x")).body["path"] == "/x"


def test_refusals() -> None:
    """A refusal is an error of the tree."""
    with Server(echo) as server:
        server.always(Answer(401))
        client = RestClient.from_connection({"base_url": server.url, "api_key": "c4n4ry"})
        with pytest.raises(ConnectorAuthError) as caught:
            use(client, lambda client: client.get("/x"))
    assert "c4n4ry" not in str(caught.value)


def test_paths_of_tls_files_count_from_the_file(certificates: Certificates) -> None:
    """Relative paths are those of the connections file."""
    from osiris_lsp.connectors import ResolvedConnection

    ca = Path(certificates.ca)
    fields = {"base_url": "https://x", "ssl_ca": ca.name}
    given = ResolvedConnection("api", "main", fields, base=str(ca.parent))
    assert RestClient.from_connection(given).config.ssl_context is not None
