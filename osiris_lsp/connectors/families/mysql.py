"""MySQL and MariaDB, by PyMySQL over a socket of ours."""

import codecs
import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp.connectors import dsn
from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorNetworkError,
)
from osiris_lsp.connectors.health import Check, causes
from osiris_lsp.connectors.meanings import AUTH_PLUGIN, BAD_LOGIN, MYSQL, Meaning, databases_hint
from osiris_lsp.connectors.network import DeadlineSocket, connect, connect_unix
from osiris_lsp.connectors.protocols import (
    END_OF_LINES,
    POSTGRES_TLS_REQUEST,
    await_answer,
    is_mysql,
    maybe_mysql,
    mismatch,
    product,
)
from osiris_lsp.connectors.tls import CheckContext, tls_context, tls_of, wants_tls

if TYPE_CHECKING:
    from pymysql.connections import Connection

_SERVER: Final = "a MySQL or MariaDB server"

_OPTIONS: Final = {
    "charset": "charset",
    "unix_socket": "unix_socket",
    "ssl": "ssl",
    "ssl_ca": "ssl_ca",
    "ssl_cert": "ssl_cert",
    "ssl_key": "ssl_key",
    "ssl_verify_cert": "ssl_verify",
    "ssl-mode": "ssl_mode",
    "ssl_mode": "ssl_mode",
    "connect_timeout": "",
    "read_timeout": "",
    "write_timeout": "",
}

# The modes of the `mysql` client that can be told as fields.
_MODES: Final[Mapping[str, Mapping[str, Any]]] = {
    "DISABLED": {"ssl": False},
    "REQUIRED": {"ssl": True, "ssl_verify": False},
    "VERIFY_CA": {"ssl": {"check_hostname": False}},
    "VERIFY_IDENTITY": {"ssl": True},
}

_LOST: Final = frozenset((2003, 2006, 2013))
"""Numbers of PyMySQL itself, which stand for any error of the socket."""


class MySQLConnector(Connector):
    """Connections to MySQL and MariaDB."""

    family = "mysql"

    def expanded(self, connection: ResolvedConnection) -> ResolvedConnection:
        """Return a connection with the fields of its `dsn`."""
        return dsn.expanded(connection, read_dsn)

    def probe(self, check: Check) -> None:
        """Log in and open the database."""
        connection = self.expanded(check.connection)
        check.within = "dsn" if connection is not check.connection else ""
        _probe(check, connection)

    def explain(self, error: BaseException, check: Check) -> ConnectorError | None:
        """Say what an error number of the server means."""
        from pymysql.err import MySQLError

        if isinstance(error, RuntimeError) and check.stage == "auth":
            return AUTH_PLUGIN.as_error("or install `PyMySQL[ed25519]`")
        if not isinstance(error, MySQLError):
            return None
        number = _number(error)
        if number == 0:  # so PyMySQL calls what it cannot read
            return mismatch(_SERVER, b"")
        if number in _LOST:
            if any(isinstance(item, OSError) for item in causes(error)):
                return None
            return ConnectorNetworkError(
                "the server closed the connection",
                code="tcp.closed",
                remedy="look at the log of the server; a proxy or load balancer may do it as well",
            )
        meaning = MYSQL.get(number)
        if meaning is None:
            return ConnectorError(
                f"the server answers with error {number}",
                code=f"mysql.{number}",
                remedy="look the number up in the reference of MySQL or MariaDB",
            )
        return meaning.as_error(_hint(meaning, check))


def probe_dsn(check: Check, text: str, field: str) -> None:
    """Check the server that a URL leads to; `field` is the YAML field that holds it."""
    check.within = field
    _probe(check, dsn.expanded(check.connection, read_dsn, text, field, "mysql"))
    check.within = ""


def read_dsn(text: str, field: str) -> dict[str, Any]:
    """Return the fields of a `mysql://` URL."""
    found = dsn.url_fields(text, field, ("mysql", "mariadb"), _OPTIONS)
    mode = found.pop("ssl_mode", None)
    if mode is None:
        return found
    if mode.upper() not in _MODES:
        raise ConnectorConfigError(
            f"the option `ssl-mode` in `{field}` is none of {', '.join(_MODES)}",
            code="config.dsn_option",
            field=field,
        )
    return {**found, **_MODES[mode.upper()]}


def _probe(check: Check, connection: ResolvedConnection) -> None:
    from pymysql import VERSION_STRING
    from pymysql.err import MySQLError

    check.facts["driver"] = f"PyMySQL {VERSION_STRING}"
    session = log_in(check, connection)
    database = connection.text("database")
    check.at("query", "database")
    if database:
        try:
            session.select_db(database)
        except MySQLError as error:
            if _number(error) in (1044, 1049):
                check.facts["databases"] = _databases(session)
            raise
    _note_facts(check, session, database)


def log_in(check: Check, connection: ResolvedConnection, **options: Any) -> "Connection[Any]":
    """Return a session without a database; `options` are further ones of PyMySQL."""
    from pymysql.connections import Connection

    context = _tls(check, connection)
    host = connection.text("host") or "localhost"
    session = Connection(
        host=host,
        user=dsn.user_of(connection),
        # As text it would be sent as Latin-1.
        password=connection.text("password").encode(),
        charset=charset_of(connection),
        ssl=context,
        ssl_disabled=context is None,
        local_infile=False,
        program_name="osiris-lsp",
        auth_plugin_map=None if context or connection.text("unix_socket") else _NO_CLEAR_TEXT,
        defer_connect=True,
        **{"autocommit": None, **options},
    )
    if connection.text("unix_socket"):
        sock = connect_unix(check, connection.path("unix_socket"))
    else:
        sock = connect(check, host, dsn.port_of(connection))
    check.facts["tls"] = False
    check.at("auth", check.field if connection.text("unix_socket") else "host")
    await_answer(check, sock, _SERVER, POSTGRES_TLS_REQUEST + END_OF_LINES)
    try:
        session.connect(sock)
    except Exception as error:
        if _is_other(error, sock):
            raise mismatch(_SERVER, sock.first) from error
        raise
    check.on_close(session.close)
    return session


def _tls(check: Check, connection: ResolvedConnection) -> CheckContext | None:
    """Return how to do TLS, or None for a connection without."""
    if not wants_tls(connection):
        return None
    return tls_context(check, tls_of(connection))


def charset_of(connection: ResolvedConnection) -> str:
    """Return the character set; raises ConnectorConfigError for one that there is not."""
    from pymysql.charset import charset_by_name

    name = connection.text("charset") or "utf8mb4"
    found = charset_by_name(name)
    try:
        codecs.lookup(found.encoding)
    except (AttributeError, LookupError):
        raise ConnectorConfigError(
            "`charset` is no character set that connections can have",
            code="config.charset",
            field="charset",
            remedy="use `utf8mb4`; the names are those of MySQL, without hyphens",
        ) from None
    return name


class _ClearTextRefused:
    """What takes the place of methods that send the password as it is, to whoever listens."""

    def __init__(self, session: object) -> None:
        pass

    def authenticate(self, packet: object) -> None:
        """Refuse."""
        raise ConnectorAuthError(
            "the server wants the password in clear text, which is not sent without TLS",
            code="db.clear_text_refused",
            stage="auth",
            field="ssl",
            remedy="set `ssl: true`",
        )


_NO_CLEAR_TEXT: Final[Any] = {
    b"mysql_clear_password": _ClearTextRefused,
    b"dialog": _ClearTextRefused,
}

_STRANGE: Final = (struct.error, IndexError, ValueError, AssertionError, TypeError)
"""What PyMySQL raises for bytes that are not MySQL's."""


def _is_other(error: Exception, sock: DeadlineSocket) -> bool:
    """Tell whether a login failed because a server of another kind answered."""
    first = sock.first
    if any(isinstance(item, TimeoutError) for item in causes(error)):
        # One that drips may still be the right one.
        return bool(product(first)) and not is_mysql(first)
    if isinstance(error, ConnectorError) or not first:
        return False
    return not maybe_mysql(first) or isinstance(error, _STRANGE)


def _databases(session: "Connection[Any]") -> list[str]:
    """Return the databases that the account may see."""
    own = {"information_schema", "performance_schema", "mysql", "sys"}
    with session.cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        names = [str(row[0]) for row in _rows(cursor.fetchall())]
    return [name for name in names if name not in own]


def _note_facts(check: Check, session: "Connection[Any]", database: str) -> None:
    with session.cursor() as cursor:
        cursor.execute("SELECT VERSION(), CURRENT_USER()")
        ((version, user),) = _rows(cursor.fetchall())
        # Unlike `@@read_only`, this works where a server has no such variable.
        cursor.execute(
            "SHOW VARIABLES WHERE Variable_name IN ('read_only', 'character_set_connection')"
        )
        variables = dict(_rows(cursor.fetchall()))
    check.facts.update(server_version=version, user=user)
    if database:
        check.facts["database"] = database
    if "character_set_connection" in variables:
        check.facts["charset"] = variables["character_set_connection"]
    if "read_only" in variables:
        check.facts["read_only"] = variables["read_only"] not in ("OFF", "0")


def _rows(rows: Any) -> Sequence[tuple[Any, ...]]:
    return tuple(rows)


def _number(error: BaseException) -> int:
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def _hint(meaning: Meaning, check: Check) -> str:
    if meaning is BAD_LOGIN and check.facts.get("tls"):
        return "it says the same where a client certificate is required: see `ssl_cert`"
    if meaning is BAD_LOGIN:
        return "MariaDB says the same where TLS is required: try `ssl: true`"
    return databases_hint(meaning, check)


CONNECTOR: Final = MySQLConnector()
