"""The client of a shop, from its connection to an answer (CONN-015)."""

from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors import ShopifyClient
from tests.connectors.clients.plain import within
from tests.doubles import shopify
from tests.doubles.vendor import vendor

SHOP = {"shop_domain": shopify.SHOP_DOMAIN, "access_token": shopify.ACCESS_TOKEN}


@pytest.mark.inventory("S1-CONN015-02")
@pytest.mark.parametrize(
    "given", [{}, {"shop_domain": "a"}, {"access_token": "b"}, {**SHOP, "access_token": ""}]
)
def test_what_a_shop_needs(given: dict[str, Any]) -> None:
    """In the words of the contract."""
    with pytest.raises(ValueError, match=r"^shop_domain and access_token are required$"):
        ShopifyClient.create_client(given)


@pytest.mark.inventory("S1-CONN015-01", "S1-CONN015-03", "S1-CONN015-04", "S1-CONN015-05")
def test_the_address_and_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version of the contract where none is given; the token in its own header."""
    with vendor(shopify.Shopify(), shopify.SHOP_DOMAIN, tmp_path, monkeypatch) as shop:
        client = ShopifyClient.create_client(SHOP)
        assert within(client, lambda api: api.query("{ shop { name } }"))
        request = shop.server.requests[0]
    assert (request.method, request.target) == ("POST", "/admin/api/2024-01/graphql.json")
    assert request.headers["X-Shopify-Access-Token"] == shopify.ACCESS_TOKEN
    assert shopify.ACCESS_TOKEN not in repr(client.config)
