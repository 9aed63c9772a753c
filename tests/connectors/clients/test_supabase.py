import datetime
import decimal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas
import pytest

from osiris_lsp.connectors import (
    ConnectionResolver,
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNotFoundError,
    ConnectorParseError,
    ConnectorPermissionError,
    ConnectorTimeoutError,
    SupabaseConnection,
    atomic_write,
    batch_insert,
    ensure_directory,
    get_table_schema,
)
from osiris_lsp.secret import Secret
from tests.doubles.messages import CANARY, Answer, as_json
from tests.doubles.server import Server
from tests.doubles.supabase import ANON_KEY, SECRET_KEY, SERVICE_ROLE_KEY, Supabase


@pytest.fixture
def double() -> Supabase:
    """A project with orders, one of them without a total."""
    rows: list[dict[str, Any]] = [
        {"id": 1, "total": 9, "paid": True, "note": "a,b.(c)"},
        {"id": 2, "total": None, "paid": False, "note": "x"},
    ]
    return Supabase({"orders": rows, "empty": []})


@pytest.fixture
def server(double: Supabase) -> Iterator[Server]:
    """The project at an address."""
    with Server(double) as running:
        yield running


def connect(server: Server, key: str = SECRET_KEY, **fields: Any) -> SupabaseConnection:
    """A connection with the names that the seed has."""
    return SupabaseConnection({"url": server.url, "key": key, **fields})


@pytest.mark.inventory("S2-SUPA-01", "R-02")
@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"key": SECRET_KEY}, "url"),
        ({"url": "https://x.supabase.co"}, "key"),
        ({"url": "", "key": SECRET_KEY}, "url"),
        ({"url": "https://x.supabase.co", "key": ""}, "key"),
        ({"url": "no address", "key": SECRET_KEY}, "base_url"),
        ({"url": "https://x.supabase.co", "key": "k", "timeout": "soon"}, "timeout"),
        ({"url": "https://x.supabase.co", "key": "k", "timeout": 0}, "timeout"),
    ],
)
def test_what_is_missing(config: dict[str, Any], field: str) -> None:
    """A connection that cannot work is refused before anything is sent."""
    with pytest.raises(ConnectorConfigError) as caught:
        SupabaseConnection(config)
    assert caught.value.field == field


@pytest.mark.inventory("S2-SUPA-01", "R-02")
def test_what_a_connection_has() -> None:
    """Address, key and client; of several keys the one with the most rights, and none shows."""
    keys = {"anon_key": ANON_KEY, "service_role_key": SERVICE_ROLE_KEY, "key": SECRET_KEY}
    with SupabaseConnection({"project_id": "abc", **keys}) as connection:
        assert connection.url == "https://abc.supabase.co"
        assert connection.key == Secret(SERVICE_ROLE_KEY)
        assert connection.client.config.base_url == "https://abc.supabase.co/rest/v1"
        shown = f"{connection!r} {connection.key} {connection.client.config!r} {vars(connection)}"
    assert CANARY not in shown and SERVICE_ROLE_KEY not in shown


@pytest.mark.inventory("S2-SUPA-08")
def test_auto_refresh_token() -> None:
    """It is accepted, true by default, and has to be a boolean."""
    for value in (True, False):
        config = {"url": "https://x.supabase.co", "key": "k", "auto_refresh_token": value}
        SupabaseConnection(config).close()
    with pytest.raises(ConnectorConfigError) as caught:
        SupabaseConnection({**config, "auto_refresh_token": "yes"})
    assert caught.value.field == "auto_refresh_token"


@pytest.mark.inventory("S2-SUPA-02")
def test_select(server: Server) -> None:
    """Each filter is `?column=eq.value`, as it is encoded on the wire; None asks for null."""
    with connect(server) as connection:
        assert [row["id"] for row in connection.select("orders")] == [1, 2]
        filters = {"note": "a,b.(c)", "paid": True}
        assert connection.select("orders", "id,total", filters) == [{"id": 1, "total": 9}]
        assert connection.select("orders", filters={"total": None})[0]["id"] == 2
        assert connection.select("empty") == []
    queries = [request.query for request in server.requests]
    assert queries[:2] == [
        {"select": "*"},
        {"select": "id,total", "note": "eq.a,b.(c)", "paid": "eq.true"},
    ]
    headers = server.requests[0].headers
    assert (headers["apikey"], headers.get("Authorization")) == (SECRET_KEY, None)


@pytest.mark.inventory("S2-SUPA-02")
def test_names_that_mean_something_else(server: Server) -> None:
    """A filter cannot change the query, and a table's name is one segment of the path."""
    with connect(server) as connection:
        for name in ("select", "limit", "on_conflict"):
            with pytest.raises(ConnectorConfigError, match=f"`{name}`"):
                connection.select("orders", filters={name: "x"})
        with pytest.raises(ConnectorConfigError):
            connection.select("")
        for table in ("../auth/v1/settings", "orders?id=eq.1", "orders#"):
            with pytest.raises(ConnectorNotFoundError):
                connection.select(table)
    assert all(request.target.startswith("/rest/v1/") for request in server.requests)


@pytest.mark.inventory("S2-SUPA-03")
def test_insert(server: Server, double: Supabase) -> None:
    """One row or several; what JSON has no form for is written as text, NaN as null."""
    when = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC)
    number = uuid.UUID(int=1)
    row = {
        "id": 3, "when": when, "total": decimal.Decimal("1.10"), "uid": number,
        "tags": ("a", {"b": float("nan")}),
    }  # fmt: skip
    with connect(server) as connection:
        assert connection.insert("empty", row) == {"inserted": 1}
        assert connection.insert("empty", [{"id": 4}, {"id": 5}]) == {"inserted": 2}
        assert connection.insert("empty", []) == {"inserted": 0}
        frame = pandas.DataFrame(
            {"id": [6, 7], "x": [1.5, None], "at": [pandas.Timestamp(when)] * 2}
        )
        assert connection.insert("empty", frame) == {"inserted": 2}
    text = "2026-01-02T03:04:00+00:00"
    assert double.tables["empty"] == [
        {"id": 3, "when": text, "total": "1.10", "uid": str(number), "tags": ["a", {"b": None}]},
        {"id": 4},
        {"id": 5},
        {"id": 6, "x": 1.5, "at": text},
        {"id": 7, "x": None, "at": text},
    ]


@pytest.mark.inventory("S2-SUPA-04", "R-45")
def test_upsert(server: Server, double: Supabase) -> None:
    """`on_conflict` goes into the query, and rows with the same key are merged."""
    with connect(server) as connection:
        rows = [{"id": 1, "total": 10}, {"id": 3, "total": 1}]
        assert connection.upsert("orders", rows) == {"upserted": 2}
        changed = {"note": "x", "total": 7}
        assert connection.upsert("orders", changed, on_conflict="note") == {"upserted": 1}
    first, second = server.requests
    assert (first.query, second.query) == ({}, {"on_conflict": "note"})
    assert first.headers["Prefer"] == "resolution=merge-duplicates,return=representation"
    assert [row["total"] for row in double.tables["orders"]] == [10, 7, 1]


@pytest.mark.inventory("S2-SUPA-05", "S2-SUPA-06", "R-02")
def test_from_the_file_to_the_table(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file names two variables, `.env` has their values, and the resolver brings them."""
    file = tmp_path / "osiris_connections.yaml"
    atomic_write(
        file,
        b"version: 1\nconnections:\n  supabase:\n    main:\n      url: ${SUPABASE_URL}\n"
        b"      key: ${SUPABASE_SERVICE_ROLE_KEY}\n      timeout: 30\n"
        b"      auto_refresh_token: true\n  filesystem:\n    out:\n      base_dir: out\n",
    )
    lines = f"SUPABASE_URL={server.url}\nSUPABASE_SERVICE_ROLE_KEY={SERVICE_ROLE_KEY}\n"
    atomic_write(tmp_path / ".env", lines.encode())
    for name in ("SUPABASE_URL", "SUPABASE_SERVICE_ROLE_KEY"):
        monkeypatch.delenv(name, raising=False)
    resolver = ConnectionResolver(str(file))
    resolved = resolver.resolve("@supabase.main")
    assert (resolved["url"], resolved["key"]) == (server.url, Secret(SERVICE_ROLE_KEY))
    folder = ensure_directory(resolver.resolve("@filesystem.out").path("base_dir"))
    with SupabaseConnection(resolved) as connection:
        rows = connection.select("orders", "id")
    atomic_write(folder / "ids", repr(rows).encode())
    assert (tmp_path / "out" / "ids").read_text() == "[{'id': 1}, {'id': 2}]"
    assert server.requests[0].bearer == SERVICE_ROLE_KEY


@pytest.mark.inventory("S2-SUPA-07", "R-52")
def test_timeout(server: Server) -> None:
    """An answer that drips ends at the deadline, and is not waited for again."""
    server.always(Answer(200, b"[]" * 50, {"Content-Type": "application/json"}, drip_body=0.05))
    with connect(server, timeout=0.3) as connection:
        began = time.monotonic()
        with pytest.raises(ConnectorTimeoutError):
            connection.select("orders")
        assert time.monotonic() - began < 0.8
    assert connection.client.config.timeout == 0.3
    with connect(server) as ordinary:
        assert ordinary.client.config.timeout == 30


@pytest.mark.parametrize(
    ("key", "kind"), [("sb_secret_wrong", ConnectorAuthError), (ANON_KEY, ConnectorAuthError)]
)
def test_refusals(server: Server, key: str, kind: type[ConnectorError]) -> None:
    """A wrong key, and one that may not write; no message holds it."""
    with connect(server, key) as connection, pytest.raises(kind) as caught:
        connection.insert("orders", {"id": 9})
    assert key not in str(caught.value)


def test_other_servers(server: Server) -> None:
    """JSON that is no list of rows is not taken for one."""
    server.always(as_json(200, {"hello": "world"}))
    with connect(server) as connection, pytest.raises(ConnectorParseError):
        connection.select("orders")
    server.always(as_json(200, ["x"]))
    with connect(server) as connection, pytest.raises(ConnectorParseError):
        get_table_schema(connection, "orders")


@pytest.mark.inventory("S2-SUPA-09")
@pytest.mark.parametrize(("count", "expected"), [(0, []), (1, [1]), (500, [500]), (501, [500, 1])])
def test_batches(server: Server, double: Supabase, count: int, expected: list[int]) -> None:
    """Each batch is told with its number and its rows, when it has been sent."""
    data = pandas.DataFrame({"id": range(10, 10 + count)})
    with connect(server) as connection:
        sent = batch_insert(connection, "empty", data)
        assert server.requests == []
        assert list(sent) == [{"batch": at, "rows": rows} for at, rows in enumerate(expected)]
    assert len(double.tables["empty"]) == count


@pytest.mark.inventory("S2-SUPA-09")
def test_batches_of_no_size(server: Server) -> None:
    """A size that is no size is refused at the call, not at the first batch."""
    with connect(server) as connection:
        for size in (0, -1):
            with pytest.raises(ConnectorConfigError) as caught:
                batch_insert(connection, "empty", [{"id": 1}], batch_size=size)
            assert caught.value.field == "batch_size"
    assert server.requests == []


@pytest.mark.inventory("S2-SUPA-10", "S2-SUPA-11", "R-44")
def test_table_schema(server: Server) -> None:
    """Columns have the three keys of information_schema; nothing of a name gets into a query."""
    with connect(server) as connection:
        columns = [
            {"column_name": "id", "data_type": "bigint", "is_nullable": "NO"},
            {"column_name": "total", "data_type": "text", "is_nullable": "YES"},
            {"column_name": "paid", "data_type": "boolean", "is_nullable": "YES"},
            {"column_name": "note", "data_type": "text", "is_nullable": "YES"},
        ]
        assert get_table_schema(connection, "orders") == {"table": "orders", "columns": columns}
        for table in ("nothing", "orders' OR '1'='1", "orders/../x"):
            with pytest.raises(ConnectorNotFoundError):
                get_table_schema(connection, table)
    assert {request.target for request in server.requests} == {"/rest/v1/"}


@pytest.mark.inventory("S2-SUPA-10", "R-47")
def test_table_schema_needs_rights(server: Server) -> None:
    """The description is for secret keys; another gets an error of rights, not of the network."""
    with connect(server, ANON_KEY) as connection, pytest.raises(ConnectorPermissionError):
        get_table_schema(connection, "orders")
