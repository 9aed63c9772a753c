from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors.families.posthog import CONNECTOR
from tests.connectors.families.verdict import OK, Verdict, verdict
from tests.doubles import faults, posthog
from tests.doubles.messages import CANARY, Answer, as_json
from tests.doubles.server import Server
from tests.doubles.vendor import vendor


def connection(base: str = "", **fields: Any) -> dict[str, Any]:
    """A connection with the right key: to PostHog itself, or to the server at `base`."""
    own = {"region": "self_hosted", "custom_base_url": base} if base else {}
    return {"api_key": posthog.PERSONAL_KEY, "project_id": posthog.PROJECT_ID, **own, **fields}


CASES: tuple[tuple[str, dict[str, Any], Answer | None, Verdict], ...] = (
    ("right key", {}, None, OK),
    ("wrong key", {"api_key": f"phx_{CANARY}"}, None, ("auth", "http.401", "auth", "api_key")),
    (
        "key without scope",
        {"api_key": posthog.UNSCOPED_KEY},
        None,
        ("permission", "http.403", "auth", "api_key"),
    ),
    (
        "key of the project",
        {"api_key": posthog.PROJECT_KEY},
        None,
        ("auth", "posthog.project_key", "config", "api_key"),
    ),
    ("no project", {"project_id": "1"}, None, ("unknown", "http.404", "query", "project_id")),
    (
        "path for a project",
        {"project_id": "../x"},
        None,
        ("unknown", "http.404", "query", "project_id"),
    ),
    (
        "no PostHog",
        {},
        faults.status(404),
        ("unknown", "http.404", "query", "custom_base_url"),
    ),
    ("throttled", {}, posthog.THROTTLED, ("unknown", "http.429", "query", "custom_base_url")),
    ("500", {}, faults.status(500), ("unknown", "http.500", "query", "custom_base_url")),
    ("login page", {}, faults.LOGIN_PAGE, ("unknown", "http.html", "query", "custom_base_url")),
    ("no JSON", {}, faults.INVALID_JSON, ("unknown", "http.not_json", "query", "custom_base_url")),
    (
        "no address",
        {"custom_base_url": None},
        None,
        ("unknown", "config.missing_field", "config", "custom_base_url"),
    ),
)


@pytest.mark.parametrize(
    ("fields", "answer", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
@pytest.mark.inventory("S1-CONN010-01", "S1-CONN010-03", "S1-CONN010-06")
def test_answers(fields: dict[str, Any], answer: Answer | None, expected: Verdict) -> None:
    """What PostHog answers is told apart, and so is a key that can only send events."""
    with Server(posthog.Posthog()) as server:
        server.always(answer)
        result = CONNECTOR.examine(connection(server.url, **fields))
    assert expected == verdict(result)


@pytest.mark.parametrize(("region", "host"), [(None, "us"), ("us", "us"), ("eu", "eu")])
def test_clouds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, region: str | None, host: str
) -> None:
    """The region decides which cloud is asked; the one in the United States is the default."""
    name = f"{host}.posthog.com"
    with vendor(posthog.Posthog(), name, tmp_path, monkeypatch) as cloud:
        result = CONNECTOR.examine(connection(region=region))
    assert (verdict(result), result.details["project"]) == (OK, "Canary")
    assert cloud.proxy.tunnels == [f"{name}:443"]


def test_other_json() -> None:
    """An answer that is no project is a failure."""
    with Server(posthog.Posthog()) as server:
        server.always(as_json(200, {"status": "ok"}))
        result = CONNECTOR.examine(connection(server.url))
    assert verdict(result) == ("unknown", "posthog.answer", "query", "custom_base_url")


@pytest.mark.inventory("S1-CONN009-05")
def test_deadline() -> None:
    """A server that drips is left at the deadline."""
    with Server(posthog.Posthog()) as server:
        server.always(faults.SLOW_HEAD)
        result = CONNECTOR.examine(connection(server.url), timeout=0.3)
    assert verdict(result) == ("timeout", "auth.timeout", "auth", "custom_base_url")
    assert result.details["elapsed_ms"] < 800
