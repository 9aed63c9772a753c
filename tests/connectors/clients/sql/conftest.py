"""Databases of each kind, with an account and a table for each test; nothing may stay open."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors.clients.sql.database import Database
from osiris_lsp.connectors.resilience.retry import RetryConfig
from tests.services.processes import Server

PASSWORD = "c4n4ry/p@ss w:rd#1%"
SERVERS = ("mysql", "postgres")
FAMILIES = (*SERVERS, "sqlite", "duckdb")
ONCE = RetryConfig(max_retries=0)


@dataclass
class Place:
    """A database: the configuration of an account of its own, and a name for a table."""

    family: str
    config: dict[str, Any]
    table: str
    server: Server | None = None
    admin: Database | None = None

    def open(self, **options: Any) -> Database:
        """A database of this account, to be closed; tried once."""
        return Database(self.config, **{"retry": ONCE, **options})

    def make(self, columns: str = "id int primary key, name varchar(200), size int") -> str:
        """Make the table of the test, and return its name."""
        with self.open() as database:
            database.execute_command(f"CREATE TABLE {self.table} ({columns})")
        return self.table

    def sessions(self) -> list[int]:
        """The sessions that the account has open on the server."""
        assert self.admin is not None
        rows = self.admin.execute_query(_SESSIONS[self.family], {"user": self.config["user"]})
        return [int(row["id"]) for row in rows]

    def kill(self) -> int:
        """End all sessions of the account on the server, and return how many there were."""
        assert self.admin is not None
        found = self.sessions()
        for number in found:
            self.admin.execute_command(_KILL[self.family].format(number))
        self.wait_for_sessions(0)
        return len(found)

    def wait_for_sessions(self, count: int) -> None:
        """Wait until the account has so many sessions."""
        deadline = time.monotonic() + 10
        while len(self.sessions()) != count:
            assert time.monotonic() < deadline, self.sessions()
            time.sleep(0.02)


_SESSIONS = {
    "mysql": "SELECT id FROM information_schema.processlist WHERE user = :user",
    "postgres": "SELECT pid AS id FROM pg_stat_activity WHERE usename = :user",
}
_KILL = {"mysql": "KILL {}", "postgres": "SELECT pg_terminate_backend({})"}
_ACCOUNT = {
    "mysql": (
        "CREATE USER {user} IDENTIFIED BY '{password}'",
        "GRANT ALL ON shop.* TO {user}",
        "GRANT PROCESS ON *.* TO {user}",
    ),
    # Rights on shared objects cannot be granted by two tests at once.
    "postgres": ("CREATE ROLE {user} LOGIN SUPERUSER PASSWORD '{password}'",),
}
_GONE = {
    "mysql": ("DROP USER {user}",),
    "postgres": ("DROP OWNED BY {user}", "DROP ROLE {user}"),
}


def admin_config(family: str, server: Server) -> dict[str, Any]:
    """The connection of the administrator."""
    return {
        "family": family,
        "host": server.host,
        "port": server.port,
        "database": "shop",
        "user": server.root,
        "password": server.root_password,
    }


@contextmanager
def account(family: str, server: Server) -> Iterator[Place]:
    """An account of its own on a server, which has no session left in the end."""
    word = secrets.token_hex(4)
    user, table = f"u_{word}", f"t_{word}"
    with Database(admin_config(family, server), retry=ONCE) as admin:
        for statement in _ACCOUNT[family]:
            admin.execute_command(statement.format(user=user, password=PASSWORD))
        config = {**admin_config(family, server), "user": user, "password": PASSWORD}
        place = Place(family, config, table, server, admin)
        yield place
        place.wait_for_sessions(0)
        admin.execute_command(f"DROP TABLE IF EXISTS {table}")
        for statement in _GONE[family]:
            admin.execute_command(statement.format(user=user))


@contextmanager
def located(family: str, folder: Path, server: Callable[[str], Server]) -> Iterator[Place]:
    """A place in a database of a family."""
    if family in SERVERS:
        with account(family, server(family)) as place:
            yield place
    else:
        path = str(folder / "shop.db")
        yield Place(family, {"family": family, "path": path}, f"t_{secrets.token_hex(4)}")


@pytest.fixture
def server_of(request: pytest.FixtureRequest) -> Callable[[str], Server]:
    """The running server of a family."""

    def find(family: str) -> Server:
        server: Server = request.getfixturevalue({"mysql": "mariadb"}.get(family, family))
        return server

    return find


@pytest.fixture(params=FAMILIES)
def place(
    request: pytest.FixtureRequest, tmp_path: Path, server_of: Callable[[str], Server]
) -> Iterator[Place]:
    """A place in a database of each family."""
    with located(request.param, tmp_path, server_of) as found:
        yield found


@pytest.fixture(params=SERVERS)
def served(request: pytest.FixtureRequest, server_of: Callable[[str], Server]) -> Iterator[Place]:
    """A place on each server."""
    with account(request.param, server_of(request.param)) as found:
        yield found
