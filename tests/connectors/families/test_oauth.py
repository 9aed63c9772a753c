from collections.abc import Iterator
from typing import Any

import pytest

from osiris_lsp.connectors.families.oauth import CONNECTOR
from tests.connectors.families.verdict import OK, Verdict, verdict
from tests.doubles import faults, oauth
from tests.doubles.messages import CANARY, Answer, as_json
from tests.doubles.server import Server

WRONG = f"wrong-{CANARY}"


@pytest.fixture
def server() -> Iterator[Server]:
    """A token server."""
    with Server(oauth.TokenServer()) as server:
        yield server


def connection(server: Server, **fields: Any) -> dict[str, Any]:
    """A connection to the server with the right client, and other fields."""
    client = {"client_id": oauth.CLIENT_ID, "client_secret": oauth.CLIENT_SECRET}
    return {"token_url": f"{server.url}/oauth/token", **client, **fields}


REFRESH = {"grant_type": "refresh_token", "refresh_token": oauth.REFRESH_TOKEN}

CLIENTS: tuple[tuple[str, dict[str, Any], Verdict], ...] = (
    ("basic", {}, OK),
    ("post", {"auth_method": "client_secret_post"}, OK),
    ("scope", {"scope": "orders:read"}, OK),
    ("scopes", {"scopes": list(oauth.SCOPES)}, OK),
    ("refresh", REFRESH, OK),
    (
        "wrong secret",
        {"client_secret": WRONG},
        ("auth", "oauth.invalid_client", "auth", "client_secret"),
    ),
    ("wrong client", {"client_id": "x"}, ("auth", "oauth.invalid_client", "auth", "client_secret")),
    (
        "other client",
        {"client_id": oauth.UNAUTHORIZED_CLIENT_ID},
        ("permission", "oauth.unauthorized_client", "auth", "client_id"),
    ),
    ("unknown scope", {"scope": "x"}, ("unknown", "oauth.invalid_scope", "auth", "scope")),
    (
        "wrong refresh token",
        {**REFRESH, "refresh_token": WRONG},
        ("auth", "oauth.invalid_grant", "auth", "refresh_token"),
    ),
)


@pytest.mark.parametrize(
    ("fields", "expected"), [c[1:] for c in CLIENTS], ids=[c[0] for c in CLIENTS]
)
@pytest.mark.inventory("S1-CONN010-01")
def test_clients(server: Server, fields: dict[str, Any], expected: Verdict) -> None:
    """Client and grant are really checked, and what is wrong has its own field."""
    assert expected == verdict(CONNECTOR.examine(connection(server, **fields)))


NOT_A_TOKEN = ("unknown", "oauth.no_token", "query", "token_url")
ANSWERS: tuple[tuple[str, Answer, Verdict], ...] = (
    (
        "unsupported grant",
        oauth.UNSUPPORTED_GRANT,
        ("unknown", "oauth.unsupported_grant_type", "auth", "grant_type"),
    ),
    (
        "invalid request",
        oauth.INVALID_REQUEST,
        ("unknown", "oauth.invalid_request", "auth", "token_url"),
    ),
    (
        "refused grant",
        oauth.INVALID_GRANT,
        ("auth", "oauth.invalid_grant", "auth", "client_secret"),
    ),
    (
        "error with 200",
        as_json(200, {"error": "bad_verification_code"}),
        ("unknown", "oauth.bad_verification_code", "auth", "token_url"),
    ),
    (
        "error of another kind",
        as_json(400, {"error": {"code": 1}}),
        ("unknown", "http.400", "query", "token_url"),
    ),
    (
        "error as a text",
        as_json(401, {"error": "Not for You"}),
        ("auth", "http.401", "auth", "client_secret"),
    ),
    ("no token", oauth.WITHOUT_TOKEN, NOT_A_TOKEN),
    ("a list", as_json(200, []), NOT_A_TOKEN),
    ("login page", faults.LOGIN_PAGE, ("unknown", "http.html", "query", "token_url")),
    ("no JSON", faults.INVALID_JSON, ("unknown", "http.not_json", "query", "token_url")),
    ("404", faults.status(404), ("unknown", "http.404", "query", "token_url")),
    ("429", faults.status(429), ("unknown", "http.429", "query", "token_url")),
    ("500", faults.status(500), ("unknown", "http.500", "query", "token_url")),
    ("redirect", faults.redirect("/x"), ("unknown", "http.redirect", "query", "token_url")),
)


@pytest.mark.parametrize(
    ("answer", "expected"), [c[1:] for c in ANSWERS], ids=[c[0] for c in ANSWERS]
)
@pytest.mark.inventory("S1-CONN010-03", "S1-CONN010-06")
def test_answers(server: Server, answer: Answer, expected: Verdict) -> None:
    """An error is known by its name (RFC 6749 section 5.2), and by the status without one."""
    server.always(answer)
    assert expected == verdict(CONNECTOR.examine(connection(server)))


@pytest.mark.inventory("S1-CONN011-01")
def test_facts(server: Server) -> None:
    """What the server says about the token is told; the token is not."""
    result = CONNECTOR.examine(connection(server, headers={"X-Tenant": "acme"}))
    known = ("token_type", "expires_in", "scope")
    found = {name: result.details[name] for name in known}
    assert found == {"token_type": "Bearer", "expires_in": 3600, "scope": " ".join(oauth.SCOPES)}
    assert CANARY not in repr(result)
    assert server.requests[0].headers["X-Tenant"] == "acme"


@pytest.mark.inventory("S1-CONN009-05")
def test_deadline(server: Server) -> None:
    """A token server that is silent is left at the deadline."""
    server.always(faults.SILENT)
    result = CONNECTOR.examine(connection(server), timeout=0.3)
    assert verdict(result) == ("timeout", "auth.timeout", "auth", "token_url")
    assert result.details["elapsed_ms"] < 800


def test_audience() -> None:
    """The audience goes along where the connection names one."""
    with Server(oauth.TokenServer(audience="orders")) as server:
        assert verdict(CONNECTOR.examine(connection(server, audience="orders"))) == OK
        assert verdict(CONNECTOR.examine(connection(server)))[1] == "oauth.invalid_request"
