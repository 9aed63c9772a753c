from typing import Any

import pytest

from osiris_lsp.connectors.families.stripe import CONNECTOR
from tests.connectors.families.verdict import OK, Verdict, verdict
from tests.doubles import faults, stripe
from tests.doubles.messages import Answer, as_json
from tests.doubles.server import Server


def connection(base: str, **fields: Any) -> dict[str, Any]:
    """A connection with the right key."""
    return {"secret_key": stripe.SECRET_KEY, "base_url": base, **fields}


CASES: tuple[tuple[str, dict[str, Any], Answer | None, Verdict], ...] = (
    ("right key", {}, None, OK),
    ("restricted key", {"secret_key": stripe.RESTRICTED_KEY}, None, OK),
    (
        "wrong key",
        {"secret_key": "sk_test_c4n4ryWrong"},
        None,
        ("auth", "http.401", "auth", "secret_key"),
    ),
    (
        "publishable key",
        {"secret_key": stripe.PUBLISHABLE_KEY},
        None,
        ("auth", "stripe.publishable_key", "config", "secret_key"),
    ),
    (
        "another account",
        {"account": "acct_2"},
        stripe.problem(403, "invalid_request_error", "The provided key has no access."),
        ("permission", "http.403", "auth", "account"),
    ),
    (
        "no version",
        {"api_version": "yesterday"},
        stripe.problem(400, "invalid_request_error", "Invalid Stripe API version"),
        ("unknown", "http.400", "query", "api_version"),
    ),
    ("throttled", {}, stripe.RATE_LIMITED, ("unknown", "http.429", "query", "base_url")),
    ("500", {}, stripe.BROKEN, ("unknown", "http.500", "query", "base_url")),
    ("login page", {}, faults.LOGIN_PAGE, ("unknown", "http.html", "query", "base_url")),
    ("other JSON", {}, as_json(200, {"a": 1}), ("unknown", "stripe.answer", "query", "base_url")),
)


@pytest.mark.parametrize(
    ("fields", "answer", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
@pytest.mark.inventory("S1-CONN010-01", "S1-CONN010-03", "S3-TYPE-05")
def test_answers(fields: dict[str, Any], answer: Answer | None, expected: Verdict) -> None:
    """What Stripe answers is told apart, and so is a key that web pages use."""
    with Server(stripe.Stripe()) as server:
        server.always(answer)
        result = CONNECTOR.examine(connection(server.url, **fields))
    assert expected == verdict(result)
    assert "c4n4ry" not in str(result.as_json())


def test_facts() -> None:
    """The account and the mode of the key are told; of a restricted key, that more is not known."""
    with Server(stripe.Stripe()) as server:
        details = CONNECTOR.examine(connection(server.url)).details
        limited = CONNECTOR.examine(connection(server.url, secret_key=stripe.RESTRICTED_KEY))
    assert (details["account"], details["mode"], details["country"]) == (
        stripe.ACCOUNT,
        "test",
        "NL",
    )
    assert "cannot be told" in limited.details["hint"]


@pytest.mark.inventory("S1-CONN009-05")
def test_deadline() -> None:
    """A server that drips is left at the deadline."""
    with Server(stripe.Stripe()) as server:
        server.always(faults.SLOW_HEAD)
        result = CONNECTOR.examine(connection(server.url), timeout=0.3)
    assert verdict(result) == ("timeout", "auth.timeout", "auth", "base_url")
