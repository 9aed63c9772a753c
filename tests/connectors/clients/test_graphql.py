import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from osiris_lsp.connectors import (
    ConnectorParseError,
    ConnectorPermissionError,
    GraphQLClient,
    GraphQLError,
    RetryExhaustedError,
    ShopifyClient,
)
from tests.connectors.clients.plain import Pauses
from tests.doubles import graphql, shopify
from tests.doubles.messages import Answer, Request, as_json
from tests.doubles.server import Server
from tests.doubles.vendor import vendor

Client = TypeVar("Client", bound=GraphQLClient)


def use(client: Client, work: Callable[[Client], Awaitable[Any]]) -> Any:
    """Use a client in its session."""

    async def main() -> Any:
        async with client.session():
            return await work(client)

    return asyncio.run(main())


def client(server: Server, **fields: Any) -> GraphQLClient:
    """A client of the double, which does not sleep."""
    fields = {"endpoint": f"{server.url}/graphql", **fields}
    return GraphQLClient.from_connection(fields, sleep=Pauses())


@pytest.mark.parametrize(
    ("fields", "header", "value"),
    [
        ({}, "Authorization", None),
        ({"auth_type": "bearer", "auth_token": "t"}, "Authorization", "Bearer t"),
        (
            {"auth_type": "basic", "auth_token": "p", "auth_username": "u"},
            "Authorization",
            "Basic dTpw",
        ),
        ({"auth_type": "api_key", "auth_token": "k"}, "X-API-Key", "k"),
        ({"headers": {"X-Tenant": "acme"}}, "X-Tenant", "acme"),
    ],
)
def test_queries(fields: dict[str, Any], header: str, value: str | None) -> None:
    """A query is posted to the endpoint itself, with the credentials of the connection."""
    with Server(graphql.Graphql()) as server:
        asked = "query Q($id: ID) { orders { id } }"
        data = use(
            client(server, **fields), lambda api: api.query(asked, {"id": "1"}, operation="Q")
        )
    assert data == {"orders": [{"id": "1"}]}
    sent = server.requests[0]
    assert (sent.path, sent.headers.get(header)) == ("/graphql", value)
    assert sent.json() == {"query": asked, "variables": {"id": "1"}, "operationName": "Q"}
    assert "application/graphql-response+json" in sent.headers["Accept"]


def test_errors() -> None:
    """Errors that come with status 200 are told with their codes, and the data that came too."""
    with Server(graphql.Graphql()) as server:
        api = client(server, auth_type="bearer", auth_token="c4n4ryToken")
        partial = {
            "errors": [{"message": "no right for c4n4ryToken"}, {"extensions": {"code": "X"}}],
            "data": {"orders": None},
        }
        for answer, codes in (
            (graphql.FORBIDDEN, ("FORBIDDEN",)),
            (as_json(200, partial), ("unknown", "X")),
        ):
            server.next(answer)
            with pytest.raises(GraphQLError) as caught:
                use(client(server, auth_type="bearer", auth_token="c4n4ryToken"), _ask)
            assert (caught.value.codes, caught.value.status_code) == (codes, 200)
            assert "c4n4ryToken" not in f"{caught.value} {vars(caught.value)}"
        assert caught.value.data == {"orders": None}
        server.next(as_json(200, {"hello": 1}))
        with pytest.raises(ConnectorParseError):
            use(api, _ask)


async def _ask(api: GraphQLClient) -> Any:
    return await api.query("{ orders { id } }")


def pages(request: Request) -> Answer:
    """Three pages of two nodes, by a cursor."""
    after = int((request.json()["variables"] or {}).get("after") or 0)
    more = after < 4
    nodes = [{"node": {"id": after + 1}}, {"node": {"id": after + 2}}]
    info = {"hasNextPage": more, "endCursor": str(after + 2)}
    return as_json(200, {"data": {"shop": {"orders": {"edges": nodes, "pageInfo": info}}}})


def test_pages() -> None:
    """The nodes of all pages come one after the other; a cursor that stands still is the end."""

    async def nodes(api: GraphQLClient) -> list[Any]:
        query = "query($after: String) { shop { orders(after: $after) { edges { node { id } } } } }"
        return [node["id"] async for node in api.nodes(query, "shop.orders")]

    with Server(pages) as server:
        assert use(client(server), nodes) == [1, 2, 3, 4, 5, 6]
        info = {"hasNextPage": True, "endCursor": None}
        page = {"nodes": [{"id": 1}], "pageInfo": info}
        server.always(as_json(200, {"data": {"shop": {"orders": page}}}))
        assert use(client(server), nodes) == [1]
        server.always(as_json(200, {"data": {"shop": None}}))
        assert use(client(server), nodes) == []


def shop(**options: Any) -> ShopifyClient:
    """A client of the shop, by its own name."""
    fields = {
        "shop_domain": shopify.SHOP_DOMAIN,
        "access_token": shopify.ACCESS_TOKEN,
        "api_version": shopify.VERSIONS[-1],
    }
    return ShopifyClient.from_connection(fields, **options)


def answer(cost: float, left: float) -> Answer:
    """An answer with what it cost and what is left, as Shopify writes it."""
    bucket = {"maximumAvailable": 1000.0, "currentlyAvailable": left, "restoreRate": 50.0}
    spent = {"requestedQueryCost": cost, "actualQueryCost": cost, "throttleStatus": bucket}
    return as_json(200, {"data": {"shop": {}}, "extensions": {"cost": spent}})


def test_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop is asked with its token; a missing scope is an error with its code."""
    with vendor(shopify.Shopify(), shopify.SHOP_DOMAIN, tmp_path, monkeypatch):
        data = use(shop(), lambda api: api.query("{ shop { name } }"))
        assert data["shop"]["name"] == "Canary Store"
        with pytest.raises(GraphQLError) as caught:
            use(shop(), lambda api: api.query("{ products }"))
        assert caught.value.codes == ("ACCESS_DENIED",)
        assert shopify.ACCESS_TOKEN not in str(caught.value)


def test_shop_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A query that is throttled is made again when Shopify says: 752 points at 100 a second."""
    with vendor(shopify.Shopify(), shopify.SHOP_DOMAIN, tmp_path, monkeypatch) as found:
        pauses = Pauses()
        found.server.next(shopify.THROTTLED)
        assert use(shop(sleep=pauses), lambda api: api.query("{ shop { name } }"))
        assert list(pauses) == [7.5]
        found.server.always(shopify.THROTTLED)
        with pytest.raises(RetryExhaustedError) as caught:
            use(shop(sleep=Pauses()), lambda api: api.query("{ shop { name } }"))
        assert caught.value.code == "shopify.throttled"
        found.server.always(shopify.MISSING_SCOPE)
        with pytest.raises(ConnectorPermissionError):
            use(shop(), lambda api: api.query("{ shop { name } }"))


def test_shop_with_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen to cost more than is left waits; another document does not."""
    with vendor(shopify.Shopify(), shopify.SHOP_DOMAIN, tmp_path, monkeypatch) as found:
        pauses, now = Pauses(), [0.0]

        async def work(api: ShopifyClient) -> None:
            found.server.next(answer(400, 100), answer(10, 90), answer(400, 600))
            await api.query("{ shop { a } }")
            await api.query("{ shop { b } }")
            assert list(pauses) == []
            now[0] = 1.0  # 90 points, and 50 more by now
            await api.query("{ shop { a } }")
            assert list(pauses) == [5.2]
            found.server.next(answer(400, 500))
            await api.query("{ shop { a } }")
            assert list(pauses) == [5.2]

        use(shop(sleep=pauses, clock=lambda: now[0]), work)
