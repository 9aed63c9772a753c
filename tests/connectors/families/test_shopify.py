from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors.families.shopify import CONNECTOR
from tests.connectors.families.verdict import OK, Verdict, verdict
from tests.doubles import faults, shopify
from tests.doubles.messages import CANARY, Answer, as_json
from tests.doubles.proxy import PASSWORD, USERNAME, Proxy
from tests.doubles.server import Server
from tests.doubles.vendor import Vendor, vendor

VERSION = shopify.VERSIONS[-1]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    """The shop under its own name, behind a proxy and a certificate of an authority of ours."""
    with vendor(shopify.Shopify(), shopify.SHOP_DOMAIN, tmp_path, monkeypatch) as shop:
        yield shop


def connection(**fields: Any) -> dict[str, Any]:
    """A connection to the shop with the right token, and other fields."""
    login = {"shop_domain": shopify.SHOP_DOMAIN, "access_token": shopify.ACCESS_TOKEN}
    return {**login, "api_version": VERSION, **fields}


FROZEN = ("unknown", "http.402", "query", "shop_domain")
ANSWERS: tuple[tuple[str, Answer, Verdict], ...] = (
    ("401", shopify.UNAUTHORIZED, ("auth", "http.401", "auth", "access_token")),
    ("frozen", shopify.FROZEN, FROZEN),
    ("no scope, 403", shopify.MISSING_SCOPE, ("permission", "http.403", "auth", "access_token")),
    (
        "no scope, 200",
        shopify.ACCESS_DENIED,
        ("permission", "shopify.access_denied", "query", "access_token"),
    ),
    ("no version", shopify.NOT_FOUND, ("unknown", "http.404", "query", "api_version")),
    ("no shop", shopify.UNKNOWN_SHOP, ("unknown", "http.404", "query", "shop_domain")),
    ("locked", shopify.LOCKED, ("unknown", "http.423", "query", "shop_domain")),
    ("429", shopify.RATE_LIMITED, ("unknown", "http.429", "query", "rate_limit")),
    ("430", shopify.REJECTED, ("unknown", "http.430", "query", "rate_limit")),
    ("throttled", shopify.THROTTLED, ("unknown", "shopify.throttled", "query", "rate_limit")),
    ("500", faults.status(500), ("unknown", "http.500", "query", "shop_domain")),
    (
        "other error",
        as_json(200, {"errors": [{"message": "?"}]}),
        ("unknown", "graphql.error", "query", "api_version"),
    ),
    ("login page", faults.LOGIN_PAGE, ("unknown", "http.html", "query", "shop_domain")),
    (
        "other JSON",
        as_json(200, {"data": {}}),
        ("unknown", "graphql.no_data", "query", "shop_domain"),
    ),
)


@pytest.mark.parametrize(
    ("answer", "expected"), [c[1:] for c in ANSWERS], ids=[c[0] for c in ANSWERS]
)
@pytest.mark.inventory("S1-CONN010-01", "S1-CONN010-03", "S1-CONN010-06")
def test_answers(shop: Vendor, answer: Answer, expected: Verdict) -> None:
    """What Shopify answers is told apart by status and code."""
    shop.server.always(answer)
    assert expected == verdict(CONNECTOR.examine(connection()))


def test_waits(shop: Vendor) -> None:
    """How long to wait is in the header of a 429, and in the cost of a throttled query."""
    shop.server.next(shopify.RATE_LIMITED, shopify.THROTTLED)
    found = [CONNECTOR.examine(connection()).details["retry_after"] for _ in range(2)]
    assert found == [2.0, 7.5]


@pytest.mark.inventory("S1-CONN015-04", "S1-CONN015-05")
def test_request(shop: Vendor) -> None:
    """The query goes where the documentation says, with the token in its header."""
    result = CONNECTOR.examine(connection())
    assert verdict(result) == OK
    request = shop.server.requests[0]
    assert request.target == f"/admin/api/{VERSION}/graphql.json"
    assert request.headers["X-Shopify-Access-Token"] == shopify.ACCESS_TOKEN
    assert shop.proxy.tunnels == [f"{shopify.SHOP_DOMAIN}:443"]
    known = {name: result.details[name] for name in ("shop", "scopes", "api_version")}
    assert known == {"shop": "Canary Store", "scopes": ["read_orders"], "api_version": VERSION}
    assert "hint" not in result.details


@pytest.mark.inventory("S1-CONN015-03")
def test_versions(shop: Vendor) -> None:
    """The default version is out of support, and the check says which one answers for it."""
    result = CONNECTOR.examine(connection(api_version=None))
    assert verdict(result) == OK
    assert shop.server.requests[0].target == "/admin/api/2024-01/graphql.json"
    assert result.details["api_version"] == shopify.VERSIONS[0]
    assert "2024-01" in result.details["hint"]
    never = CONNECTOR.examine(connection(api_version="2031-01"))
    assert verdict(never) == ("unknown", "http.404", "query", "api_version")


@pytest.mark.inventory("S1-CONN010-01")
def test_wrong_token(shop: Vendor) -> None:
    """A wrong token fails."""
    result = CONNECTOR.examine(connection(access_token=f"shpat_wrong{CANARY}"))
    assert verdict(result) == ("auth", "http.401", "auth", "access_token")


@pytest.mark.inventory("S1-CONN009-05")
def test_deadline(shop: Vendor) -> None:
    """A shop that is silent is left at the deadline."""
    shop.server.always(faults.SILENT)
    result = CONNECTOR.examine(connection(), timeout=0.3)
    assert verdict(result) == ("timeout", "auth.timeout", "auth", "shop_domain")
    assert result.details["elapsed_ms"] < 800


def test_unknown_authority(shop: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that breaks TLS open is not trusted; without `ssl_ca` the address is marked."""
    monkeypatch.delenv("SSL_CERT_FILE")
    result = CONNECTOR.examine(connection())
    assert verdict(result) == ("network", "tls.untrusted", "tls", "shop_domain")
    assert "SSL_CERT_FILE" in result.details["remedy"]


@pytest.mark.parametrize(
    ("proxy", "answer", "expected"),
    [
        (Proxy((USERNAME, PASSWORD)), None, ("auth", "http.407", "tcp", "")),
        (Proxy(target=("127.0.0.1", 1)), None, ("network", "proxy.refused", "tcp", "")),
        (Proxy(), faults.NOT_HTTP, ("network", "proxy.protocol", "tcp", "")),
        (Proxy(), faults.SILENT, ("timeout", "tcp.timeout", "tcp", "")),
    ],
    ids=["login", "no way on", "no HTTP", "silent"],
)
@pytest.mark.inventory("S1-CONN010-02")
def test_proxies(
    shop: Vendor,
    monkeypatch: pytest.MonkeyPatch,
    proxy: Proxy,
    answer: Answer | None,
    expected: Verdict,
) -> None:
    """A proxy of the environment that fails is told apart from the shop, and is named."""
    with Server(proxy) as front:
        front.always(answer)
        monkeypatch.setenv("HTTPS_PROXY", front.url)
        result = CONNECTOR.examine(connection(), timeout=0.3)
    assert expected == verdict(result)
    assert result.details["proxy"] == front.authority
    assert "proxy" in result.details["cause"]
    assert shop.server.requests == []
