from collections.abc import Iterator
from typing import Any

import pytest

from osiris_lsp.connectors.families.openai import CONNECTOR
from tests.connectors.families.verdict import OK, Verdict, verdict
from tests.doubles import faults, openai
from tests.doubles.messages import CANARY, Answer, as_json
from tests.doubles.server import Server


@pytest.fixture
def server() -> Iterator[Server]:
    """The OpenAI API."""
    with Server(openai.Openai()) as server:
        yield server


def connection(server: Server, **fields: Any) -> dict[str, Any]:
    """A connection to the server with the right key, and other fields."""
    return {"base_url": f"{server.url}/v1", "api_key": openai.API_KEY, **fields}


CASES: tuple[tuple[str, dict[str, Any], Answer | None, Verdict], ...] = (
    ("right key", {}, None, OK),
    ("organization", {"organization": "org-example", "project": "proj-1"}, None, OK),
    (
        "wrong key",
        {"api_key": f"sk-{CANARY}"},
        None,
        ("auth", "http.401", "auth", "api_key"),
    ),
    ("no key", {"api_key": None}, None, ("auth", "http.401", "auth", "api_key")),
    (
        "wrong organization",
        {"organization": "org-wrong"},
        None,
        ("auth", "openai.invalid_organization", "auth", "organization"),
    ),
    (
        "country",
        {},
        openai.UNSUPPORTED_COUNTRY,
        ("permission", "openai.unsupported_country", "auth", "base_url"),
    ),
    (
        "scope",
        {},
        openai.MISSING_SCOPE,
        ("permission", "openai.missing_scope", "auth", "api_key"),
    ),
    ("403", {}, faults.status(403), ("permission", "http.403", "auth", "api_key")),
    ("rate limit", {}, openai.RATE_LIMITED, ("unknown", "http.429", "query", "base_url")),
    ("quota", {}, openai.QUOTA, ("unknown", "openai.insufficient_quota", "query", "api_key")),
    ("500", {}, openai.SERVER_ERROR, ("unknown", "http.500", "query", "base_url")),
    ("503", {}, openai.OVERLOADED, ("unknown", "http.503", "query", "base_url")),
    ("no version", {"base_url": "/"}, None, ("unknown", "http.404", "query", "base_url")),
    ("login page", {}, faults.LOGIN_PAGE, ("unknown", "http.html", "query", "base_url")),
    (
        "other JSON",
        {},
        as_json(200, {"a": 1}),
        ("unknown", "openai.no_models", "query", "base_url"),
    ),
    ("list", {}, as_json(200, []), ("unknown", "openai.no_models", "query", "base_url")),
)


@pytest.mark.parametrize(
    ("fields", "answer", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
@pytest.mark.inventory("S1-CONN010-01", "S1-CONN010-03", "S1-CONN010-06")
def test_answers(
    server: Server, fields: dict[str, Any], answer: Answer | None, expected: Verdict
) -> None:
    """What the API answers is told apart by status and code."""
    server.always(answer)
    plain = connection(server, **fields)
    if plain["base_url"] == "/":
        plain["base_url"] = server.url
    assert expected == verdict(CONNECTOR.examine(plain))


def test_quota_is_no_rate_limit(server: Server) -> None:
    """A used up quota is not to be tried again, a rate limit is, after the time that it names."""
    server.next(openai.QUOTA, openai.RATE_LIMITED)
    quota, rate = (CONNECTOR.examine(connection(server)).details for _ in range(2))
    assert (quota["retryable"], quota.get("retry_after")) == (False, None)
    assert (rate["retryable"], rate["retry_after"]) == (True, 20.0)


def test_models(server: Server) -> None:
    """Models that the connection names and the server does not list are told; defaults are not."""
    known = CONNECTOR.examine(connection(server, model=openai.MODELS[0])).details
    assert (known["models"], known.get("missing_models")) == (2, None)
    models = {"low": openai.MODELS[0], "high": "gpt-9"}
    result = CONNECTOR.examine(connection(server, model="gpt-8", models=models))
    assert result.ok
    assert result.details["missing_models"] == ["gpt-8", "gpt-9"]
    assert "openai.model_missing" in result.details["hint"]


def test_local_server() -> None:
    """A server without login needs no key, and lists models with a tag."""
    with Server(openai.Openai(key=None)) as server:
        server.always(as_json(200, {"data": [{"id": "llama3:latest"}]}))
        result = CONNECTOR.examine({"base_url": f"{server.url}/v1", "model": "llama3"})
    assert verdict(result) == OK
    assert "missing_models" not in result.details
    assert "Authorization" not in server.requests[0].headers


@pytest.mark.inventory("S1-CONN009-05")
def test_deadline(server: Server) -> None:
    """A server that is silent is left at the deadline."""
    server.always(faults.SILENT)
    result = CONNECTOR.examine(connection(server), timeout=0.3)
    assert verdict(result) == ("timeout", "auth.timeout", "auth", "base_url")
    assert result.details["elapsed_ms"] < 800
