"""The SQLAlchemy engine for the DSN of a connection of the family `sql`."""

import os
import ssl
from typing import TYPE_CHECKING, Any, Final

from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.errors import ConnectorConfigError
from osiris_lsp.connectors.families import mysql, postgres
from osiris_lsp.connectors.tls import Tls, tls_of, wants_tls

if TYPE_CHECKING:
    from sqlalchemy import Engine

_FAMILIES: Final = {
    "postgresql": "postgres",
    "postgres": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
}


def engine_of(connection: ResolvedConnection, timeout: float) -> "Engine":
    """Return an engine with a pool; raises ConnectorConfigError. `timeout` is in seconds.

    A DSN is read as the checks of its family read it, options for TLS included.
    """
    from sqlalchemy import URL, create_engine

    text = connection.text("dsn").strip()
    scheme = text.partition("://")[0].partition("+")[0].lower() if "://" in text else ""
    if scheme == "sqlite":
        name = text.partition("://")[2].partition("?")[0].removeprefix("/")
        path = os.path.join(connection.base, name) if name else ":memory:"
        return create_engine(URL.create("sqlite", database=path))
    if scheme not in _FAMILIES:
        raise ConnectorConfigError(
            "`dsn` is no address of a database that can be searched",
            code="config.url",
            field="dsn",
            remedy="write it as `postgresql://`, `mysql://` or `sqlite:///path`",
        )
    family = _FAMILIES[scheme]
    read = postgres.read_dsn if family == "postgres" else mysql.read_dsn
    values = read(text, "dsn")
    whole = ResolvedConnection(family, connection.alias, values, base=connection.base)
    driver, arguments = (_postgres if family == "postgres" else _mysql)(whole, timeout)
    host = whole.text("host") or "localhost"
    url = URL.create(
        driver,
        username=whole.text("user") or None,
        password=whole.text("password"),
        host=None if host.startswith("/") else host,
        port=None if host.startswith("/") else whole.value("port"),
        database=whole.text("database") or None,
    )
    return create_engine(url, connect_args=arguments, pool_pre_ping=True, pool_recycle=1800)


def _postgres(whole: ResolvedConnection, timeout: float) -> tuple[str, dict[str, Any]]:
    mode, tls = postgres.security(whole)
    arguments: dict[str, Any] = {"timeout": timeout, "application_name": "osiris-lsp"}
    host = whole.text("host")
    if host.startswith("/"):
        port = whole.value("port") or 5432
        arguments |= {"host": None, "unix_sock": f"{host}/.s.PGSQL.{port}", "ssl_context": False}
    elif mode == "disable":
        arguments["ssl_context"] = False
    elif mode not in ("allow", "prefer"):  # to these the driver keeps where it is given none
        arguments["ssl_context"] = _context(tls)
    return "postgresql+pg8000", arguments


def _mysql(whole: ResolvedConnection, timeout: float) -> tuple[str, dict[str, Any]]:
    arguments: dict[str, Any] = {
        "connect_timeout": max(1, int(timeout)),
        "read_timeout": max(1, int(timeout)),
        "charset": "utf8mb4",
        "local_infile": False,
        "program_name": "osiris-lsp",
    }
    if wants_tls(whole):
        arguments["ssl"] = _context(tls_of(whole))
    else:
        arguments["ssl_disabled"] = True
    return "mysql+pymysql", arguments


def _context(tls: Tls) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=tls.ca or None)
        context.check_hostname = tls.verify and tls.check_hostname
        context.verify_mode = ssl.CERT_REQUIRED if tls.verify else ssl.CERT_NONE
        if tls.cert:
            context.load_cert_chain(tls.cert, tls.key or None, password=lambda: "")
    except (OSError, ValueError) as error:
        raise ConnectorConfigError(
            "a file for TLS that `dsn` names cannot be used",
            code="tls.unusable_file",
            field="dsn",
            remedy="it has to be a PEM file; a private key must not need a passphrase",
        ) from error
    return context
