import time
from typing import Any
from urllib.parse import quote

import pytest

from osiris_lsp.connectors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorPermissionError,
    ConnectorTimeoutError,
    MongoConnection,
)
from tests.doubles.mongodb import DATABASE, PASSWORD, USERNAME, Mongodb
from tests.services import faults


def config(port: int, **fields: Any) -> dict[str, Any]:
    """A connection with the right login."""
    own = {"host": "127.0.0.1", "port": port, "user": USERNAME, "password": PASSWORD}
    return {**own, "database": DATABASE, "connect_timeout": 3, **fields}


def test_documents() -> None:
    """Documents are added, found, changed and deleted."""
    with Mongodb(collections={}) as server, MongoConnection(config(server.port)) as shop:
        rows = [{"_id": 1, "total": 9}, {"_id": 2, "total": 3}]
        assert (shop.insert("orders", rows), shop.insert("orders", [])) == (2, 0)
        assert list(shop.find("orders")) == rows
        assert list(shop.find("orders", {"total": 3}, limit=1)) == [rows[1]]
        assert shop.update("orders", {"_id": 2}, {"total": 4}) == 1
        assert [row["total"] for row in shop.find("orders")] == [9, 4]
        assert shop.delete("orders", {"_id": 1}) == 1
        assert list(shop.find("orders", {"_id": 1})) == []
        with pytest.raises(ConnectorError) as caught:
            shop.insert("orders", [{"_id": 2}])
        assert caught.value.code != "failed"


def test_nothing_is_meant_by_everything() -> None:
    """An empty filter changes and deletes nothing."""
    with Mongodb(collections={}) as server, MongoConnection(config(server.port)) as shop:
        with pytest.raises(ConnectorConfigError) as caught:
            shop.delete("x", {})
        assert caught.value.field == "filter"
        with pytest.raises(ConnectorConfigError):
            shop.update("x", {}, {"a": 1})
        assert {"delete", "update"}.isdisjoint(server.commands)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"password": "c4n4ry-wrong"}, ConnectorAuthError),
        ({"user": None, "password": None}, ConnectorAuthError),
        ({"database": None}, ConnectorConfigError),
        ({"port": 1}, ConnectorNetworkError),
        ({"database": "private"}, ConnectorPermissionError),
    ],
)
def test_what_goes_wrong(fields: dict[str, Any], kind: type[ConnectorError]) -> None:
    """The doctor's words for it, and no secret."""
    with (
        Mongodb(collections={}) as server,
        pytest.raises(kind) as caught,
        MongoConnection(config(server.port) | fields) as shop,
    ):
        list(shop.find("orders"))
    assert "c4n4ry" not in f"{caught.value} {vars(caught.value)}"


def test_a_uri() -> None:
    """The fields may stand in one text."""
    with Mongodb(collections={"orders": [{"_id": 1}]}) as server:
        login = f"{USERNAME}:{quote(PASSWORD, safe='')}"
        uri = f"mongodb://{login}@127.0.0.1:{server.port}/{DATABASE}?authSource=admin"
        with MongoConnection({"uri": uri}) as shop:
            assert list(shop.find("orders")) == [{"_id": 1}]


def test_a_server_out_of_reach() -> None:
    """Reaching for a server ends with its time limit."""
    with faults.black_hole() as server:
        began = time.monotonic()
        with pytest.raises(ConnectorTimeoutError):
            MongoConnection(config(server.port, connect_timeout=0.4))
        assert time.monotonic() - began < 3
