import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from osiris_lsp.connectors.families.api import CONNECTOR, UNPROVEN
from tests.connectors.families.verdict import OK, Verdict, verdict
from tests.doubles import faults, oauth, rest
from tests.doubles.messages import CANARY, Answer, as_json
from tests.doubles.proxy import PASSWORD, USERNAME, Proxy
from tests.doubles.server import Server
from tests.services.certificates import Certificates, Kind

BEARER = {"type": "bearer", "token": rest.TOKEN}
WRONG = f"wrong-{CANARY}"


@pytest.fixture
def server() -> Iterator[Server]:
    """A REST API that wants a bearer token."""
    with Server(rest.Rest(rest.bearer())) as server:
        yield server


def connection(server: Server, **fields: Any) -> dict[str, Any]:
    """A connection to the server with the right token, and other fields."""
    return {"base_url": f"{server.url}/v1", "auth": BEARER, **fields}


KEY = {"type": "api_key", "token": rest.API_KEY}
BASIC = {"type": "basic", "username": rest.USERNAME, "password": rest.PASSWORD}

# Name, what the server checks, the fields, and the field to mark when they are refused.
CREDENTIALS: tuple[tuple[str, rest.Check, dict[str, Any], str], ...] = (
    ("none", rest.anyone, {}, ""),
    ("none written", rest.anyone, {"auth": {"type": "none"}}, ""),
    ("api_key", rest.header_key(), {"api_key": rest.API_KEY}, "api_key"),
    (
        "api_key in a header",
        rest.header_key("X-Token"),
        {"api_key": rest.API_KEY, "api_key_header": "X-Token"},
        "api_key",
    ),
    ("bearer", rest.bearer(), {"auth": BEARER}, "auth.token"),
    (
        "bearer with a word",
        rest.header_key("Authorization", f"Token {rest.TOKEN}"),
        {"auth": {**BEARER, "token_prefix": "Token"}},
        "auth.token",
    ),
    ("key", rest.header_key("Authorization"), {"auth": KEY}, "auth.token"),
    (
        "key in a header",
        rest.header_key(),
        {"auth": {**KEY, "token_key": "X-API-Key"}},
        "auth.token",
    ),
    (
        "key in the query",
        rest.query_key("key"),
        {"auth": {**KEY, "token_key": "key", "token_location": "query"}},
        "auth.token",
    ),
    (
        "key in the body",
        lambda request: request.json() == {"key": rest.API_KEY},
        {"auth": {**KEY, "token_key": "key", "token_location": "body"}},
        "auth.token",
    ),
    ("basic", rest.basic(), {"auth": BASIC}, "auth.password"),
    (
        "custom header",
        rest.header_key(),
        {"auth": {"type": "custom", "custom_headers": {"x-api-key": rest.API_KEY}}},
        "auth.custom_headers",
    ),
    (
        "custom parameter",
        rest.query_key("key"),
        {"auth": {"type": "custom", "custom_params": {"key": rest.API_KEY}}},
        "auth.custom_params",
    ),
    ("headers", rest.header_key(), {"headers": {"X-API-Key": rest.API_KEY}}, "headers"),
    ("params", rest.query_key("key"), {"params": {"key": rest.API_KEY}}, "params"),
)


@pytest.mark.parametrize(
    ("accepts", "fields", "field"), [c[1:] for c in CREDENTIALS], ids=[c[0] for c in CREDENTIALS]
)
@pytest.mark.inventory("S1-CONN010-01", "S1-CONN012-02")
def test_credentials(accepts: rest.Check, fields: dict[str, Any], field: str) -> None:
    """Each kind of credential arrives where it belongs; refused, its own field is marked."""
    with Server(rest.Rest(accepts)) as server:
        plain = {"base_url": f"{server.url}/v1", **fields}
        assert verdict(CONNECTOR.examine(plain)) == OK
        server.always(as_json(401, {}))
        result = CONNECTOR.examine(plain)
    assert verdict(result) == ("auth", "http.401", "auth", field or "auth")
    assert result.message == "Invalid credentials"


REST_FAILURES: tuple[tuple[str, Answer, Verdict], ...] = (
    ("403", faults.status(403), ("permission", "http.403", "auth", "auth.token")),
    ("404", faults.status(404), ("unknown", "http.404", "query", "base_url")),
    ("407", faults.PROXY_AUTHENTICATION, ("auth", "http.407", "query", "proxy")),
    ("418", faults.status(418), ("unknown", "http.418", "query", "base_url")),
    ("429", faults.status(429), ("unknown", "http.429", "query", "rate_limit")),
    ("402", faults.status(402), ("unknown", "http.402", "query", "base_url")),
    ("500", faults.status(500), ("unknown", "http.500", "query", "base_url")),
    ("503", faults.status(503), ("unknown", "http.503", "query", "base_url")),
    (
        "redirect",
        faults.redirect("https://x.test/"),
        ("unknown", "http.redirect", "query", "base_url"),
    ),
    ("login page", faults.LOGIN_PAGE, ("unknown", "http.html", "query", "base_url")),
    ("no HTTP", faults.NOT_HTTP, ("network", "http.protocol", "auth", "base_url")),
    ("hangs up", faults.HANG_UP, ("network", "http.protocol", "auth", "base_url")),
    ("breaks off", faults.TRUNCATED, ("network", "http.protocol", "query", "base_url")),
    ("no gzip", faults.BROKEN_GZIP, ("unknown", "http.encoding", "query", "base_url")),
    ("204", Answer(204), OK),
    ("no JSON", faults.WRONG_TYPE, OK),
    ("text as HTML", Answer(200, b"ok", {"Content-Type": "text/html"}), OK),
    ("gzip", faults.GZIP, OK),
    ("chunked", faults.CHUNKED, OK),
    ("endless", faults.HUGE, OK),
)


@pytest.mark.parametrize(
    ("answer", "expected"), [c[1:] for c in REST_FAILURES], ids=[c[0] for c in REST_FAILURES]
)
@pytest.mark.inventory("S1-CONN010-03", "S1-CONN010-06", "S1-CONN012-03", "S0-ERR-02")
def test_answers(server: Server, answer: Answer, expected: Verdict) -> None:
    """What a server answers is told apart by its status, and by nothing that it says."""
    server.always(answer)
    assert expected == verdict(CONNECTOR.examine(connection(server)))


@pytest.mark.parametrize(
    ("answer", "stage"),
    [(faults.SILENT, "auth"), (faults.SLOW_HEAD, "auth"), (faults.SLOW_BODY, "query")],
    ids=["silent", "slow head", "slow body"],
)
@pytest.mark.inventory("S1-CONN009-05", "S1-CONN010-04")
def test_deadline(server: Server, answer: Answer, stage: str) -> None:
    """A server that is silent or drips is left at the deadline."""
    server.always(answer)
    result = CONNECTOR.examine(connection(server), timeout=0.3)
    assert verdict(result) == ("timeout", f"{stage}.timeout", stage, "base_url")
    assert result.details["elapsed_ms"] < 800


@pytest.mark.parametrize(
    ("when", "least", "most"),
    [(30, 30, 30), (timedelta(seconds=600), 500, 600)],
    ids=["seconds", "date"],
)
def test_retry_after(server: Server, when: int | timedelta, least: int, most: int) -> None:
    """The wait that the server asks for is in the details, whichever way it is written."""
    after = datetime.now(UTC) + when if isinstance(when, timedelta) else when
    server.always(faults.status(429, after))
    assert least <= CONNECTOR.examine(connection(server)).details["retry_after"] <= most


def test_redirects(server: Server) -> None:
    """A redirect is followed when the connection says so, and never to another origin."""
    follows = connection(server, follow_redirects=True)
    server.next(faults.redirect("/v1/orders"))
    assert verdict(CONNECTOR.examine(follows)) == OK
    server.always(faults.redirect("/v1/orders"))
    loop = ("network", "http.redirect_loop", "query", "base_url")
    assert verdict(CONNECTOR.examine(follows)) == loop
    with Server(rest.Rest()) as other:
        server.always(faults.redirect(f"{other.url}/v1"))
        assert verdict(CONNECTOR.examine(follows))[1] == "http.redirect"
        assert other.requests == []


def test_health_path(server: Server) -> None:
    """The health path is below the base URL, and is marked when nothing is there."""
    assert verdict(CONNECTOR.examine(connection(server, health_path="/health"))) == OK
    assert [request.target for request in server.requests] == ["/v1/health"]
    result = CONNECTOR.examine(connection(server, health_path="/nope"))
    assert verdict(result) == ("unknown", "http.404", "query", "health_path")


def test_headers_that_are_no_credentials(server: Server) -> None:
    """A header with another name than that of a credential is not held responsible for a 401."""
    plain = {"base_url": f"{server.url}/v1", "headers": {"X-Tenant": "acme", "accept": "text/csv"}}
    result = CONNECTOR.examine(plain)
    assert verdict(result) == ("auth", "http.401", "auth", "auth")
    assert "the connection has none" in result.details["cause"]
    assert server.requests[0].headers.get_all("Accept") == ["text/csv"]


def test_unproven_credentials() -> None:
    """A server that answers to anyone proves no credentials, and the check says so."""
    with Server(rest.Rest()) as server:
        result = CONNECTOR.examine(connection(server))
        assert UNPROVEN in result.details["hint"]
        chosen = CONNECTOR.examine(connection(server, health_path="/orders"))
    assert "hint" not in chosen.details


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, OK),
        ({"client_secret": WRONG}, ("auth", "oauth.invalid_client", "auth", "auth.client_secret")),
        ({"refresh_token": oauth.REFRESH_TOKEN}, OK),
        ({"refresh_token": WRONG}, ("auth", "oauth.invalid_grant", "auth", "auth.refresh_token")),
        ({"scopes": ["nope"]}, ("unknown", "oauth.invalid_scope", "auth", "auth.scope")),
    ],
    ids=["ok", "wrong secret", "refresh", "wrong refresh token", "unknown scope"],
)
def test_oauth2(change: dict[str, Any], expected: Verdict) -> None:
    """`type: oauth2` gets a token and uses it; what is wrong is inside `auth`."""
    tokens = oauth.TokenServer()
    client = {"client_id": oauth.CLIENT_ID, "client_secret": oauth.CLIENT_SECRET}
    with Server(tokens) as issuer, Server(rest.Rest(rest.bearer(tokens.issued))) as server:
        auth = {"type": "oauth2", "token_url": f"{issuer.url}/oauth/token", **client, **change}
        assert expected == verdict(CONNECTOR.examine(connection(server, auth=auth)))


def test_proxy(server: Server) -> None:
    """A proxy of the connection is used, and its login is told apart from that of the server."""
    proxy = Proxy((USERNAME, PASSWORD), (server.host, server.port))
    with Server(proxy) as front:
        login = "proxyuser:pr%40xy-" + CANARY
        through = front.url.replace("//", f"//{login}@")
        assert verdict(CONNECTOR.examine(connection(server, proxy=through))) == OK
        assert CONNECTOR.examine(connection(server, proxy=through)).details["proxy"] == (
            front.authority
        )
        assert set(proxy.forwards) == {server.authority}
        result = CONNECTOR.examine(connection(server, proxy=front.url))
    assert verdict(result) == ("auth", "http.407", "query", "proxy")


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("good", {}, OK),
        ("expired", {}, ("network", "tls.expired", "tls", "base_url")),
        ("wrong_host", {}, ("network", "tls.hostname", "tls", "base_url")),
        ("untrusted", {}, ("network", "tls.untrusted", "tls", "ssl_ca")),
        ("untrusted", {"verify": False}, OK),
    ],
    ids=["good", "expired", "wrong host", "untrusted", "unverified"],
)
@pytest.mark.inventory("S1-CONN017-01", "S1-CONN010-02")
def test_tls(
    certificates: Certificates, kind: Kind, fields: dict[str, Any], expected: Verdict
) -> None:
    """A certificate that is wrong is told apart, and `verify: false` takes any."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates.pair(kind))
    with Server(rest.Rest(rest.bearer()), tls=context) as server:
        plain = connection(server, ssl_ca=str(certificates.ca), **fields)
        result = CONNECTOR.examine(plain)
    assert expected == verdict(result)
    assert result.details.get("tls") == ("TLSv1.3" if expected == OK else None)


@pytest.mark.inventory("S1-CONN010-02")
def test_unreachable() -> None:
    """A refused connection, a name that does not exist and TLS on a plain port are told apart."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    refused = CONNECTOR.examine({"base_url": f"http://127.0.0.1:{port}"})
    assert verdict(refused) == ("network", "tcp.refused", "tcp", "base_url")
    nowhere = CONNECTOR.examine({"base_url": "http://nowhere.invalid./"})
    assert verdict(nowhere)[2:] == ("dns", "base_url")
    with Server(rest.Rest()) as server:
        plain = CONNECTOR.examine({"base_url": server.url.replace("http:", "https:")})
    assert verdict(plain) == ("network", "tls.not_spoken", "tls", "base_url")


def test_line_break_in_a_key(server: Server) -> None:
    """A key that HTTP cannot carry is an error of the connection, and is not shown."""
    result = CONNECTOR.examine(connection(server, api_key=f"{WRONG}\n"))
    assert verdict(result)[1] == "config.header"
    assert server.requests == []
