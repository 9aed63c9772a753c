"""A database: reading, writing and looking at tables, each call one transaction."""

import contextlib
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from osiris_lsp.connectors.clients.sql import tables
from osiris_lsp.connectors.clients.sql.engine import (
    CONVERTS,
    check_timeout,
    connection_of,
    make_engine,
)
from osiris_lsp.connectors.clients.sql.failures import UNDONE, failure
from osiris_lsp.connectors.clients.sql.reading import validate_read_only
from osiris_lsp.connectors.errors import ConnectorError
from osiris_lsp.connectors.resilience.retry import RetryConfig

if TYPE_CHECKING:
    from sqlalchemy import Connection, Executable

Params = Mapping[str, Any]
Rows = list[dict[str, Any]]
T = TypeVar("T")

RETRY: Final = RetryConfig(max_retries=2)
"""Three attempts, as CONN-018 has them."""

BATCH: Final = 1000
"""Rows of one call of the driver, so that each has the whole `timeout`."""

_PARAMETERS: Final = 60_000
"""Values of one statement; PostgreSQL counts them in 16 bits."""


class Database:
    """The pool of a connection, and what is done with it.

    A call opens nothing before it needs it, and tries again what is transient: connecting, reading,
    and what the server has undone. A write whose fate is not known is not tried again. Errors are
    ours, with nothing of the driver in their chain.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        family: str = "",
        *,
        max_connections: int | None = None,
        retry: RetryConfig = RETRY,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.connection = connection_of(config, family)
        self.family = self.connection.family
        self.engine = make_engine(self.connection, max_connections)
        self._retry, self._sleep, self._chance = retry, sleep, chance

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @staticmethod
    def create_client(connection: Mapping[str, Any]) -> "Database":
        """Return a client of a resolved connection of any family for SQL (CONN-015)."""
        return Database(connection)

    def close(self) -> None:
        """Close all connections: those in use as soon as they come back."""
        self.engine.dispose()

    def connect(self, *, retry: RetryConfig | None = None) -> "Connection":
        """Return a connection of the pool, to be closed; tried again while that is of use."""
        return self._persist(lambda _: self.engine.connect(), idempotent=True, retry=retry)

    @contextlib.contextmanager
    def transaction(self, *, timeout: float | None = None) -> "Iterator[Connection]":
        """Give a connection whose work is committed at the end, or undone where it fails.

        What the block raises passes as it is; errors of the database are errors of ours.
        """
        check_timeout(timeout)
        connection = self._timed(self.connect(), timeout).execution_options(**{CONVERTS: True})
        try:
            with connection, connection.begin():
                yield connection
        except ConnectorError as error:
            _unchain(error)
            raise

    def execute_query(
        self, query: str, params: Params | None = None, *, timeout: float | None = None
    ) -> Rows:
        """Return the rows of a statement that only reads, in a READ ONLY transaction.

        `params` are the values of `:name` in it.
        """
        columns, rows = self.fetch(query, params, timeout=timeout)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def fetch(
        self, query: str, params: Params | None = None, *, timeout: float | None = None
    ) -> tuple[list[str], Sequence[Sequence[Any]]]:
        """Return the names of the columns and the rows of a statement that only reads."""
        validate_read_only(_BIND.sub("?", query) if params else query, self.family)

        def read(connection: "Connection") -> tuple[list[str], Sequence[Sequence[Any]]]:
            with self._reading(connection):
                result = connection.execute(_statement(query, params), params)
                return list(result.keys()), result.all()

        return self._run(read, timeout, idempotent=True)

    def execute_command(
        self, query: str, params: Params | None = None, *, timeout: float | None = None
    ) -> int:
        """Run a statement that writes, and return the number of rows that it is about."""

        def write(connection: "Connection") -> int:
            return max(connection.execute(_statement(query, params), params).rowcount, 0)

        return self._run(write, timeout)

    def insert_many(self, table_name: str, records: Sequence[Mapping[str, Any]]) -> int:
        """Insert records with the same columns, all or none, and return how many."""
        if not records:
            return 0
        columns = tables.columns_of(records)
        statement = tables.table_of(table_name, self.family, columns).insert()

        def write(connection: "Connection") -> int:
            if self.engine.dialect.use_insertmanyvalues_wo_returning:
                _batches(connection, statement, records)
            else:  # the way through SQLAlchemy's parameters takes longer, and changes nothing
                plain = str(statement.compile(self.engine))
                for rows in _cut(records):
                    values = [tuple([record[item] for item in columns]) for record in rows]
                    connection.exec_driver_sql(plain, values)
            return len(records)

        return self._run(write)

    def update_many(
        self,
        table_name: str,
        records: Sequence[Mapping[str, Any]],
        *,
        key: str | Sequence[str] | None = None,
    ) -> int:
        """Update the row of each record, all or none; return how many rows there were.

        `key` names the columns that tell the row; left out, the primary key does.
        """
        if not records:
            return 0
        columns = tables.columns_of(records)
        named = [key] if isinstance(key, str) else key
        keys = self.get_table_info(table_name)["primary_key"] if named is None else list(named)
        statement = tables.update(table_name, columns, keys, self.family)
        casts = self._casts(table_name, columns) if _are_many(records, keys) else None
        if casts is not None:
            return self._run(
                lambda connection: _at_once(connection, table_name, keys, casts, records)
            )
        rows = tables.positional(records, columns)
        return self._run(lambda connection: _batches(connection, statement, rows))

    def _casts(self, table_name: str, columns: Sequence[str]) -> Mapping[str, str] | None:
        """Return the types of columns where PostgreSQL can update many rows at once, or None."""
        if self.family != "postgres":
            return None
        known = {item["name"]: item["type"] for item in self.get_table_info(table_name)["columns"]}
        casts = {item: tables.cast_type(known.get(item, "")) for item in columns}
        found = {item: cast for item, cast in casts.items() if cast is not None}
        return found if len(found) == len(columns) else None

    def delete_records(self, table_name: str, condition: Mapping[str, Any]) -> int:
        """Delete the rows whose columns have these values, and return how many; never all rows.

        None means NULL, a list any of its values.
        """
        statement = tables.deletion(table_name, condition, self.family)
        return self._run(lambda connection: max(connection.execute(statement).rowcount, 0))

    def get_table_info(self, table_name: str) -> dict[str, Any]:
        """Return `table`, `schema`, `columns` (name, type, nullable, default) and `primary_key`.

        Raises ConnectorNotFoundError for a table that there is not.
        """
        from sqlalchemy import inspect

        table = tables.table_of(table_name, self.family)
        schema = table.schema or (self.connection.text("schema") if self._has_schema() else None)

        def look(connection: "Connection") -> dict[str, Any]:
            inspector = inspect(connection)
            columns = inspector.get_columns(table.name, schema)
            key = inspector.get_pk_constraint(table.name, schema)["constrained_columns"]
            return {
                "table": str(table.name),
                "schema": None if schema is None else str(schema),
                "columns": [
                    {
                        "name": self._spelt(item["name"]),
                        "type": str(item["type"]),
                        "nullable": bool(item["nullable"]),
                        "default": item["default"],
                    }
                    for item in columns
                ],
                "primary_key": [self._spelt(item) for item in key],
            }

        return self._run(look, idempotent=True)

    def _spelt(self, name: str) -> str:
        """Return a name as it is: SQLAlchemy leaves the backticks of MySQL doubled."""
        return str(name).replace("``", "`") if self.family == "mysql" else str(name)

    def _has_schema(self) -> bool:
        return self.family == "postgres" and bool(self.connection.get("schema"))

    def get_version(self) -> str:
        """Return the version of the server."""
        _, rows = self.fetch(_VERSION[self.family])
        return str(rows[0][0])

    def _run(
        self,
        work: Callable[["Connection"], T],
        timeout: float | None = None,
        *,
        idempotent: bool = False,
    ) -> T:
        """Do something in a transaction of its own, again where that is safe and of use."""
        check_timeout(timeout)

        def attempt(reached: list[bool]) -> T:
            with self._timed(self.engine.connect(), timeout) as connection, connection.begin():
                reached.append(True)
                return work(connection)

        return self._persist(attempt, idempotent=idempotent)

    def _timed(self, connection: "Connection", timeout: float | None) -> "Connection":
        return connection if timeout is None else connection.execution_options(timeout=timeout)

    def _persist(
        self,
        attempt: Callable[[list[bool]], T],
        *,
        idempotent: bool,
        retry: RetryConfig | None = None,
    ) -> T:
        """Try until it works; `attempt` notes in its argument that a statement may have been sent.

        What is raised is raised here, where no error of a driver is handled.
        """
        retry = retry or self._retry
        for number in range(retry.max_retries + 1):
            reached: list[bool] = []
            try:
                return attempt(reached)
            except Exception as error:
                found = failure(error, self.connection)
            repeatable = idempotent or not reached or found.code in UNDONE
            last = number == retry.max_retries
            if last or not retry.retries(found, idempotent=repeatable):
                break
            self._sleep(retry.delay(number, self._chance))
        _unchain(found)
        raise found

    @contextlib.contextmanager
    def _reading(self, connection: "Connection") -> Iterator[None]:
        """Have the server refuse to write until the end of the transaction."""
        session: Any = connection.connection.dbapi_connection
        if self.family == "duckdb":
            session.rollback()  # the transaction that SQLAlchemy began may write
            session.execute("BEGIN TRANSACTION READ ONLY")
            yield
            return
        connection.exec_driver_sql(_READ_ONLY[self.family])
        try:
            yield
        finally:
            if self.family == "sqlite":
                session.execute("PRAGMA query_only = OFF")


_READ_ONLY: Final = {
    "mysql": "START TRANSACTION READ ONLY",
    "postgres": "SET TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}
_VERSION: Final = {
    "mysql": "SELECT VERSION()",
    "postgres": "SELECT current_setting('server_version')",
    "sqlite": "SELECT sqlite_version()",
    "duckdb": "SELECT version()",
}


# What SQLAlchemy takes for a parameter.
_BIND: Final = re.compile(r"(?<![:\w\\]):\w+(?!:)")


def _statement(query: str, params: Params | None) -> "Executable":
    from sqlalchemy import text

    # Without parameters a colon is a colon.
    return text(query if params else query.replace(":", r"\:"))


def _batches(
    connection: "Connection", statement: "Executable", records: Sequence[Mapping[str, Any]]
) -> int:
    """Run a statement for all records, and return the number of rows that it was about."""
    return sum(max(connection.execute(statement, rows).rowcount, 0) for rows in _cut(records))


def _are_many(records: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> bool:
    """Tell whether records are some, each about another row: else the last one has to win."""
    try:
        rows = {tuple(record[item] for item in keys) for record in records}
    except (KeyError, TypeError):  # a key that lacks, or cannot be compared
        return False
    return len(rows) == len(records) > 1


def _at_once(
    connection: "Connection",
    table_name: str,
    keys: Sequence[str],
    casts: Mapping[str, str],
    records: Sequence[Mapping[str, Any]],
) -> int:
    """Update the rows of many records by one statement for each batch."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    changed = 0
    for rows in _cut(records, min(BATCH, _PARAMETERS // len(casts))):
        statement = tables.update_rows(table_name, casts, keys, len(rows), quote)
        values = tuple(record[item] for record in rows for item in casts)
        changed += max(connection.exec_driver_sql(statement, values).rowcount, 0)
    return changed


def _cut(
    records: Sequence[Mapping[str, Any]], size: int = BATCH
) -> Iterator[Sequence[Mapping[str, Any]]]:
    for start in range(0, len(records), size):
        yield records[start : start + size]


def _unchain(error: ConnectorError) -> None:
    """Take away what an error was raised from: drivers put values into their texts."""
    error.__cause__ = error.__context__ = None
    error.__suppress_context__ = True
