from typing import Any

import pytest

from osiris_lsp.connectors.families.hubspot import CONNECTOR
from tests.connectors.families.verdict import OK, Verdict, verdict
from tests.doubles import faults, hubspot
from tests.doubles.messages import Answer, as_json
from tests.doubles.server import Server

CASES: tuple[tuple[str, dict[str, Any], Answer | None, Verdict], ...] = (
    ("right token", {}, None, OK),
    ("token without scopes", {"access_token": hubspot.UNSCOPED_TOKEN}, None, OK),
    (
        "wrong token",
        {"access_token": "pat-na1-c4n4ry"},
        None,
        ("auth", "http.401", "auth", "access_token"),
    ),
    ("no rights", {}, hubspot.MISSING_SCOPES, ("permission", "http.403", "auth", "access_token")),
    ("throttled", {}, hubspot.RATE_LIMITED, ("unknown", "http.429", "query", "base_url")),
    ("500", {}, faults.status(500), ("unknown", "http.500", "query", "base_url")),
    ("no API", {}, faults.status(404), ("unknown", "http.404", "query", "base_url")),
    ("login page", {}, faults.LOGIN_PAGE, ("unknown", "http.html", "query", "base_url")),
    ("other JSON", {}, as_json(200, []), ("unknown", "hubspot.answer", "query", "base_url")),
)


@pytest.mark.parametrize(
    ("fields", "answer", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
@pytest.mark.inventory("S1-CONN010-01", "S1-CONN010-03", "S3-TYPE-05")
def test_answers(fields: dict[str, Any], answer: Answer | None, expected: Verdict) -> None:
    """What HubSpot answers is told apart, and the account is named where all is well."""
    with Server(hubspot.HubSpot()) as server:
        server.always(answer)
        given = {"access_token": hubspot.TOKEN, "base_url": server.url, **fields}
        result = CONNECTOR.examine(given)
    assert expected == verdict(result)
    assert "c4n4ry" not in str(result.as_json())
    if result.ok:
        assert (result.details["portal"], result.details["region"]) == (hubspot.PORTAL, "eu1")
