"""Sessions of drivers: opened on the first server that answers, with a limit for each statement."""

import contextlib
import math
import sqlite3
import time
from collections.abc import Callable
from functools import cache
from typing import Any, Final, Protocol
from urllib.parse import quote

from osiris_lsp.connectors import dsn
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.connector import Connector, replica
from osiris_lsp.connectors.errors import ConnectorError
from osiris_lsp.connectors.families import duckdb, mysql, postgres, sqlite
from osiris_lsp.connectors.health import Check, Deadline, failure_of
from osiris_lsp.connectors.network import hosts

GRACE: Final = 1.0
"""Seconds that a server which ends a statement itself has to say so."""

COOL_DOWN: Final = 30.0
"""Seconds in which a server that failed is asked after all others."""

CONNECTORS: Final[dict[str, Connector]] = {
    "mysql": mysql.CONNECTOR,
    "postgres": postgres.CONNECTOR,
    "sqlite": sqlite.CONNECTOR,
    "duckdb": duckdb.CONNECTOR,
}
"""The families that speak SQL."""


class Patience(Deadline):
    """The time that the sockets of a session have: to log in, then for each statement.

    No single read may take longer than `each` either; between statements that alone counts.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(seconds, clock)
        self.each = math.inf
        self._rests = False

    def begin(self, seconds: float) -> None:
        """Start the time of a statement."""
        self.seconds, self._start, self._rests = seconds, self._clock(), False

    def rest(self) -> None:
        """End it."""
        self._rests = True

    def remaining(self) -> float:
        """Return the seconds that the next call on the socket may take."""
        return self.each if self._rests else min(self.each, super().remaining())


class Limit(Protocol):
    """What ends a statement that takes too long."""

    def begin(self, session: Any, seconds: float) -> None:
        """Start the time of a statement."""

    def end(self) -> None:
        """End it."""

    def forget(self) -> None:
        """Take note that a transaction has ended."""


class ServerLimit:
    """The server ends a statement, and where it does not, the socket does."""

    def __init__(self, patience: Patience, tell: Callable[[Any, float], str], usual: float) -> None:
        self._patience, self._tell, self._usual = patience, tell, usual
        self._told = usual
        self.lasts = True
        """Whether what the server was told holds beyond the transaction."""

    def begin(self, session: Any, seconds: float) -> None:
        """Start the time of a statement; tells the server where its limit is another one."""
        self._patience.begin(seconds + GRACE)
        if seconds != self._told:
            execute(session, self._tell(session, seconds))
            self._told = seconds

    def end(self) -> None:
        """End it."""
        self._patience.rest()

    def forget(self) -> None:
        """Take note that a transaction has ended, and with it what was told for it."""
        self._patience.rest()
        if not self.lasts:
            self._told = self._usual


class InterruptLimit:
    """SQLite looks at the time itself; for DuckDB a timer does."""

    def __init__(self) -> None:
        self._timer: Any = None

    def begin(self, session: Any, seconds: float) -> None:
        """Start the time of a statement."""
        if isinstance(session, sqlite3.Connection):
            deadline = time.monotonic() + seconds
            session.set_progress_handler(lambda: time.monotonic() > deadline, 20_000)
            return
        from threading import Timer

        self._timer = Timer(seconds, session.interrupt)
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        """End it; the handler of SQLite is replaced by the next statement."""
        if self._timer is not None:
            self._timer.cancel()

    def forget(self) -> None:
        """Do nothing more than end it."""
        self.end()


class Servers:
    """The server of a connection and its replicas: the next healthy one is opened."""

    def __init__(
        self, connection: ResolvedConnection, clock: Callable[[], float] = time.monotonic
    ) -> None:
        others = hosts(connection.get("replicas"))
        self._all = [connection, *(replica(connection, host, port) for host, port in others)]
        self._failed = [-math.inf] * len(self._all)
        self._clock = clock

    def open(self) -> tuple[Any, Limit]:
        """Return a session of the driver and its limit; raises the error of the first server.

        Only a server that cannot be reached, or takes no connections, is passed over: a wrong
        password or a certificate that is not trusted is told.
        """
        failures: list[ConnectorError] = []
        for index in self._order():
            opened = _opened(self._all[index])
            if not isinstance(opened, ConnectorError):
                self._failed[index] = -math.inf
                return opened
            failures.append(opened)
            self._failed[index] = self._clock()
            if not (opened.retryable or opened.stage == "dns"):
                raise opened
        raise failures[0]

    def _order(self) -> list[int]:
        """Return the servers, those that failed lately last."""
        past = self._clock() - COOL_DOWN
        return sorted(range(len(self._all)), key=lambda index: self._failed[index] > past)


def _opened(connection: ResolvedConnection) -> tuple[Any, Limit] | ConnectorError:
    """Open a session; a failure is returned, so that what drivers say is not in its context."""
    seconds = float(connection.value("connect_timeout") or 10)
    patience = Patience(seconds)
    check = Check(connection, patience)
    connector = CONNECTORS[connection.family]
    try:
        opened = _OPEN[connection.family](check, patience)
    except Exception as error:
        check.close()
        failure = failure_of(error, check, connector)
        failure.stage = failure.stage or check.stage
        failure.field = failure.field or check.field
        return _bare(failure)
    patience.each = float(connection.value("read_timeout") or seconds)
    patience.rest()
    return opened


def _bare(failure: ConnectorError) -> ConnectorError:
    """Take what an error was raised from off it."""
    failure.__cause__ = failure.__context__ = failure.__traceback__ = None
    failure.remedy = failure.remedy.replace("`--timeout`", "`connect_timeout`")
    return failure


def limit_of(connection: ResolvedConnection) -> float:
    """Return the seconds that a statement of a connection may take where no call says else."""
    if connection.family in ("mysql", "postgres"):
        return float(connection.value("timeout") or 30)
    return 30.0


def execute(session: Any, statement: str) -> None:
    """Run a statement of ours on a session of a driver."""
    cursor = session.cursor()
    try:
        cursor.execute(statement)
    finally:
        cursor.close()


def _mysql(check: Check, patience: Patience) -> tuple[Any, Limit]:
    from pymysql.constants import CLIENT

    connection = check.connection
    # SQLAlchemy counts on both: transactions, and counts of rows that matched.
    session = mysql.log_in(check, connection, autocommit=False, client_flag=CLIENT.FOUND_ROWS)
    check.at("query", "database")
    if connection.text("database"):
        session.select_db(connection.text("database"))
    limit = ServerLimit(patience, _mysql_limit, limit_of(connection))
    execute(session, _mysql_limit(session, limit_of(connection)))
    return session, limit


def _mysql_limit(session: Any, seconds: float) -> str:
    if "MariaDB" in session.get_server_info():
        return f"SET SESSION max_statement_time = {seconds:.3f}"
    return f"SET SESSION max_execution_time = {math.ceil(seconds * 1000)}"  # for SELECT only


@cache
def _pg_driver() -> Any:
    from pg8000.dbapi import Connection, InterfaceError

    class Session(Connection):  # type: ignore[misc]  # pg8000 has no types
        """A session that says so when it is lost, and is silent when it is closed then."""

        def handle_messages(self, context: Any) -> None:
            try:
                super().handle_messages(context)
            except OSError as error:
                # As it is SQLAlchemy would go on with a session that has half of an answer.
                raise InterfaceError("network error") from error

        def close(self) -> None:
            with contextlib.suppress(Exception):
                super().close()

    return Session


def _postgres(check: Check, patience: Patience) -> tuple[Any, Limit]:
    connection = check.connection
    database = connection.text("database") or dsn.user_of(connection)
    session: Any = postgres.log_in(check, connection, database, _pg_driver())
    check.at("query", "database")
    session.autocommit = True
    execute(session, f"SET statement_timeout = {math.ceil(limit_of(connection) * 1000)}")
    if connection.get("schema"):
        check.at("query", "schema")
        name = connection.text("schema").replace('"', '""')
        execute(session, f'SET search_path = "{name}"')
    session.autocommit = False
    limit = ServerLimit(patience, _postgres_limit, limit_of(connection))
    limit.lasts = False
    return session, limit


def _postgres_limit(session: Any, seconds: float) -> str:
    return f"SET LOCAL statement_timeout = {math.ceil(seconds * 1000)}"


def _sqlite(check: Check, patience: Patience) -> tuple[Any, Limit]:
    connection = check.connection
    check.at("query", "path")
    wait = float(connection.value("timeout") or 5)
    file = ":memory:"
    if not in_memory(connection):
        mode = "ro" if connection.value("read_only") is True else "rwc"
        file = f"file:{quote(connection.path('path'))}?mode={mode}"
    # A pool gives a session to one thread at a time.
    session = sqlite3.connect(file, uri=True, timeout=wait, check_same_thread=False)
    return session, InterruptLimit()


def in_memory(connection: ResolvedConnection) -> bool:
    """Tell whether a database is gone when its only session ends."""
    path = connection.text("path")
    return path == ":memory:" or (connection.family == "duckdb" and not path)


def _duckdb(check: Check, patience: Patience) -> tuple[Any, Limit]:
    from osiris_lsp.connectors.clients.sql.duck import Session

    check.at("query", "path")
    connection = check.connection
    path = ":memory:" if in_memory(connection) else connection.path("path")
    return Session(path, connection.value("read_only") is True), InterruptLimit()


_OPEN: Final = {"mysql": _mysql, "postgres": _postgres, "sqlite": _sqlite, "duckdb": _duckdb}
