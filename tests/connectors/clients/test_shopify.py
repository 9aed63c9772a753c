"""The client of a shop, from its connection to an answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors import ConnectorAPIError, ConnectorAuthError, ShopifyClient
from osiris_lsp.secret import Secret
from tests.connectors.clients.plain import within
from tests.doubles import shopify
from tests.doubles.vendor import Vendor, vendor

SHOP = {"shop_domain": shopify.SHOP_DOMAIN, "access_token": shopify.ACCESS_TOKEN}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    """The shop under its own name."""
    with vendor(shopify.Shopify(), shopify.SHOP_DOMAIN, tmp_path, monkeypatch) as shop:
        yield shop


@pytest.mark.inventory("S1-CONN015-02")
@pytest.mark.parametrize(
    "given", [{}, {"shop_domain": "a"}, {"access_token": "b"}, {**SHOP, "access_token": ""}]
)
def test_what_a_shop_needs(given: dict[str, Any]) -> None:
    """In the words of the contract."""
    with pytest.raises(ValueError, match=r"^shop_domain and access_token are required$"):
        ShopifyClient.create_client(given)


@pytest.mark.inventory("S1-CONN015-01", "S1-CONN015-03", "S1-CONN015-04", "S1-CONN015-05")
def test_the_address_and_the_token(shop: Vendor) -> None:
    """The version of the contract where none is given; the token in its own header."""
    older = ShopifyClient.create_client(SHOP)
    assert older.config.base_url == f"https://{shopify.SHOP_DOMAIN}/admin/api/2024-01"
    assert shopify.ACCESS_TOKEN not in repr(older.config)
    version = shopify.VERSIONS[-1]
    given = {**SHOP, "access_token": Secret(shopify.ACCESS_TOKEN), "api_version": version}
    client = ShopifyClient.create_client(given)
    assert within(client, lambda api: api.query("{ shop { name } }"))["shop"]["name"]
    (request,) = shop.server.requests
    assert (request.method, request.target) == ("POST", f"/admin/api/{version}/graphql.json")
    assert request.headers["X-Shopify-Access-Token"] == shopify.ACCESS_TOKEN


def test_errors_of_a_shop(shop: Vendor) -> None:
    """Those of HTTP, and those that come with status 200; none shows the token."""
    shop.server.always(shopify.UNAUTHORIZED)
    with pytest.raises(ConnectorAuthError) as refused:
        within(ShopifyClient.create_client(SHOP), lambda api: api.query("{ shop { name } }"))
    shop.server.always(shopify.THROTTLED)
    with pytest.raises(ConnectorAPIError) as throttled:
        within(ShopifyClient.create_client(SHOP), lambda api: api.query("{ shop { name } }"))
    assert throttled.value.code == "graphql.error"
    assert shopify.ACCESS_TOKEN not in f"{refused.value}{throttled.value}"
