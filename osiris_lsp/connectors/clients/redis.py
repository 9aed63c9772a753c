"""Keys and values of Redis and Valkey, by redis-py (extra `redis`)."""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from osiris_lsp.connectors import dsn
from osiris_lsp.connectors.clients.drivers import explained
from osiris_lsp.connectors.clients.http.connection import connection_of, seconds
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorConfigError, MissingDependencyError
from osiris_lsp.connectors.families.redis import CONNECTOR
from osiris_lsp.connectors.health import Check, Deadline
from osiris_lsp.connectors.tls import tls_of, wants_tls


class RedisConnection:
    """Texts by their keys; close it, or use it as a context manager.

    `config` is a resolved connection or a mapping with its fields. `key_prefix` stands before each
    key on the server, and in no key here. Any number of threads may use it.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError as error:
            raise MissingDependencyError("redis", "redis") from error

        connection = CONNECTOR.expanded(connection_of("redis", config))
        self._check = Check(connection, Deadline(seconds(connection, "connect_timeout", 10.0)))
        self._check.at("query", "host")
        self._prefix = connection.text("key_prefix")
        self._client: Any = redis.Redis(
            username=connection.text("user") or None,
            password=connection.text("password") or None,
            db=int(seconds(connection, "db", 0)),
            decode_responses=True,
            socket_timeout=seconds(connection, "timeout", 30.0),
            socket_connect_timeout=seconds(connection, "connect_timeout", 10.0),
            max_connections=int(seconds(connection, "pool_size", 10)),
            retry=Retry(NoBackoff(), 0),
            **_address(connection),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; again is no error."""
        self._client.close()

    def get(self, key: str) -> str | None:
        """Return the text of a key, None where there is none."""
        with self._explained("get"):
            found: str | None = self._client.get(self._prefix + key)
            return found

    def set(self, key: str, value: str | float, *, expires: float | None = None) -> None:
        """Keep a text under a key, for `expires` seconds where that is given."""
        if expires is not None and not expires > 0:
            raise ConnectorConfigError("`expires` has to be above 0", field="expires")
        milliseconds = None if expires is None else max(int(expires * 1000), 1)
        with self._explained("set"):
            self._client.set(self._prefix + key, value, px=milliseconds)

    def delete(self, *keys: str) -> int:
        """Forget keys and return how many were there."""
        if not keys:
            return 0
        with self._explained("delete"):
            return int(self._client.delete(*(self._prefix + key for key in keys)))

    def keys(self, pattern: str = "*") -> Iterator[str]:
        """Yield the keys that fit a pattern, without stopping the server for it (SCAN)."""
        with self._explained("keys"):
            for key in self._client.scan_iter(match=_literal(self._prefix) + pattern):
                yield key[len(self._prefix) :]

    def _explained(self, name: str) -> Any:
        return explained(CONNECTOR, self._check, f"`redis`: {name}")


def _address(connection: ResolvedConnection) -> dict[str, Any]:
    """Return where the server is, and the TLS on the way there, as options of redis-py."""
    if connection.text("unix_socket"):
        return {"unix_socket_path": connection.path("unix_socket")}
    address = {"host": connection.text("host") or "localhost", "port": dsn.port_of(connection)}
    if not wants_tls(connection):
        return address
    tls = tls_of(connection)
    return {
        **address,
        "ssl": True,
        "ssl_cert_reqs": "required" if tls.verify else "none",
        "ssl_check_hostname": tls.verify and tls.check_hostname,
        "ssl_ca_certs": tls.ca or None,
        "ssl_certfile": tls.cert or None,
        "ssl_keyfile": tls.key or None,
    }


def _literal(text: str) -> str:
    """Return a pattern that fits nothing but a text."""
    return "".join(f"\\{sign}" if sign in "*?[]\\^" else sign for sign in text)
