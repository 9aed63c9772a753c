"""DuckDB under SQLAlchemy: sessions with transactions, and the dialect that is needed here.

The package `duckdb-engine` knows no DuckDB of today.
"""

import contextlib
import re
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import text, types
from sqlalchemy.engine import Connection, default
from sqlalchemy.exc import NoSuchTableError

from osiris_lsp.connectors.errors import MissingDependencyError

_WRITE: Final = re.compile(r"\s*(?:INSERT|UPDATE|DELETE)\b", re.IGNORECASE)


class Session:
    """A connection of DuckDB; unlike its own cursors, these share its transaction."""

    def __init__(self, path: str, read_only: bool) -> None:
        try:
            import duckdb
        except ImportError as error:
            raise MissingDependencyError("duckdb", "duckdb") from error
        self._connection = duckdb.connect(path, read_only=read_only)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def cursor(self) -> "Cursor":
        """Return a cursor of this transaction."""
        return Cursor(self._connection)

    def commit(self) -> None:
        """Commit; without a transaction there is nothing to do."""
        self._end("COMMIT")

    def rollback(self) -> None:
        """Roll back; without a transaction there is nothing to do."""
        self._end("ROLLBACK")

    def _end(self, statement: str) -> None:
        import duckdb

        try:
            self._connection.execute(statement)
        except duckdb.TransactionException as error:
            if "no transaction is active" not in str(error):
                raise


class Cursor:
    """A cursor of a session; closing it leaves the session open."""

    arraysize = 1
    rowcount = -1

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement; what a write is about stands in `rowcount`."""
        self._connection.execute(statement, list(parameters))
        self.rowcount = -1
        if _WRITE.match(statement) and [item[0] for item in self._connection.description] == [
            "Count"
        ]:
            self.rowcount = self._connection.fetchone()[0]  # its own is always -1 before 2.0

    def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of some parameters."""
        count = 0
        for item in parameters:
            self.execute(statement, item)
            count += self.rowcount
        self.rowcount = count

    def close(self) -> None:
        """Do nothing."""


class Dialect(default.DefaultDialect):
    """What SQLAlchemy has to know of DuckDB for statements with parameters, and for columns."""

    name = "duckdb"
    driver = "duckdb"
    default_paramstyle = "qmark"
    supports_statement_cache = True
    supports_multivalues_insert = True
    use_insertmanyvalues = True
    use_insertmanyvalues_wo_returning = True  # row by row DuckDB takes milliseconds for each
    supports_sane_multi_rowcount = False

    @classmethod
    def import_dbapi(cls) -> Any:
        """Return the driver."""
        try:
            import duckdb
        except ImportError as error:
            raise MissingDependencyError("duckdb", "duckdb") from error
        return duckdb

    def initialize(self, connection: Connection) -> None:
        """Ask for nothing."""

    def do_begin(self, dbapi_connection: Any) -> None:
        """Begin a transaction: DuckDB does not by itself."""
        dbapi_connection.execute("BEGIN TRANSACTION")

    def do_ping(self, dbapi_connection: Any) -> bool:
        """Say that a session works: it is in this process."""
        return True

    def is_disconnect(self, e: Exception, connection: Any, cursor: Any) -> bool:
        """Tell whether a database has to be opened again: after a fatal error."""
        return type(e).__name__ == "FatalException"

    def has_table(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> bool:
        """Tell whether there is a table or view."""
        with contextlib.suppress(NoSuchTableError):
            return bool(self.get_columns(connection, table_name, schema))
        return False

    def get_columns(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> list[Any]:
        """Return the columns of a table or view."""
        found = connection.execute(_COLUMNS, {"name": table_name, "schema": schema}).all()
        if not found:
            raise NoSuchTableError(table_name)
        return [
            {"name": name, "type": _Named(kind), "nullable": nullable, "default": default}
            for name, kind, nullable, default in found
        ]

    def get_pk_constraint(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> Any:
        """Return the primary key of a table."""
        found = connection.execute(_KEY, {"name": table_name, "schema": schema}).scalar()
        return {"constrained_columns": list(found or ()), "name": None}


class _Named(types.UserDefinedType[Any]):
    """A type by its name in DuckDB."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **kw: Any) -> str:
        """Return the name."""
        return self.name


_WHERE = (
    "table_name = :name AND database_name = current_database()"
    " AND schema_name = coalesce(CAST(:schema AS VARCHAR), current_schema())"
)
_COLUMNS = text(
    "SELECT column_name, data_type, is_nullable, column_default FROM duckdb_columns()"
    f" WHERE {_WHERE} ORDER BY column_index"
)
_KEY = text(
    "SELECT constraint_column_names FROM duckdb_constraints()"
    f" WHERE {_WHERE} AND constraint_type = 'PRIMARY KEY'"
)
