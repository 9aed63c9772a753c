"""PostgreSQL, by pg8000 over a socket of ours: it tells the SQLSTATE of a refused login."""

import os
import struct
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp.connectors import dsn
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import (
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
    ConnectorPermissionError,
)
from osiris_lsp.connectors.health import Check, causes
from osiris_lsp.connectors.meanings import (
    PG_AUTH_METHOD,
    PG_NO_ENTRY,
    PG_SCRAM,
    POSTGRES,
    databases_hint,
)
from osiris_lsp.connectors.network import DeadlineSocket, connect, connect_unix
from osiris_lsp.connectors.protocols import (
    END_OF_LINES,
    POSTGRES_TLS_REQUEST,
    await_answer,
    maybe_postgres,
    mismatch,
    product,
)
from osiris_lsp.connectors.tls import Tls, tls_context, tls_of

if TYPE_CHECKING:
    from pg8000.native import Connection

_SERVER: Final = "a PostgreSQL server"
_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_OPTIONS: Final = {
    "sslmode": "sslmode",
    "ssl": "ssl",
    "sslrootcert": "ssl_ca",
    "sslcert": "ssl_cert",
    "sslkey": "ssl_key",
    "application_name": "application_name",
    "options": "options",
    "host": "host",
    "port": "port",
    "user": "user",
    "password": "password",
    "dbname": "database",
    "connect_timeout": "",
    "client_encoding": "",
    "channel_binding": "",
    "gssencmode": "",
    "keepalives": "",
    "keepalives_idle": "",
    "keepalives_interval": "",
    "keepalives_count": "",
    "tcp_user_timeout": "",
}


class PostgresConnector(Connector):
    """Connections to PostgreSQL, and to poolers and services that speak its protocol."""

    family = "postgres"

    def expanded(self, connection: ResolvedConnection) -> ResolvedConnection:
        """Return a connection with the fields of its `dsn`."""
        return dsn.expanded(connection, read_dsn)

    def probe(self, check: Check) -> None:
        """Log in to the database, and look at the schema if one is set."""
        connection = self.expanded(check.connection)
        check.within = "dsn" if connection is not check.connection else ""
        _probe(check, connection)

    def explain(self, error: BaseException, check: Check) -> ConnectorError | None:
        """Say what the SQLSTATE of an error means."""
        from pg8000.exceptions import DatabaseError, InterfaceError
        from scramp import ScramException

        if isinstance(error, ScramException):
            return PG_SCRAM.as_error()
        if isinstance(error, DatabaseError):
            return _explained(_sqlstate(error), check)
        if not isinstance(error, InterfaceError) or isinstance(error.__cause__, OSError):
            return None
        # pg8000 has no code for either, but its texts are not translated.
        if error.args != ("network error",):
            return PG_AUTH_METHOD.as_error() if check.stage == "auth" else None
        return ConnectorNetworkError(
            "the server closed the connection",
            code="tcp.closed",
            remedy="look at the log of the server; a proxy or load balancer may do it as well",
        )


def probe_dsn(check: Check, text: str, field: str) -> None:
    """Check the server that a DSN leads to; `field` is the YAML field that holds it.

    What it raises is for `CONNECTOR.explain`.
    """
    check.within = field
    _probe(check, dsn.expanded(check.connection, read_dsn, text, field, "postgres"))
    check.within = ""


def read_dsn(text: str, field: str) -> dict[str, Any]:
    """Return the fields of a `postgresql://` URL or a `key=value` text, as libpq reads them."""
    if "://" not in text:
        return dsn.pair_fields(text, field, _OPTIONS)
    return dsn.url_fields(text, field, ("postgresql", "postgres"), _OPTIONS)


def _explained(state: str, check: Check) -> ConnectorError:
    meaning = POSTGRES.get(state)
    if meaning is None:
        return ConnectorError(
            f"the server answers with SQLSTATE {state}",
            code=f"postgres.{state}",
            remedy="look it up in appendix A of the PostgreSQL manual, and in the server's log",
        )
    if meaning is not PG_NO_ENTRY:
        return meaning.as_error(databases_hint(meaning, check))
    if check.facts.get("tls"):
        return meaning.as_error("it may want a client certificate: see `ssl_cert`")
    return meaning.as_error("it may require TLS: try `sslmode: require`")


def _sqlstate(error: Exception) -> str:
    fields = error.args[0] if error.args else None
    return str(fields.get("C", "")) if isinstance(fields, dict) else ""


def _probe(check: Check, connection: ResolvedConnection) -> None:
    import pg8000
    from pg8000.exceptions import DatabaseError

    check.facts["driver"] = f"pg8000 {pg8000.__version__}"
    database = connection.text("database") or dsn.user_of(connection)
    try:
        session = log_in(check, connection, database)
    except DatabaseError as error:
        if _sqlstate(error) == "3D000":
            check.facts["databases"] = _databases(check, connection)
        raise
    check.at("query", "database")
    ((user, name, read_only),) = session.run(
        "SELECT current_user, current_database(), current_setting('transaction_read_only')"
    )
    said = session.parameter_statuses
    check.facts.update(user=user, database=name, read_only=read_only == "on")
    for fact, status in (("server_version", "server_version"), ("charset", "server_encoding")):
        if status in said:
            check.facts[fact] = said[status]
    if connection.get("schema"):
        _look_at_schema(check, session, connection.text("schema"))


def log_in(
    check: Check, connection: ResolvedConnection, database: str, driver: Any = None
) -> "Connection":
    """Return a session; `driver` is the class of pg8000 to make, that of its native interface."""
    from pg8000.native import Connection

    mode, tls = security(connection)
    context = None if mode == "disable" else tls_context(check, tls)
    host = connection.text("host") or "localhost"
    user, port = dsn.user_of(connection), dsn.port_of(connection)
    options = connection.text("options")
    if host.startswith("/"):
        # libpq has no TLS on these either.
        sock, context = connect_unix(check, os.path.join(host, f".s.PGSQL.{port}"), "host"), None
    else:
        sock = connect(check, host, port)
    check.facts["tls"] = False
    check.at("auth", "host")
    secured: Any = sock
    if context is not None and _offers_tls(check, sock, mode):
        secured = context.wrap_socket(sock, server_hostname=host)
    try:
        session: Connection = (driver or Connection)(
            user,
            database=database,
            password=connection.text("password"),
            ssl_context=False,
            sock=secured,
            application_name=connection.text("application_name") or "osiris-lsp",
            startup_params={"options": options} if options else None,
        )
    except Exception as error:
        if _is_other(error, sock):
            raise mismatch(_SERVER, sock.first) from error
        raise
    check.on_close(session.close)
    return session


def security(connection: ResolvedConnection) -> tuple[str, Tls]:
    """Return the TLS mode in the words of libpq, and the settings for it.

    Unset is `prefer`, but with a file of an authority given it is `verify-full`.
    """
    tls = tls_of(connection)
    ssl, mode = connection.get("ssl"), connection.text("sslmode")
    if not mode and ssl is None:
        mode = "verify-full" if tls.ca else "prefer"
    elif not mode:
        mode = "disable" if ssl is False else "verify-full" if tls.verify else "require"
        mode = "verify-ca" if mode == "verify-full" and not tls.check_hostname else mode
    if mode not in _MODES:
        raise ConnectorConfigError(
            f"`sslmode` is none of {', '.join(_MODES)}", code="config.sslmode", field="sslmode"
        )
    ca = tls.ca
    if os.path.basename(ca) == "system" and not os.path.exists(ca):
        mode, ca = "verify-full", ""  # libpq's word for the authorities of the system
    # With an authority given, `require` verifies that it signed, as libpq does.
    verify = mode.startswith("verify") or (mode == "require" and bool(ca) and tls.verify)
    return mode, Tls(
        ca if verify else "",
        tls.cert,
        tls.key,
        tls.cipher,
        verify,
        mode == "verify-full",
        tls.fields,
    )


def _offers_tls(check: Check, sock: DeadlineSocket, mode: str) -> bool:
    """Ask the server for TLS; raises ConnectorNetworkError when it has none and has to."""
    from pg8000.exceptions import DatabaseError

    sock.sendall(POSTGRES_TLS_REQUEST)
    await_answer(check, sock, _SERVER, END_OF_LINES)
    # One byte is all that may come: more would be of another kind of server, or of an attacker
    # who wants it to be taken for encrypted (CVE-2021-23222).
    answer = sock.recv(1024)
    if answer == b"S" or (answer == b"N" and mode in ("allow", "prefer")):
        return answer == b"S"
    if not answer:
        raise EOFError
    if answer.startswith(b"E\0"):
        fields = [part.decode(errors="replace") for part in answer[5:].split(b"\0")]
        raise DatabaseError({field[:1]: field[1:] for field in fields})
    if answer != b"N":
        raise mismatch(_SERVER, answer)
    raise ConnectorNetworkError(
        "the server does not offer TLS",
        code="tls.refused_by_server",
        stage="tls",
        field="sslmode" if "sslmode" in check.connection else "ssl",
        remedy="have TLS set up on the server; `ssl: false` sends everything in clear text",
        retryable=False,
        kind="SSLError",
    )


def _is_other(error: Exception, sock: DeadlineSocket) -> bool:
    """Tell whether a login failed because a server of another kind answered."""
    first = sock.first
    if product(first):
        return True
    if any(isinstance(item, TimeoutError) for item in causes(error)):
        # One that drips may still be the right one.
        return False
    if not first or first[:1] == b"S":  # silent, or it spoke TLS
        return False
    return not maybe_postgres(first) or isinstance(error, KeyError | ValueError | struct.error)


def _databases(check: Check, connection: ResolvedConnection) -> list[str]:
    """Return the databases that the role may connect to; empty when `postgres` is closed to it."""
    try:
        session = log_in(check, connection, "postgres")
        rows = session.run(
            "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate"
            " AND has_database_privilege(datname, 'CONNECT') ORDER BY 1"
        )
    except Exception:  # what is told is the failure before
        return []
    return [str(row[0]) for row in rows or ()]


def _look_at_schema(check: Check, session: "Connection", schema: str) -> None:
    """Raise the error for a schema that is missing or closed to the role."""
    from pg8000.native import literal

    check.at("query", "schema")
    rows = session.run(
        "SELECT has_schema_privilege(nspname, 'USAGE') FROM pg_namespace"
        f" WHERE nspname = {literal(schema)}"
    )
    if not rows:
        raise ConnectorError(
            "the database has no schema of this name",
            code="db.unknown_schema",
            remedy="check `schema`; names are case-sensitive here",
            kind="UnknownSchema",
        )
    if not rows[0][0]:
        raise ConnectorPermissionError(
            "the role has no right in this schema",
            code="db.no_privilege",
            remedy="have it granted: GRANT USAGE ON SCHEMA … TO …",
        )


CONNECTOR: Final = PostgresConnector()
