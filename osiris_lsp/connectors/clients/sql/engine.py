"""Engines of SQLAlchemy: pools whose sessions come from `wire`, with nothing secret in them."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp.connectors import dsn
from osiris_lsp.connectors.clients.sql.failures import failure, is_lost
from osiris_lsp.connectors.clients.sql.wire import (
    CONNECTORS,
    Limit,
    Servers,
    in_memory,
    limit_of,
)
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.families.mysql import charset_of
from osiris_lsp.connectors.health import refuse_placeholder
from osiris_lsp.specs import Families

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine
    from sqlalchemy.engine import ExceptionContext
    from sqlalchemy.pool import ConnectionPoolEntry

_DIALECTS: Final = {
    "mysql": "mysql+pymysql",
    "postgres": "postgresql+pg8000",
    "sqlite": "sqlite",
    "duckdb": "duckdb",
}
_LIMIT: Final = "osiris_lsp.limit"
_POOL: Final = "osiris_lsp.pool"

CONVERTS: Final = "osiris_lsp.converts"
"""The execution option with which errors of the database are raised as errors of ours."""


def connection_of(config: Mapping[str, Any], family: str = "") -> ResolvedConnection:
    """Return a resolved connection, or a plain dict as one, with the fields of its DSN.

    Raises ConnectorConfigError for what cannot be connected to, before anything is opened.
    """
    if not isinstance(config, ResolvedConnection):
        if config.get("user") and config.get("username") not in (None, config["user"]):
            raise ConnectorConfigError(
                "`user` and `username` are two names of one field, and differ",
                code="config.conflict",
                field="username",
                remedy="take `username` out",
            )
        spec = Families().find(str(config.get("family") or family))
        name = spec.name if spec is not None else str(config.get("family") or "")
        config = ResolvedConnection(name, str(config.get("alias") or "default"), config)
    if config.family not in CONNECTORS:
        raise ConnectorConfigError(
            f"connections of `{config.family}` are not for SQL",
            code="config.unknown_family",
            field="family",
            remedy=f"use one of {', '.join(CONNECTORS)}",
        )
    refuse_placeholder(config)
    return _checked(CONNECTORS[config.family].expanded(config))


def _checked(connection: ResolvedConnection) -> ResolvedConnection:
    if connection.family in ("mysql", "postgres"):
        dsn.port_of(connection)
        dsn.user_of(connection)
    elif not (connection.text("path") or connection.value("memory") is True):
        raise ConnectorConfigError(
            "no `path` of a database is given",
            code="config.missing_field",
            field="path",
            remedy="add `path`",
        )
    if connection.family == "mysql":
        charset_of(connection)
    return connection


def url_of(connection: ResolvedConnection) -> "URL":
    """Return the URL of a connection, whose text has no password."""
    from sqlalchemy import URL

    query = {"charset": charset_of(connection)} if connection.family == "mysql" else {}
    return URL.create(
        _DIALECTS[connection.family],
        username=connection.text("user") or None,
        password=connection.text("password") if "password" in connection else None,
        host=connection.text("host") or "localhost",
        port=dsn.port_of(connection),
        database=connection.text("database") or None,
        query=query,
    )


def make_engine(connection: ResolvedConnection, max_connections: int | None = None) -> "Engine":
    """Return the engine of a connection; it opens nothing until it is used.

    The pool keeps 5 connections and opens 10 more under load (R-24), or as the connection says;
    with `max_connections` it has no more than that.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.dialects import registry
    from sqlalchemy.pool import QueuePool

    # PyMySQL knows two styles; names of columns must not stand among the parameters.
    style = {"paramstyle": "format"} if connection.family == "mysql" else {}
    if connection.family == "duckdb":
        registry.register("duckdb", "osiris_lsp.connectors.clients.sql.duck", "Dialect")
    servers = Servers(connection)

    def create(entry: "ConnectionPoolEntry") -> Any:
        session, entry.info[_LIMIT] = servers.open()
        entry.info[_POOL] = engine.pool
        return session

    engine = create_engine(
        f"{_DIALECTS[connection.family]}://",
        creator=create,
        poolclass=QueuePool,
        hide_parameters=True,
        pool_pre_ping=True,
        **style,
        **_pool(connection, max_connections),
    )
    if connection.family == "postgres":
        # Many rows in one statement; by itself pg8000 would send them one by one.
        engine.dialect.use_insertmanyvalues_wo_returning = True
    _listen(engine, connection)
    return engine


def _pool(connection: ResolvedConnection, most: int | None) -> dict[str, Any]:
    if most is not None and (isinstance(most, bool) or most < 1):
        raise ConnectorConfigError("`max_connections` has to be at least 1", field="")
    size = int(_number(connection, "pool_size", 5))
    overflow = int(_number(connection, "max_overflow", 10))
    if most is not None:
        size = min(5, most)
        overflow = most - size
    if connection.family in ("sqlite", "duckdb") and in_memory(connection):
        size, overflow = 1, 0  # each session would have a database of its own
    recycle = -1 if in_memory(connection) else int(_number(connection, "pool_recycle", 3600))
    return {
        "pool_size": size,
        "max_overflow": overflow,
        "pool_recycle": recycle,
        "pool_timeout": _number(connection, "pool_timeout", 30),
    }


def _number(connection: ResolvedConnection, name: str, default: float) -> float:
    value = connection.value(name)
    return default if value is None else float(value)


def _listen(engine: "Engine", connection: ResolvedConnection) -> None:
    """Give each statement its time, and close what comes back to a pool that is closed."""
    from sqlalchemy import event

    usual = limit_of(connection)

    def begin(used: "Connection", *_: Any) -> None:
        limit: Limit = used.connection.info[_LIMIT]
        seconds = float(used.get_execution_options().get("timeout", usual))
        limit.begin(used.connection.dbapi_connection, seconds)

    def end(used: "Connection", *_: Any) -> None:
        used.connection.info[_LIMIT].end()

    def forget(used: "Connection") -> None:
        if not used.invalidated:
            used.connection.info[_LIMIT].forget()

    def failed(context: "ExceptionContext") -> Any:
        if is_lost(context.original_exception, connection.family):
            context.is_disconnect = True
        if context.connection and context.connection.get_execution_options().get(CONVERTS):
            return failure(context.original_exception, connection)
        return None

    def back(session: Any, entry: "ConnectionPoolEntry") -> None:
        if entry.info.get(_POOL) is not engine.pool:
            entry.invalidate()

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
    event.listen(engine, "commit", forget)
    event.listen(engine, "rollback", forget)
    event.listen(engine, "handle_error", failed)
    event.listen(engine.pool, "checkin", back)


def check_timeout(seconds: float | None) -> float | None:
    """Return a timeout; raises ConnectorConfigError for one that is none."""
    if seconds is not None and not (0 < seconds < math.inf):
        raise ConnectorConfigError("`timeout` has to be above 0 seconds", field="timeout")
    return seconds
