from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors.families.pagerduty import CONNECTOR
from tests.connectors.families.verdict import OK, Verdict, verdict
from tests.doubles import faults, pagerduty
from tests.doubles.messages import Answer, as_json
from tests.doubles.server import Server
from tests.doubles.vendor import vendor

CASES: tuple[tuple[str, dict[str, Any], Answer | None, Verdict], ...] = (
    ("right key", {}, None, OK),
    ("read-only key", {"api_key": pagerduty.READ_ONLY_KEY}, None, OK),
    ("token", {"api_key": pagerduty.OAUTH_TOKEN, "token_type": "bearer"}, None, OK),
    ("wrong key", {"api_key": "c4n4ry-wrong"}, None, ("auth", "http.401", "auth", "api_key")),
    (
        "token for a key",
        {"api_key": pagerduty.OAUTH_TOKEN},
        None,
        ("auth", "http.401", "auth", "api_key"),
    ),
    (
        "no rights",
        {},
        pagerduty.ACCESS_DENIED,
        ("permission", "http.403", "auth", "api_key"),
    ),
    ("throttled", {}, pagerduty.RATE_LIMITED, ("unknown", "http.429", "query", "base_url")),
    ("500", {}, faults.status(500), ("unknown", "http.500", "query", "base_url")),
    ("login page", {}, faults.LOGIN_PAGE, ("unknown", "http.html", "query", "base_url")),
    ("other JSON", {}, as_json(200, {}), ("unknown", "pagerduty.answer", "query", "base_url")),
)


@pytest.mark.parametrize(
    ("fields", "answer", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
@pytest.mark.inventory("S1-CONN010-01", "S1-CONN010-03", "S3-TYPE-05")
def test_answers(fields: dict[str, Any], answer: Answer | None, expected: Verdict) -> None:
    """What PagerDuty answers is told apart, for keys and for tokens of OAuth."""
    with Server(pagerduty.PagerDuty()) as server:
        server.always(answer)
        given = {"api_key": pagerduty.API_KEY, "base_url": server.url, **fields}
        result = CONNECTOR.examine(given)
    assert expected == verdict(result)
    assert "c4n4ry" not in str(result.as_json())
    if result.ok:
        assert result.details["abilities"] == 2


@pytest.mark.parametrize(("region", "host"), [(None, "api"), ("us", "api"), ("eu", "api.eu")])
def test_regions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, region: str | None, host: str
) -> None:
    """The region decides which address is asked; the one in the United States is the default."""
    name = f"{host}.pagerduty.com"
    with vendor(pagerduty.PagerDuty(), name, tmp_path, monkeypatch) as service:
        result = CONNECTOR.examine({"api_key": pagerduty.API_KEY, "region": region})
    assert verdict(result) == OK
    assert service.proxy.tunnels == [f"{name}:443"]
