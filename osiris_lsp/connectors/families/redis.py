"""Redis and Valkey, by redis-py over a socket of ours."""

import socket
from collections.abc import Mapping
from typing import Any, Final

from osiris_lsp.connectors import dsn
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorPermissionError,
    MissingDependencyError,
)
from osiris_lsp.connectors.health import Check, causes
from osiris_lsp.connectors.meanings import Meaning
from osiris_lsp.connectors.network import connect, connect_unix
from osiris_lsp.connectors.protocols import mismatch
from osiris_lsp.connectors.tls import tls_context, tls_of, wants_tls

_SERVER: Final = "a Redis server"

_BEGINNINGS: Final = (b"", b"+", b"-", b":", b"$", b"*")
"""How an answer can begin (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""

_OPTIONS: Final = {
    "db": "db",
    "username": "user",
    "password": "password",
    "ssl_ca_certs": "ssl_ca",
    "ssl_certfile": "ssl_cert",
    "ssl_keyfile": "ssl_key",
    "ssl_cert_reqs": "cert_reqs",
    "ssl_check_hostname": "check_hostname",
    **dict.fromkeys(
        ("client_name", "decode_responses", "encoding", "health_check_interval", "max_connections"),
        "",
    ),
    **dict.fromkeys(("protocol", "retry_on_timeout", "socket_connect_timeout"), ""),
    **dict.fromkeys(("socket_keepalive", "socket_timeout", "timeout"), ""),
}

# By the first word of the answer, or the class that redis-py makes of it.
_REFUSED: Final = Meaning(
    ConnectorAuthError,
    "db.login_refused",
    "auth",
    "password",
    "the server does not accept this user or this password",
    "check `user` and `password`; a server without users and password wants neither",
)
_LOGIN_REQUIRED: Final = Meaning(
    ConnectorAuthError,
    "db.login_required",
    "auth",
    "password",
    "the server wants a password, and the connection has none",
    "add `password`, and `user` where the server knows users",
)
_NO_RIGHT: Final = Meaning(
    ConnectorPermissionError,
    "db.no_privilege",
    "query",
    "user",
    "the login works, but the user may not even run `PING` or choose a database",
    "have the user given more rights: `ACL SETUSER … +@connection +@read`",
)
_STARTING: Final = Meaning(
    ConnectorNetworkError,
    "db.starting_up",
    "query",
    "host",
    "the server is up, but still loads its data",
    "try again when it has",
)
_DETACHED: Final = Meaning(
    ConnectorNetworkError,
    "db.replica_detached",
    "query",
    "host",
    "this is a replica that has lost its primary, and it answers no queries meanwhile",
    "look at the primary and at the network between them, or connect to the primary",
)
_TOO_MANY: Final = Meaning(
    ConnectorNetworkError,
    "db.too_many_connections",
    "auth",
    "host",
    "the server has as many connections as it allows",
    "wait or close unused connections; an administrator can look at CLIENT LIST",
)
_PROTECTED: Final = Meaning(
    ConnectorPermissionError,
    "db.host_not_allowed",
    "auth",
    "host",
    "the server has no password, and so accepts connections from its own machine only",
    "set a password on the server (`requirepass`), then add `password`",
)
_NO_DATABASE: Final = Meaning(
    ConnectorError,
    "db.unknown_database",
    "query",
    "db",
    "the login works, but the server has no database of this number",
    "check `db`: a server has 16 by default, a cluster only number 0",
)


class RedisConnector(Connector):
    """Connections to Redis and Valkey."""

    family = "redis"

    def expanded(self, connection: ResolvedConnection) -> ResolvedConnection:
        """Return a connection with the fields of its `url`."""
        return dsn.expanded(connection, read_url, field="url")

    def probe(self, check: Check) -> None:
        """Log in, choose the database and have the server answer."""
        try:
            import redis
        except ImportError as error:
            raise MissingDependencyError("redis", "redis") from error

        connection = self.expanded(check.connection)
        check.within = "url" if connection is not check.connection else ""
        check.facts.update(driver=f"redis-py {redis.__version__}", db=_database(connection))
        session = _log_in(check, connection)
        check.at("query", "db")
        if check.facts["db"]:
            _ask(session, "SELECT", check.facts["db"])
        check.at("query", "host")
        if _ask(session, "PING") != b"PONG":
            raise mismatch(_SERVER, b"")
        _note_facts(check, session)

    def explain(self, error: BaseException, check: Check) -> ConnectorError | None:
        """Say what an error class of redis-py means."""
        from redis import exceptions

        if not isinstance(error, exceptions.RedisError):
            return None
        meaning = self._meaning(error, check)
        if meaning is not None:
            return meaning.as_error()
        if isinstance(error, exceptions.ResponseError):
            return ConnectorError(
                f"the server answers with an error ({_word(error)})",
                code="redis.error",
                remedy="look at the log of the server",
            )
        broken = [item for item in causes(error) if isinstance(item, OSError)]
        if broken and not isinstance(broken[0], ConnectionError):
            return None
        return ConnectorNetworkError(
            "the server closed the connection",
            code="tcp.reset" if broken else "tcp.closed",
            remedy="look at the log of the server"
            if check.facts.get("tls")
            else "check the port; where it is one for TLS, set `ssl: true`",
        )

    def _meaning(self, error: BaseException, check: Check) -> Meaning | None:
        from redis import exceptions

        if isinstance(error, exceptions.AuthenticationError):
            given = self.expanded(check.connection).text("password")
            return _REFUSED if given else _LOGIN_REQUIRED
        if isinstance(error, exceptions.NoPermissionError):
            return _NO_RIGHT
        if isinstance(error, exceptions.BusyLoadingError):
            return _STARTING
        if _word(error) == "MASTERDOWN":
            return _DETACHED
        if isinstance(error, exceptions.ResponseError) and check.field == "db":
            return _NO_DATABASE
        # The server has no code for this one, and redis-py no class.
        return _TOO_MANY if "max number of clients" in str(error) else None


def read_url(text: str, field: str) -> dict[str, Any]:
    """Return the fields of a `redis://`, `rediss://` or `unix://` URL."""
    found = dsn.url_fields(text, field, ("redis", "rediss", "unix"), _OPTIONS)
    path = found.pop("database", "")
    scheme = text.strip().partition(":")[0].lower()
    if scheme == "unix":
        found["unix_socket"] = f"/{path}"
    elif path:
        found["db"] = path
    named = found.pop("check_hostname", "true").lower()
    if scheme == "rediss":
        found["ssl"] = {"check_hostname": named not in ("false", "no", "0")}
    if found.pop("cert_reqs", "required").lower() == "none":
        found["ssl_verify"] = False
    return found


def _database(connection: ResolvedConnection) -> int:
    text = connection.text("db")
    if text.isdecimal():
        return int(text)
    raise ConnectorConfigError(
        "`db` is not the number of a database",
        code="config.range",
        field="db",
        remedy="databases are counted from 0",
    )


def _log_in(check: Check, connection: ResolvedConnection) -> Any:
    from redis import exceptions
    from redis.connection import Connection

    context = tls_context(check, tls_of(connection)) if wants_tls(connection) else None
    host = connection.text("host") or "localhost"
    plain = (
        connect_unix(check, connection.path("unix_socket"))
        if connection.text("unix_socket")
        else connect(check, host, dsn.port_of(connection))
    )
    check.facts["tls"] = False
    sock: socket.socket = plain
    if context is not None:
        sock = context.wrap_socket(plain, server_hostname=host)

    class Prepared(Connection):
        def _connect(self) -> socket.socket:
            return sock

    # redis-py has no types here.
    session: Any = Prepared(  # type: ignore[no-untyped-call]  # of redis
        host=host,
        username=connection.text("user") or None,
        password=connection.text("password") or None,
        protocol=2,  # which servers before 6.0 speak too
    )
    check.on_close(session.disconnect)
    check.at("auth", "unix_socket" if connection.text("unix_socket") else "host")
    try:
        session.connect()
    except (exceptions.RedisError, ValueError) as error:
        if plain.first.startswith(b"-DENIED"):  # redis-py ignores it and sends the next command
            raise _PROTECTED.as_error() from error
        strange = isinstance(error, exceptions.InvalidResponse | ValueError)
        if strange or plain.first[:1] not in _BEGINNINGS:
            raise mismatch(_SERVER, plain.first) from error
        raise
    return session


def _ask(session: Any, *command: str | int) -> bytes:
    session.send_command(*command)
    answer = session.read_response()
    return answer if isinstance(answer, bytes) else b""


def _note_facts(check: Check, session: Any) -> None:
    from redis.exceptions import NoPermissionError

    try:
        lines = _ask(session, "INFO").decode("utf-8", "replace").splitlines()
    except NoPermissionError:
        return  # the user may work with the server all the same
    info: Mapping[str, str] = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {
        "server_version": info.get("valkey_version") or info.get("redis_version"),
        "mode": info.get("redis_mode") or info.get("server_mode"),
        "role": info.get("role"),
    }
    check.facts.update({name: value for name, value in facts.items() if value})
    if facts["mode"] == "sentinel":
        raise ConnectorConfigError(
            "a Redis Sentinel answers on this port, which holds no data",
            code="redis.sentinel",
            field="port",
            remedy="ask it for the primary (SENTINEL MASTERS), and connect to that",
        )
    if "slave_read_only" in info:
        check.facts["read_only"] = info["slave_read_only"] == "1"


def _word(error: BaseException) -> str:
    """Return the first word of an answer, which is its code; it is in capitals."""
    word = str(getattr(error, "status_code", None) or str(error).partition(" ")[0])
    return word if word.isascii() and word.isalpha() and word.isupper() else "ERR"


CONNECTOR: Final = RedisConnector()
