"""Servers that stop, hang, come back or are not the first: what a pool does then."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from osiris_lsp.connectors.clients.sql.database import Database
from osiris_lsp.connectors.clients.sql.wire import COOL_DOWN, Servers
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import (
    ConnectorAuthError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorPermissionError,
    ConnectorTimeoutError,
)
from osiris_lsp.connectors.families import connector
from osiris_lsp.connectors.resilience.retry import RetryConfig
from tests.connectors.clients.sql.conftest import ONCE, SERVERS, Place, admin_config
from tests.connectors.clients.sql.test_pools import never
from tests.services import faults
from tests.services.processes import Server
from tests.services.restart import crash, revive
from tests.services.run import Run

Start = Callable[..., Server]


@pytest.fixture(params=SERVERS)
def started(request: pytest.FixtureRequest) -> tuple[str, Server]:
    """A server of its own."""
    name = {"mysql": "start_mariadb", "postgres": "start_postgres"}[request.param]
    server: Server = request.getfixturevalue(name)()
    return request.param, server


def short(family: str, server: Any, **fields: Any) -> dict[str, Any]:
    """A connection that waits little."""
    config = {"family": family, "host": server.host, "port": server.port, "database": "shop"}
    config |= {"user": "reader", "password": getattr(server, "password", "s3cr3t")}
    return {**config, "connect_timeout": 0.4, "read_timeout": 5, **fields}


def signal_all(server: Server, number: int) -> None:
    """Send a signal to the server and the processes that serve its sessions."""
    pid = (server.folder / "server").read_text()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for process in (pid, *children):
        os.kill(int(process), number)


@pytest.mark.inventory("S2-BP-07", "S1-CONN018-01", "S0-ERR-01", "S1-CONN013-04")
def test_a_server_that_crashes_and_comes_back(
    started: tuple[str, Server], service_run: Run
) -> None:
    """Reads that run while it is away are tried again and answered; a pool is good afterwards."""
    family, server = started
    waits: list[float] = []
    crashed: list[tuple[list[str], dict[str, str]]] = []

    def sleep(seconds: float) -> None:
        """Have the server come back while the client waits."""
        waits.append(seconds)
        if crashed:
            revive(service_run, server, *crashed.pop())
        time.sleep(seconds)  # it recovers for a moment

    patient = RetryConfig(max_retries=20, initial_delay=0.3, max_delay=0.5)
    with Database(admin_config(family, server), retry=patient, sleep=sleep) as database:
        with database.connect() as one, database.connect() as other:
            assert [item.execute(text("SELECT 1")).scalar() for item in (one, other)] == [1, 1]
        crashed.append(crash(server))
        assert database.execute_query("SELECT count(*) AS n FROM orders") == [{"n": 3}]
        assert waits
        revive(service_run, server, *crash(server))
        # The sessions in the pool are dead: the ping finds that, and nobody has to know.
        assert database.execute_query("SELECT count(*) AS n FROM orders") == [{"n": 3}]


def test_a_write_is_not_repeated(started: tuple[str, Server]) -> None:
    """Where it is not known what became of it, it is told, and tried once."""
    family, server = started
    with Database(admin_config(family, server), sleep=never) as database:
        database.execute_command("CREATE TABLE notes (id int)")
        slow = {"mysql": "sleep(20)", "postgres": "(SELECT 1 FROM pg_sleep(20))"}[family]
        with ThreadPoolExecutor(1) as thread:
            writing = thread.submit(database.execute_command, f"INSERT INTO notes VALUES ({slow})")
            while database.engine.pool.checkedout() == 0:  # type: ignore[attr-defined]  # QueuePool
                time.sleep(0.01)
            time.sleep(0.2)
            server.signal(signal.SIGKILL)
            with pytest.raises(ConnectorNetworkError) as failed:
                writing.result(15)
        assert failed.value.stage == "query"


@pytest.mark.inventory("S2-MYSQL-12", "S2-BP-02")
@pytest.mark.parametrize("family", SERVERS)
@pytest.mark.parametrize("kind", ["half_open", "black_hole", "drip"])
def test_a_server_that_never_answers(family: str, kind: str) -> None:
    """Connecting ends at `connect_timeout`, whatever the other side does."""
    fault: Any = {
        "half_open": faults.half_open,
        "black_hole": faults.black_hole,
        "drip": lambda: faults.drip(faults.MYSQL_GREETING if family == "mysql" else b"R\0\0\0"),
    }[kind]
    with fault() as server, Database(short(family, server), retry=ONCE) as database:
        began = time.monotonic()
        with pytest.raises(ConnectorError) as failed:
            database.execute_query("SELECT 1")
        assert time.monotonic() - began < 0.4 + 1.5
        assert isinstance(failed.value, ConnectorTimeoutError) or kind == "drip"
        assert "s3cr3t" not in repr(failed.value)


@pytest.mark.inventory("S2-MYSQL-13", "S2-BP-02")
def test_a_server_that_stops_answering(started: tuple[str, Server]) -> None:
    """A statement ends although the server hangs, and so do the ping and closing."""
    family, server = started
    config = {**admin_config(family, server), "read_timeout": 0.5, "connect_timeout": 0.5}
    with Database(config, retry=ONCE) as database:
        database.execute_query("SELECT 1 AS n")
        with database.connect() as connection:
            connection.execute(text("SELECT 1"))
            signal_all(server, signal.SIGSTOP)
            began = time.monotonic()
            with pytest.raises(DBAPIError):
                connection.execute(text("SELECT 1"))
        with pytest.raises(ConnectorTimeoutError):
            database.execute_query("SELECT 1")
        assert time.monotonic() - began < 6
        signal_all(server, signal.SIGCONT)
        assert database.execute_query("SELECT 1 AS n") == [{"n": 1}]


@pytest.mark.inventory("S2-FUT-07")
def test_the_next_healthy_server_is_taken(
    server_of: Callable[[str], Server], started: tuple[str, Server]
) -> None:
    """The doctor checks each server; the pool goes on with the next one when one is down."""
    family, first = started
    second = server_of(family)
    with faults.refused() as dead:
        replicas = [f"{dead.host}:{dead.port}", {"host": second.host, "port": second.port}]
        config = {**short(family, first), "connect_timeout": 5, "replicas": replicas}
        result = connector(family).examine(config, 5)
        healthy = [item["ok"] for item in result.details["replicas"]]
        assert (result.ok, healthy) == (False, [False, True])

        def port(database: Database) -> int:
            query = {"mysql": "SELECT @@port AS n", "postgres": "SELECT inet_server_port() AS n"}
            return int(database.execute_query(query[family])[0]["n"])

        with Database(config) as database:
            assert port(database) == first.port
            first.signal(signal.SIGKILL)
            assert port(database) == second.port
            table = database.execute_query("SELECT count(*) AS n FROM orders")
            assert table == [{"n": 3}]


@pytest.mark.inventory("S2-FUT-07")
def test_only_a_server_that_is_down_is_passed_over(served: Place) -> None:
    """A wrong password is told, and never tried on the next server."""
    with faults.half_open() as other:
        config = {**served.config, "password": "wr0ng", "connect_timeout": 3}
        config["replicas"] = [f"{other.host}:{other.port}"]
        with Database(config) as database, pytest.raises(ConnectorAuthError):
            database.execute_query("SELECT 1")
        assert other.accepted == 0


@pytest.mark.inventory("S2-FUT-07")
def test_a_server_that_was_down_is_asked_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """For half a minute; where none answers, the error of the first is told."""
    from osiris_lsp.connectors.clients.sql import wire

    tried, healthy, now = list[str](), {"b"}, [0.0]

    def opened(connection: ResolvedConnection) -> Any:
        host = connection.text("host")
        tried.append(host)
        return host if host in healthy else ConnectorNetworkError(host, stage="tcp")

    monkeypatch.setattr(wire, "_opened", opened)
    connection = ResolvedConnection("mysql", "x", {"host": "a", "replicas": ["b", "c:3307"]})
    servers = Servers(connection, lambda: now[0])
    assert [servers.open(), servers.open()] == ["b", "b"]  # type: ignore[comparison-overlap]  # of the double
    assert tried == ["a", "b", "b"]
    now[0] = COOL_DOWN + 1
    healthy.add("a")
    assert servers.open() == "a"  # type: ignore[comparison-overlap]  # of the double
    healthy.clear()
    with pytest.raises(ConnectorNetworkError, match=r"^a$"):
        servers.open()
    assert tried[-3:] == ["a", "b", "c"]


@pytest.mark.inventory("S1-CONN019-01", "S1-CONN019-02", "S2-BP-07", "S1-CONN018-01")
def test_what_is_tried_again(served: Place) -> None:
    """Refused connections are; passwords and rights are not."""
    waits: list[float] = []

    def count(config: dict[str, Any], query: str) -> tuple[type[ConnectorError], int]:
        waits.clear()
        with Database(config, sleep=waits.append) as database:
            with pytest.raises(ConnectorError) as failed:
                database.execute_command(query)
            return type(failed.value), len(waits)

    with faults.refused() as dead:
        refused = count({**served.config, "port": dead.port}, "DELETE FROM orders")
    wrong = count({**served.config, "password": "wr0ng"}, "DELETE FROM orders")
    reader = {**served.config, "user": "reader", "password": served.server.password}  # type: ignore[union-attr]  # served
    denied = count(reader, "DELETE FROM orders")
    assert (refused, wrong, denied) == (
        (ConnectorNetworkError, 2),
        (ConnectorAuthError, 0),
        (ConnectorPermissionError, 0),
    )


def test_deadlocks_are_tried_again(served: Place) -> None:
    """The server undoes one of two that wait for each other; both are made in the end."""
    table = served.make()
    waits: list[float] = []
    with served.open(retry=RetryConfig(), sleep=waits.append) as database:
        database.insert_many(table, [{"id": number, "name": "x", "size": 0} for number in range(2)])
        gate = threading.Barrier(2)
        update = text(f"UPDATE {table} SET size = size + 1 WHERE id = :id")

        def work(first: int) -> None:
            tried: list[int] = []

            def attempt(connection: Any) -> None:
                tried.append(first)
                connection.execute(update, {"id": first})
                if len(tried) == 1:
                    gate.wait(10)
                connection.execute(update, {"id": 1 - first})

            database._run(attempt)

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(work, range(2)))
        assert waits  # the one that comes again may meet the other once more
        assert database.execute_query(f"SELECT DISTINCT size FROM {table}") == [{"size": 2}]


def test_nothing_is_opened_before_it_is_used(tmp_path: Path) -> None:
    """Making a pool for any family reaches for nothing."""
    with ExitStack() as opened:
        fault = opened.enter_context(faults.half_open())
        for family in SERVERS:
            Database(short(family, fault, ssl=True)).close()
        assert fault.accepted == 0
    for family in ("sqlite", "duckdb"):
        Database({"family": family, "path": str(tmp_path / family)}).close()
    assert list(tmp_path.iterdir()) == []
