"""Databases: rows of a query that only reads."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp.connectors.clients.sql.reading import validate_read_only
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.evidence.base import BaseConnector, checked
from osiris_lsp.connectors.evidence.source import Evidence, SourceType

if TYPE_CHECKING:
    from sqlalchemy import Engine

Rows = Callable[[str, Mapping[str, Any]], Iterable[Mapping[str, Any]]]
"""Runs a query with its parameters and gives rows."""

_FAMILIES: Final = {
    "postgresql": "postgres",
    "postgres": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
}
_DIALECTS: Final = {"postgresql": "postgres", "mariadb": "mysql"}

_READ_ONLY: Final = {
    "postgresql": ("SET TRANSACTION READ ONLY", ""),
    "mysql": ("SET TRANSACTION READ ONLY", ""),
    "mariadb": ("SET TRANSACTION READ ONLY", ""),
    "sqlite": ("PRAGMA query_only = ON", "PRAGMA query_only = OFF"),
}
"""What makes a transaction read only, and what gives the connection back as it was."""


class SQLConnector(BaseConnector):
    """Rows of a database; `query` is SQL, with parameters as `:name`.

    Give a SQLAlchemy `engine`, or `rows` and the `dialect`. Only what `validate_read_only` lets
    pass is run, in a read-only transaction where the database has one, and rolled back. `fetch`
    runs `fetch_query` with `:id`; without one it gives what a search found, from the cache.
    """

    name = "SQL"
    source_type = SourceType.DATABASE
    requires = ("sqlalchemy", "sqlglot")
    confidence = 0.85
    authority = 0.8

    def __init__(
        self,
        *,
        engine: "Engine | None" = None,
        rows: Rows | None = None,
        dialect: str = "",
        fetch_query: str = "",
        id_column: str = "id",
        title_column: str = "title",
        content_columns: Sequence[str] = (),
        timeout: float = 30.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if (engine is None) == (rows is None):
            raise ConnectorConfigError("give either `engine` or `rows`", field="engine")
        named = engine.dialect.name if engine is not None else dialect
        self._dialect = _DIALECTS.get(named, named)
        self._engine, self._rows = engine, rows
        self._owned = False
        self._fetch_query = fetch_query
        self._id, self._title, self._content = id_column, title_column, tuple(content_columns)
        self._timeout = timeout
        if fetch_query:
            validate_read_only(fetch_query, self._dialect)

    @classmethod
    def from_connection(cls, connection: ResolvedConnection, **options: Any) -> "SQLConnector":
        """Return the connector of a connection, with an engine of its own that `close` ends."""
        from osiris_lsp.connectors.clients.sql.engine import connection_of, make_engine

        names = ("fetch_query", "id_column", "title_column", "content_columns", "timeout")
        given = {name: connection.value(name) for name in names if connection.value(name)}
        engine = make_engine(connection_of(_database(connection)))
        made = cls(engine=engine, **{**given, **options})
        made._owned = True
        return made

    async def close(self) -> None:
        """Close the connections of an engine of its own; the next search opens others."""
        if self._owned and self._engine is not None:
            await asyncio.to_thread(self._engine.dispose)

    async def search(
        self,
        query: str,
        limit: int = 10,
        *,
        parameters: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> list[Evidence]:
        """Run a query and return its first rows; raises OperationNotAllowedError for a write."""
        sql = checked(query, limit)
        validate_read_only(sql, self._dialect)
        found = [self._row(row) for row in await self._read("search", sql, parameters or {}, limit)]
        for evidence in found:
            self._cache_put(evidence.id, evidence)
        return found

    async def fetch(self, evidence_id: str) -> Evidence | None:
        """Return the row with an id."""
        if not self._fetch_query:
            return self._cache_get(evidence_id)
        found = await self._read("fetch", self._fetch_query, {"id": evidence_id}, 1)
        return self._row(found[0]) if found else None

    async def _read(
        self, operation: str, sql: str, parameters: Mapping[str, Any], limit: int
    ) -> list[Mapping[str, Any]]:
        async def run() -> list[Mapping[str, Any]]:
            async with asyncio.timeout(self._timeout):
                return await asyncio.to_thread(self._run, sql, parameters, limit)

        rows = await self._request_with_retry(run, operation)
        assert isinstance(rows, list)
        return rows

    def _run(self, sql: str, parameters: Mapping[str, Any], limit: int) -> list[Mapping[str, Any]]:
        if self._rows is not None:
            return [dict(row) for row in islice(self._rows(sql, parameters), limit)]
        assert self._engine is not None
        from sqlalchemy import text

        before, after = _READ_ONLY.get(self._engine.dialect.name, ("", ""))
        with self._engine.connect() as connection:
            try:
                if before:
                    connection.exec_driver_sql(before)
                with closing(connection.execute(text(sql), dict(parameters))) as result:
                    return [dict(row) for row in result.mappings().fetchmany(limit)]
            finally:
                connection.rollback()
                if after:
                    connection.exec_driver_sql(after)
                    connection.rollback()

    def _row(self, row: Mapping[str, Any]) -> Evidence:
        shown = {name: _plain(value) for name, value in row.items()}
        columns = self._content or tuple(shown)
        lines = [f"{name}: {shown[name]}" for name in columns if shown.get(name) is not None]
        known = shown.get(self._id)
        digest = hashlib.sha256(json.dumps(shown, sort_keys=True, default=str).encode())
        id = str(known) if known is not None else digest.hexdigest()[:32]
        return Evidence(
            id,
            self.source_type,
            f"{self._dialect}:{id}",
            "\n".join(lines),
            title=str(shown.get(self._title) or ""),
            confidence=self.confidence,
            authority=self.authority,
            metadata=shown,
        )


def _database(connection: ResolvedConnection) -> ResolvedConnection:
    """Return the connection of the family that the DSN is of."""
    text = connection.text("dsn").strip()
    scheme = text.partition("://")[0].partition("+")[0].lower() if "://" in text else ""
    family = _FAMILIES.get(scheme)
    if family is None:
        raise ConnectorConfigError(
            "`dsn` is no address of a database that can be searched",
            code="config.url",
            field="dsn",
            remedy="write it as `postgresql://`, `mysql://` or `sqlite:///path`",
        )
    values: dict[str, Any] = {"dsn": text, "timeout": connection.value("timeout")}
    if family == "sqlite":
        path = text.partition("://")[2].partition("?")[0].removeprefix("/")
        values = {"path": path, "read_only": True}
    return ResolvedConnection(family, connection.alias, values, base=connection.base)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
