from collections.abc import Iterator
from typing import Any

import pytest

from osiris_lsp.connectors.families.api import UNPROVEN
from osiris_lsp.connectors.families.graphql import CONNECTOR
from tests.connectors.families.verdict import OK, Verdict, verdict
from tests.doubles import faults, graphql, rest
from tests.doubles.messages import CANARY, Answer, as_json
from tests.doubles.server import Server

BEARER = {"auth_type": "bearer", "auth_token": graphql.TOKEN}


@pytest.fixture
def server() -> Iterator[Server]:
    """A GraphQL server that wants a bearer token."""
    with Server(graphql.Graphql(rest.bearer((graphql.TOKEN,)))) as server:
        yield server


def connection(server: Server, **fields: Any) -> dict[str, Any]:
    """A connection to the server with the right token, and other fields."""
    return {"endpoint": f"{server.url}/graphql", **BEARER, **fields}


LOGINS: tuple[tuple[str, rest.Check, dict[str, Any]], ...] = (
    ("none", rest.anyone, {}),
    ("bearer", rest.bearer((graphql.TOKEN,)), BEARER),
    (
        "basic",
        rest.basic("reporting", graphql.TOKEN),
        {"auth_type": "basic", "auth_username": "reporting", "auth_token": graphql.TOKEN},
    ),
    (
        "api_key",
        rest.header_key("X-API-Key", graphql.TOKEN),
        {"auth_type": "api_key", "auth_token": graphql.TOKEN},
    ),
    (
        "api_key in a header",
        rest.header_key("X-Token", graphql.TOKEN),
        {"auth_type": "api_key", "auth_token": graphql.TOKEN, "auth_header_name": "X-Token"},
    ),
    (
        "headers",
        rest.header_key("X-Token", graphql.TOKEN),
        {"headers": {"X-Token": graphql.TOKEN}},
    ),
)


@pytest.mark.parametrize(("accepts", "fields"), [c[1:] for c in LOGINS], ids=[c[0] for c in LOGINS])
def test_logins(accepts: rest.Check, fields: dict[str, Any]) -> None:
    """Each kind of credential arrives where it belongs, and only those are proven."""
    with Server(graphql.Graphql(accepts)) as server:
        result = CONNECTOR.examine({"endpoint": f"{server.url}/graphql", **fields})
    assert verdict(result) == OK
    assert "hint" not in result.details


UNAUTHENTICATED = ("auth", "graphql.unauthenticated", "auth", "auth_token")
NO_DATA = ("unknown", "graphql.no_data", "query", "endpoint")
ANSWERS: tuple[tuple[str, Answer, Verdict], ...] = (
    ("not logged in", graphql.UNAUTHENTICATED, UNAUTHENTICATED),
    ("Hasura", graphql.errors(200, "invalid-jwt", "Could not verify JWT"), UNAUTHENTICATED),
    ("not logged in, 400", graphql.errors(400, "UNAUTHENTICATED", ""), UNAUTHENTICATED),
    (
        "not allowed",
        graphql.FORBIDDEN,
        ("permission", "graphql.forbidden", "auth", "auth_token"),
    ),
    (
        "other error",
        graphql.errors(200, "DOWNSTREAM", ""),
        ("unknown", "graphql.error", "query", "endpoint"),
    ),
    (
        "error without code",
        as_json(200, {"errors": ["no"]}),
        ("unknown", "graphql.error", "query", "endpoint"),
    ),
    ("refused", graphql.INTROSPECTION_DISABLED, ("unknown", "http.400", "query", "endpoint")),
    ("internal", graphql.INTERNAL, ("unknown", "http.500", "query", "endpoint")),
    ("401", faults.status(401), ("auth", "http.401", "auth", "auth_token")),
    ("403", faults.status(403), ("permission", "http.403", "auth", "auth_token")),
    ("404", faults.status(404), ("unknown", "http.404", "query", "endpoint")),
    ("429", faults.status(429), ("unknown", "http.429", "query", "endpoint")),
    ("login page", faults.LOGIN_PAGE, ("unknown", "http.html", "query", "endpoint")),
    ("other JSON", as_json(200, {"status": "ok"}), NO_DATA),
    ("no data", as_json(200, {"data": None}), NO_DATA),
    ("a list", as_json(200, []), NO_DATA),
)


@pytest.mark.parametrize(
    ("answer", "expected"), [c[1:] for c in ANSWERS], ids=[c[0] for c in ANSWERS]
)
@pytest.mark.inventory("S1-CONN010-01", "S1-CONN010-03", "S1-CONN010-06")
def test_answers(server: Server, answer: Answer, expected: Verdict) -> None:
    """Errors are known by their codes, also where they come with status 200."""
    server.always(answer)
    assert expected == verdict(CONNECTOR.examine(connection(server)))


def test_credentials(server: Server) -> None:
    """A wrong token fails, and one that is missing says so."""
    wrong = CONNECTOR.examine(connection(server, auth_token=f"wrong-{CANARY}"))
    assert verdict(wrong) == UNAUTHENTICATED
    server.always(faults.status(401))
    missing = CONNECTOR.examine({"endpoint": f"{server.url}/graphql"})
    assert verdict(missing) == ("auth", "http.401", "auth", "auth_type")


def test_unproven_credentials() -> None:
    """A server that answers to anyone proves no token, and the check says so."""
    with Server(graphql.Graphql()) as server:
        assert CONNECTOR.examine(connection(server)).details["hint"] == UNPROVEN


@pytest.mark.inventory("S1-CONN009-05")
def test_deadline(server: Server) -> None:
    """A server that drips is left at the deadline."""
    server.always(faults.SLOW_BODY)
    result = CONNECTOR.examine(connection(server), timeout=0.3)
    assert verdict(result) == ("timeout", "query.timeout", "query", "endpoint")
    assert result.details["elapsed_ms"] < 800
