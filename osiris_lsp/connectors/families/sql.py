"""Databases that evidence is looked for in: the check is that of the family of the DSN."""

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.connector import Connector
from osiris_lsp.connectors.errors import ConnectorConfigError, ConnectorError
from osiris_lsp.connectors.families import mysql, postgres, sqlite
from osiris_lsp.connectors.health import Check

_SERVERS: Final[Mapping[str, tuple[Connector, Callable[[Check, str, str], None]]]] = {
    "postgresql": (postgres.CONNECTOR, postgres.probe_dsn),
    "postgres": (postgres.CONNECTOR, postgres.probe_dsn),
    "mysql": (mysql.CONNECTOR, mysql.probe_dsn),
    "mariadb": (mysql.CONNECTOR, mysql.probe_dsn),
}


class SqlConnector(Connector):
    """PostgreSQL, MySQL or SQLite, named by the URL in `dsn`."""

    family: ClassVar[str] = "sql"

    def probe(self, check: Check) -> None:
        """Log in, or open the file."""
        text = check.connection.text("dsn").strip()
        scheme = _scheme(text)
        if scheme in _SERVERS:
            _SERVERS[scheme][1](check, text, "dsn")
            return
        if scheme != "sqlite":
            raise ConnectorConfigError(
                "`dsn` is no address of a database that can be searched",
                code="config.url",
                field="dsn",
                remedy="write it as `postgresql://`, `mysql://` or `sqlite:///path`",
            )
        whole = check.connection
        path = text.partition("://")[2].partition("?")[0].removeprefix("/")
        values = {"dsn": text, "path": path, "read_only": True}
        check.connection = ResolvedConnection("sqlite", whole.alias, values, base=whole.base)
        try:
            sqlite.CONNECTOR.probe(check)
        except ConnectorError as error:
            error.field = "dsn"
            raise

    def explain(self, error: BaseException, check: Check) -> ConnectorError | None:
        """Say what the family of the database says."""
        scheme = _scheme(check.connection.text("dsn").strip())
        connector = _SERVERS[scheme][0] if scheme in _SERVERS else sqlite.CONNECTOR
        explained = connector.explain(error, check)
        if explained is not None and scheme == "sqlite":
            explained.field = "dsn"
        return explained


def _scheme(text: str) -> str:
    return text.partition("://")[0].partition("+")[0].lower() if "://" in text else ""


CONNECTOR: Final = SqlConnector()
