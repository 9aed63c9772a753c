"""MySQL and MariaDB as programs of Osiris call them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Self

from osiris_lsp.connectors.clients.sql.database import RETRY, Database
from osiris_lsp.connectors.clients.sql.engine import connection_of, url_of
from osiris_lsp.connectors.clients.sql.failures import failure
from osiris_lsp.connectors.clients.sql.frames import framed
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorNotFoundError,
)
from osiris_lsp.connectors.resilience.retry import RetryConfig

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine


class MySQLConnection:
    """A pool of connections to one database, made without opening any."""

    def __init__(self, config: Mapping[str, Any], *, retry: RetryConfig = RETRY) -> None:
        connection = connection_of(config, "mysql")
        if connection.family != "mysql":
            raise ConnectorConfigError(
                f"this is a connection of `{connection.family}`, not of `mysql`",
                code="config.family",
                field="family",
            )
        self.config = connection
        self.database = Database(connection, retry=retry)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @staticmethod
    def create_client(connection: Mapping[str, Any]) -> "MySQLConnection":
        """Return a client of a resolved connection (CONN-015)."""
        return MySQLConnection(connection)

    @property
    def engine(self) -> "Engine":
        """The engine of SQLAlchemy."""
        return self.database.engine

    def execute_query(self, query: str, timeout: float = 30) -> Any:
        """Return the rows of a statement that only reads: a DataFrame, or without pandas dicts."""
        return framed(*self.database.fetch(query, timeout=timeout))

    def get_version(self) -> str:
        """Return the version of the server."""
        return self.database.get_version()

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def _build_url(self) -> "URL":
        """Return the URL for SQLAlchemy; its text shows no password, but it holds it."""
        return url_of(self.config)


def test_connection(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return `status` connected with `version` and `database`, or failed with `error`.

    It is tried once.
    """
    try:
        with MySQLConnection(config, retry=RetryConfig(max_retries=0)) as connection:
            connection.database.fetch("SELECT 1 AS test")
            return {
                "status": "connected",
                "version": connection.get_version(),
                "database": connection.config.text("database"),
            }
    except ConnectorError as error:
        return {"status": "failed", "error": str(error)}


class AccessDeniedError(ConnectorAuthError, ConnectionError):
    """The server does not accept user or password."""


class DatabaseNotFoundError(ConnectorNotFoundError, ConnectionError):
    """The server has no such database, or shows none to this account."""


_UNREACHABLE = frozenset(("tcp.refused", "tcp.unreachable", "tcp.timeout", "unix.missing"))


def handle_connection_error(e: BaseException, config: Mapping[str, Any]) -> NoReturn:
    """Raise the ConnectionError that says what an error of connecting means.

    It goes by the code of the error, for servers translate their texts, which are not shown.
    """
    raise _meant(e, config)


def _meant(error: BaseException, config: Mapping[str, Any]) -> ConnectorError:
    connection = ResolvedConnection("mysql", str(config.get("alias") or "default"), config)
    found = failure(error, connection)
    kind: type[ConnectorError] = ConnectorNetworkError
    if found.code == "db.login_refused":
        kind = AccessDeniedError
        said = f"Access denied for user {connection.get('user')}. Check username and password."
    elif found.code in ("db.unknown_database", "db.no_access"):
        kind = DatabaseNotFoundError
        said = (
            f"Database {connection.get('database')} not found. "
            "Verify database exists and spelling is correct."
        )
    elif found.code in _UNREACHABLE or found.stage == "dns" or _number(error) in (2002, 2003):
        place = f"{connection.get('host', 'localhost')}:{connection.value('port')}"
        said = f"Cannot connect to {place}. Check host, port, and network connectivity."
    else:
        said = f"Connection failed: {found}"
    said = connection.redactor().redact(said)
    return kind(said, code=found.code, stage=found.stage, field=found.field, kind=found.kind)


def _number(error: BaseException) -> object:
    """Return the number of an error of PyMySQL, or of the one that SQLAlchemy has wrapped."""
    inner = getattr(error, "orig", None) or error
    return inner.args[0] if inner.args else None
