"""Pools: how large they are, who shares them, and that nothing stays open."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from osiris_lsp.connectors.clients.sql.database import Database
from osiris_lsp.connectors.clients.sql.engine import connection_of, make_engine, url_of
from osiris_lsp.connectors.clients.sql.pool import ConnectionPool, connect_with_retry
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorPermissionError,
    ConnectorTimeoutError,
)
from osiris_lsp.connectors.session import Session, cleanup_session
from osiris_lsp.secret import Secret
from tests.connectors.clients.sql.conftest import Place
from tests.services.certificates import Certificates

CONFIG: dict[str, Any] = {
    "family": "mysql",
    "host": "db.invalid",
    "database": "shop",
    "user": "ada",
    "password": "c4n4ry/p@ss",
}


def sizes(config: Mapping[str, Any], most: int | None = None) -> tuple[Any, ...]:
    """How a pool is made: size, overflow, recycling, ping, time-out."""
    pool = make_engine(connection_of(config), most).pool
    assert isinstance(pool, QueuePool)
    return pool.size(), pool._max_overflow, pool._recycle, pool._pre_ping, pool._timeout


@pytest.mark.inventory("S0-PG-01", "S2-MYSQL-02", "S2-POOL-04", "S0-PERF-05", "S2-BP-01")
def test_sizes() -> None:
    """5 and 10, or what the connection says; `max_connections` is the most there can be."""
    rest = (3600, True, 30)
    assert sizes(CONFIG) == sizes({**CONFIG, "family": "postgres"}) == (5, 10, *rest)
    assert [sizes(CONFIG, most)[:2] for most in (1, 3, 5, 10, 20)] == [
        (1, 0),
        (3, 0),
        (5, 0),
        (5, 5),
        (5, 15),
    ]
    own = {"pool_size": 2, "max_overflow": 1, "pool_recycle": 60, "pool_timeout": 3}
    assert sizes({**CONFIG, **own}) == (2, 1, 60, True, 3)
    with pytest.raises(ConnectorConfigError, match="at least 1"):
        ConnectionPool(max_connections=0).database(CONFIG)


@pytest.mark.inventory("S2-POOL-01", "S2-POOL-02", "S0-PG-08")
def test_one_pool_for_a_configuration() -> None:
    """However many threads ask at once; another configuration has another one."""
    pool, gate = ConnectionPool(), threading.Barrier(16)
    assert pool.max_connections == 10

    def ask(_: int) -> Database:
        gate.wait(5)
        return pool.database(dict(reversed(CONFIG.items())))

    with ThreadPoolExecutor(16) as threads:
        found = set(threads.map(ask, range(16)))
    assert found == {pool.database(CONFIG)}
    assert pool.database({**CONFIG, "database": "other"}) not in found
    pool.close_all()
    assert pool.database(CONFIG) not in found


@pytest.mark.inventory("S2-POOL-03", "S1-CONN013-03")
def test_keys() -> None:
    """A key differs with each field, not with their order, and says nothing of them."""
    pool = ConnectionPool()
    changes = {"host": "b", "port": 3307, "database": "b", "user": "b", "password": "b"}
    keys = [pool._make_cache_key({**CONFIG, name: value}) for name, value in changes.items()]
    keys.append(pool._config_key(CONFIG))
    assert len(set(keys)) == len(keys)
    assert pool._config_key(dict(reversed(CONFIG.items()))) == keys[-1]
    hidden = {**CONFIG, "password": Secret(CONFIG["password"])}
    assert pool._config_key(hidden) == keys[-1]
    assert not any("c4n4ry" in key or "db.invalid" in key for key in keys)


def test_relative_paths_are_those_of_their_folder(tmp_path: Path) -> None:
    """Two projects may both have a `data.db`, and each gets its own."""
    pool = ConnectionPool()
    config = {"path": "data.db"}
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        found = ResolvedConnection("sqlite", "x", config, base=str(tmp_path / name))
        pool.database(found).execute_command(f"CREATE TABLE {name} (id int)")
    pool.close_all()
    assert sorted(path.parent.name for path in tmp_path.rglob("data.db")) == ["a", "b"]


@pytest.mark.inventory("S1-CONN015-01")
def test_clients_are_made_by_a_factory(place: Place) -> None:
    """Of each family, from a plain dict or a resolved connection."""
    resolved = ResolvedConnection(place.family, "x", place.config)
    for connection in (place.config, resolved):
        with Database.create_client(connection) as client:
            assert client.family == place.family
            assert client.execute_query("SELECT 1 AS n") == [{"n": 1}]


@pytest.mark.inventory("S2-POOL-01", "S2-POOL-02", "S2-POOL-05", "S1-CONN013-02")
@pytest.mark.inventory("S1-CONN014-01", "S0-TEST-03")
def test_connections_are_handed_out_and_closed(served: Place) -> None:
    """One session serves one step after the other; none is left in the end."""
    pool = ConnectionPool()
    for _ in range(3):
        with pool._get_or_create_connection(served.config) as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
    served.wait_for_sessions(1)
    held = pool.get_connection(served.config)
    pool.close_all()
    pool.close_all()
    served.wait_for_sessions(1)  # the one in use
    assert held.execute(text("SELECT 1")).scalar() == 1
    held.close()
    served.wait_for_sessions(0)


@pytest.mark.inventory("S1-CONN013-04", "S0-TEST-03")
def test_a_stale_connection_is_replaced(served: Place) -> None:
    """The server ended it: the next use opens another one and does not notice."""
    with served.open() as database:
        database.execute_query("SELECT 1 AS n")
        assert served.kill() == 1
        assert database.execute_query("SELECT 1 AS n") == [{"n": 1}]
        with database.connect() as connection:
            served.kill()
            with pytest.raises(DBAPIError):
                connection.execute(text("SELECT 1"))
        assert database.execute_query("SELECT 1 AS n") == [{"n": 1}]


@pytest.mark.inventory("S0-PG-01", "S0-TEST-03")
def test_a_pool_that_is_empty(served: Place) -> None:
    """15 connections are in use: the 16th has to wait, and is told so."""
    config = {**served.config, "pool_timeout": 0.2}
    with Database(config) as database:
        held = [database.connect() for _ in range(15)]
        served.wait_for_sessions(15)
        with pytest.raises(ConnectorTimeoutError) as failed:
            database.execute_query("SELECT 1")
        assert (failed.value.code, failed.value.field) == ("pool.exhausted", "pool_size")
        held.pop().close()
        assert database.execute_query("SELECT 1 AS n") == [{"n": 1}]
        for connection in held:
            connection.close()
        served.wait_for_sessions(5)


def test_a_hundred_threads(place: Place) -> None:
    """They share the pool, each of their rows is written once, and the pool is never larger."""
    table = place.make()
    with place.open() as database:

        def work(number: int) -> int:
            database.insert_many(table, [{"id": number, "name": "x", "size": number}])
            query = f"SELECT size FROM {table} WHERE id = :id"
            return int(database.execute_query(query, {"id": number})[0]["size"])

        with ThreadPoolExecutor(100) as threads:
            assert list(threads.map(work, range(100))) == list(range(100))
        assert database.execute_query(f"SELECT count(*) AS n FROM {table}") == [{"n": 100}]
        if place.server is not None:
            assert len(place.sessions()) <= 15


@pytest.mark.inventory("S1-CONN014-02", "S1-CONN014-03")
def test_closing_goes_on(place: Place) -> None:
    """One that cannot be closed keeps none of the others open; sessions end together."""

    class Broken:
        def close(self) -> None:
            raise OSError("broken")

    session = Session()
    session.shared("sql:10", {"family": "none"}, Broken)
    pool = ConnectionPool(session=session)
    with pool.get_connection(place.config):
        pass
    pool.close_all()
    session.shared("other", {}, Broken)
    with pool.get_connection(place.config):
        pass
    database = pool.database(place.config)
    cleanup_session()
    cleanup_session()
    assert pool.database(place.config) is not database
    assert database.engine.pool.checkedin() == 0  # type: ignore[attr-defined]  # QueuePool


@pytest.mark.inventory("S1-CONN018-01", "S1-CONN018-02", "S1-CONN018-03", "S1-CONN018-04")
@pytest.mark.inventory("S1-CONN018-05", "S1-CONN018-06", "S1-CONN019-01", "S1-CONN019-02")
@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (TimeoutError("late"), 3),
        (ConnectionResetError("gone"), 3),
        (ConnectorNetworkError("refused"), 3),
        (ConnectorNetworkError("untrusted", retryable=False), 1),
        (ConnectorAuthError("wrong"), 1),
        (ConnectorPermissionError("no right"), 1),
        (PermissionError("denied"), 1),
        (ValueError("other"), 1),
    ],
)
def test_connecting_again(error: Exception, attempts: int) -> None:
    """Three attempts for what is transient, 1 s and 2 s apart; one for all else."""
    tried, waits = list[Mapping[str, Any]](), list[float]()

    def connect(config: Mapping[str, Any]) -> None:
        tried.append(config)
        raise error

    with pytest.raises(type(error)) as raised:
        connect_with_retry(CONFIG, connect=connect, sleep=waits.append)
    assert raised.value is error
    assert (len(tried), waits) == (attempts, [1.0, 2.0][: attempts - 1])
    with pytest.raises(RuntimeError, match=r"^Failed to connect after retries$"):
        connect_with_retry(CONFIG, 0, connect=connect, sleep=waits.append)
    assert len(tried) == attempts


def never(seconds: float) -> None:
    """What must not be waited for."""
    pytest.fail(f"waited for {seconds} s")


@pytest.mark.inventory("S1-CONN018-02")
def test_connecting_works(served: Place) -> None:
    """Without a reason to wait, the first attempt gives a connection."""
    with connect_with_retry(served.config, sleep=never) as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    wrong = {**served.config, "password": "wr0ng"}
    with pytest.raises(ConnectorAuthError):
        connect_with_retry(wrong, sleep=never)
    cleanup_session()


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"charset": "utf9"}, "config.charset"),
    ({"port": 70000}, "config.range"),
    ({"port": True}, "config.range"),
    ({"user": None}, "config.missing_field"),
    ({"username": "eva"}, "config.conflict"),
    ({"password": "***MASKED***"}, "config.placeholder"),
    ({"family": "redis"}, "config.unknown_family"),
    ({"family": "sqlite"}, "config.missing_field"),
]


@pytest.mark.inventory("S2-MYSQL-11", "S2-MYSQL-09")
@pytest.mark.parametrize(("changes", "code"), WRONG)
def test_a_configuration_that_cannot_work(changes: dict[str, Any], code: str) -> None:
    """It is told at once, before anything is opened."""
    with pytest.raises(ConnectorConfigError) as failed:
        Database({**CONFIG, **changes})
    assert failed.value.code == code
    assert "c4n4ry" not in str(failed.value)


def test_a_dsn(served: Place) -> None:
    """A connection that is one text has its fields."""
    url = url_of(connection_of(served.config))
    scheme = url.drivername.partition("+")[0]
    dsn = url.set(drivername=scheme, query={}).render_as_string(hide_password=False)
    with Database({"family": served.family, "dsn": dsn}) as database:
        assert database.execute_query("SELECT 1 AS n") == [{"n": 1}]
        assert "c4n4ry" not in repr(database.connection) + repr(url)


TLS_QUERY = {
    "mysql": "SHOW STATUS LIKE 'Ssl_cipher'",
    "postgres": "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
}


@pytest.mark.inventory("S1-CONN017-01", "S1-CONN017-03", "S1-CONN017-04")
def test_tls(served: Place, certificates: Certificates) -> None:
    """It is verified where it is on, with a client certificate too, and off where it is off."""

    def ask(**fields: Any) -> bool:
        with Database({**served.config, **fields}) as database:
            found = database.execute_query(TLS_QUERY[served.family])
            return bool(list(found[0].values())[-1])

    good = {"ssl": True, "ssl_ca": str(certificates.ca)}
    own = {"ssl_cert": str(certificates.client_cert), "ssl_key": str(certificates.client_key)}
    assert ask(**good)
    reader = {"user": "x509_only", "password": served.server.password}  # type: ignore[union-attr]  # served
    assert ask(**good, **own, **reader)
    if served.family == "mysql":
        assert not ask(ssl=False)
    else:  # only some roles may do without
        assert not ask(ssl=False, user="writer", password=served.server.password)  # type: ignore[union-attr]  # served
    for fields, code in (
        ({"ssl": True}, "tls.untrusted"),
        ({"ssl": True, "ssl_ca": str(certificates.other_ca)}, "tls.untrusted"),
        ({"ssl": True, "ssl_ca": "/nowhere.pem"}, "tls.missing_file"),
    ):
        with pytest.raises(ConnectorError) as failed:
            ask(**fields)
        assert failed.value.code == code


def test_a_lock_on_a_file(tmp_path: Path) -> None:
    """SQLite waits as long as the connection says, and tells who is in the way."""
    config = {"family": "sqlite", "path": str(tmp_path / "a.db"), "timeout": 0.2}
    with Database(config) as database:
        database.execute_command("CREATE TABLE t (id int)")
        with database.transaction() as connection:
            connection.execute(text("INSERT INTO t VALUES (1)"))
            began = time.monotonic()
            with pytest.raises(ConnectorTimeoutError) as failed:
                database.execute_command("INSERT INTO t VALUES (2)")
        assert failed.value.code == "file.locked"
        assert 0.2 <= time.monotonic() - began < 5
