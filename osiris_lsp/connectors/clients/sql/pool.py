"""Pools by configuration: equal ones share, and all are closed together."""

import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp.connectors.clients.sql.database import Database
from osiris_lsp.connectors.clients.sql.engine import connection_of
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import is_retryable_error
from osiris_lsp.connectors.resilience.retry import RetryConfig
from osiris_lsp.connectors.session import DEFAULT, Session, config_key

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PATHS: Final = ("path", "unix_socket", "ssl_ca", "ssl_cert", "ssl_key")

KIND: Final = "sql"
"""What pools are called in a session."""


class ConnectionPool:
    """A pool for each configuration, with at most `max_connections` connections (S2-POOL-01).

    Pools are those of a session: of its own, unless it is given one to share.
    """

    def __init__(
        self, max_connections: int = 10, *, family: str = "mysql", session: Session | None = None
    ) -> None:
        self.max_connections = max_connections
        self._family = family
        self._session = session or Session()

    def database(self, config: Mapping[str, Any]) -> Database:
        """Return what is done with a connection, over its pool."""
        connection = connection_of(config, self._family)
        kind = f"{KIND}:{self.max_connections}"
        key = _identity(connection)
        return self._session.shared(kind, key, lambda: self._create_pool(connection))

    def get_connection(self, config: Mapping[str, Any]) -> "Connection":
        """Return a connection of SQLAlchemy; close it, or use it in a `with`, to give it back."""
        return self.database(config).connect()

    _get_or_create_connection = get_connection

    def close_all(self) -> None:
        """Close all pools of the session, and forget them."""
        self._session.close_all(f"{KIND}:{self.max_connections}")

    def _create_pool(self, config: Mapping[str, Any]) -> Database:
        return Database(config, max_connections=self.max_connections)

    def _config_key(self, config: Mapping[str, Any]) -> str:
        """Return what stands for a configuration: it differs with every field, and says nothing."""
        return config_key(_identity(connection_of(config, self._family)))

    _make_cache_key = _config_key


def shared(config: Mapping[str, Any], family: str = "") -> Database:
    """Return what is done with a connection, over its pool in the session of the process."""
    connection = connection_of(config, family)
    return DEFAULT.shared(KIND, _identity(connection), lambda: Database(connection))


def _identity(connection: ResolvedConnection) -> Mapping[str, Any]:
    """Return what tells pools apart: the fields, and the folder that relative paths count from."""
    nested = connection.get("ssl")
    texts = [connection.get(name) for name in _PATHS]
    texts += nested.values() if isinstance(nested, Mapping) else ()
    relative = any(isinstance(item, str) and not os.path.isabs(item) for item in texts)
    return {**connection, "base": connection.base if relative else ""}


def open_connection(conn_info: Mapping[str, Any]) -> "Connection":
    """Return a connection of the pool that the process shares, after a single attempt."""
    return shared(conn_info, "mysql").connect(retry=RetryConfig(max_retries=0))


def connect_with_retry(
    conn_info: Mapping[str, Any],
    max_retries: int = 3,
    *,
    connect: Callable[[Mapping[str, Any]], Any] = open_connection,
    sleep: Callable[[float], None] = time.sleep,
) -> Any:
    """Return a connection after `max_retries` attempts at most, 1 s and 2 s apart (CONN-018).

    Time-outs and broken connections are tried again; wrong passwords, missing rights and what a
    second attempt cannot change are not (CONN-019). The last error is raised.
    """
    for attempt in range(max_retries):
        try:
            return connect(conn_info)
        except (TimeoutError, ConnectionError) as error:
            if attempt == max_retries - 1 or not is_retryable_error(error):
                raise
        sleep(float(2**attempt))
    raise RuntimeError("Failed to connect after retries")
