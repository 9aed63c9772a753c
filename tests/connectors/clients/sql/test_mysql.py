"""MySQL and MariaDB by the names that programs of Osiris know."""

import sys
import traceback
from pathlib import Path
from typing import Any

import pymysql
import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from osiris_lsp.connectors import ConnectionResolver, MySQLConnection
from osiris_lsp.connectors.clients.sql import frames, mysql
from osiris_lsp.connectors.errors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorNotFoundError,
    ConnectorTimeoutError,
)
from tests.connectors.clients.sql.conftest import PASSWORD, Place, account
from tests.services import faults
from tests.services.processes import Server

CONFIG: dict[str, Any] = {
    "host": "db.invalid",
    "database": "shop",
    "user": "ada",
    "password": "p@ss w/:rd#1%",
}

# As in the documentation of Osiris.
FILE = """\
version: 1
connections:
  mysql:
    default:
      host: ${MYSQL_HOST:-localhost}
      port: ${MYSQL_PORT:-3306}
      database: ${MYSQL_DATABASE}
      username: ${MYSQL_USER:-root}
      password: ${MYSQL_PASSWORD}
      charset: utf8mb4
      connect_timeout: 10
      read_timeout: 30
"""


@pytest.fixture
def here(mariadb: Server) -> Any:
    """An account on MariaDB."""
    with account("mysql", mariadb) as place:
        yield place


@pytest.mark.inventory("S2-MYSQL-01")
def test_making_one_opens_nothing() -> None:
    """The engine is there at once; the server is not asked, not even by name."""
    with faults.half_open() as server:
        connection = MySQLConnection({**CONFIG, "host": server.host, "port": server.port})
        assert connection.engine.dialect.name == "mysql"
        connection.close()
        assert server.accepted == 0
    assert "p@ss" not in repr(connection.config) + repr(connection.engine)
    with pytest.raises(ConnectorConfigError, match="not of `mysql`"):
        MySQLConnection({**CONFIG, "family": "postgres"})


@pytest.mark.inventory("S2-MYSQL-03")
def test_urls() -> None:
    """Special characters arrive as they are; port and character set have defaults."""
    url = MySQLConnection(CONFIG)._build_url()
    assert (url.drivername, url.host, url.port) == ("mysql+pymysql", "db.invalid", 3306)
    assert (url.username, url.password, url.database) == ("ada", CONFIG["password"], "shop")
    assert dict(url.query) == {"charset": "utf8mb4"}
    assert str(url) == "mysql+pymysql://ada:***@db.invalid:3306/shop?charset=utf8mb4"
    other = MySQLConnection({**CONFIG, "port": "3307", "charset": "latin1"})._build_url()
    assert (other.port, other.query["charset"]) == (3307, "latin1")


@pytest.mark.inventory("S2-MYSQL-03")
def test_urls_connect(here: Place) -> None:
    """SQLAlchemy can do with the URL what it does with its own."""
    with MySQLConnection(here.config) as connection:
        engine = create_engine(connection._build_url())
        with engine.connect() as session:
            assert session.exec_driver_sql("SELECT 1").scalar() == 1
        engine.dispose()


@pytest.mark.inventory(
    *("S2-MYSQL-06", "S2-MYSQL-07", "S2-MYSQL-08", "S2-MYSQL-09", "S2-MYSQL-10"),
    *("S2-MYSQL-11", "S2-MYSQL-12", "S2-MYSQL-13"),
)
@pytest.mark.parametrize("empty", [{}, {"MYSQL_HOST": "", "MYSQL_PORT": "", "MYSQL_USER": ""}])
def test_a_file_with_variables(tmp_path: Path, empty: dict[str, str]) -> None:
    """Defaults stand in for variables that are not set, and for empty ones."""
    file = tmp_path / "osiris_connections.yaml"
    file.write_text(FILE)
    known = {"MYSQL_DATABASE": "shop", "MYSQL_PASSWORD": "s3cr3t"}
    resolved = ConnectionResolver(str(file), environment={**known, **empty}).resolve("@mysql")
    url = MySQLConnection(resolved)._build_url()
    assert (url.host, url.port, url.username) == ("localhost", 3306, "root")
    assert (url.database, url.password, url.query["charset"]) == ("shop", "s3cr3t", "utf8mb4")
    assert (resolved["connect_timeout"], resolved["read_timeout"]) == (10, 30)
    given = {"MYSQL_HOST": "db", "MYSQL_PORT": "3307", "MYSQL_USER": "ada"}
    resolved = ConnectionResolver(str(file), environment=known | given).resolve("@mysql")
    url = MySQLConnection(resolved)._build_url()
    assert (url.host, url.port, url.username) == ("db", 3307, "ada")
    assert resolved["port"] == 3307


@pytest.mark.inventory("S2-MYSQL-04", "S2-MYSQL-05")
def test_queries_and_version(here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows come as a DataFrame, and as dicts where pandas is not there."""
    import pandas

    with MySQLConnection.create_client(here.config) as connection:
        query = "SELECT 1 AS a, 'x' AS b UNION SELECT 2, NULL ORDER BY a"
        frame = connection.execute_query(query)
        assert isinstance(frame, pandas.DataFrame)
        assert frame.columns.tolist() == ["a", "b"]
        assert frame["a"].tolist() == [1, 2]
        empty = connection.execute_query("SELECT id FROM orders WHERE id < 0")
        assert (len(empty), list(empty.columns)) == (0, ["id"])
        assert connection.get_version().startswith(("10.", "11.", "12."))
        with pytest.raises(ConnectorTimeoutError):
            connection.execute_query("SELECT sleep(9)", timeout=0.3)
        with pytest.raises(ValueError, match=r"^Operation DELETE not allowed$"):
            connection.execute_query("DELETE FROM orders")
        monkeypatch.setattr(frames, "find_spec", lambda name: None)
        assert connection.execute_query(query) == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]


def test_pandas_is_not_imported_before_it_is_needed() -> None:
    """Nor is SQLAlchemy, by the package of connectors."""
    import subprocess

    code = (
        "import sys, osiris_lsp.connectors as c; assert 'sqlalchemy' not in sys.modules;"
        "c.MySQLConnection; c.ConnectionPool; print('pandas' in sys.modules,"
        " 'sqlglot' in sys.modules, 'sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False False\n"


@pytest.mark.inventory("S2-MYSQL-16", "S2-MYSQL-17", "S2-BP-03")
def test_testing_a_connection(here: Place) -> None:
    """It says what it is connected to, or why it is not, without the password."""
    found = mysql.test_connection(here.config)
    assert (found["status"], found["database"]) == ("connected", "shop")
    assert found["version"].startswith(("10.", "11.", "12."))
    with faults.refused() as dead:
        failing: list[tuple[dict[str, Any], str]] = [
            ({"password": f"{PASSWORD}x"}, "does not accept this user or this password"),
            ({"database": "missing"}, "database"),
            ({"port": dead.port}, "nothing listens"),
            ({"charset": "utf9"}, "`charset`"),
            ({"port": 0}, "`port`"),
        ]
        for changes, says in failing:
            told = mysql.test_connection({**here.config, **changes})
            assert told["status"] == "failed"
            assert list(told) == ["status", "error"]
            assert says in told["error"]
            assert "c4n4ry" not in repr(told)


def raised(error: BaseException, config: dict[str, Any]) -> ConnectionError:
    """What is raised for an error."""
    with pytest.raises(ConnectionError) as failed:
        mysql.handle_connection_error(error, config)
    return failed.value


DENIED = "Access denied for user ada. Check username and password."
NO_DATABASE = "Database shop not found. Verify database exists and spelling is correct."
UNREACHABLE = "Cannot connect to db.invalid:3306. Check host, port, and network connectivity."
MEANINGS = [
    ((1045, "Zugriff verweigert für ada p@ss"), DENIED),
    ((1698, "Access denied"), DENIED),
    ((1049, "Base inconnue"), NO_DATABASE),
    ((1044, "Access denied for user to database"), NO_DATABASE),
    ((2003, "Can't connect to MySQL server"), UNREACHABLE),
    (
        (1040, "Too many connections"),
        "Connection failed: the server has as many connections as it allows; wait or close unused "
        "connections; an administrator can look at SHOW PROCESSLIST",
    ),
    (
        (1064, "near 'p@ss'"),
        "Connection failed: the server cannot read the statement; check its syntax for this kind "
        "of server",
    ),
]


@pytest.mark.inventory("S2-ERR-01", "S2-ERR-02", "S2-ERR-03", "S2-ERR-04", "S2-ERR-05")
@pytest.mark.parametrize(("arguments", "says"), MEANINGS)
def test_what_an_error_means(arguments: tuple[int, str], says: str) -> None:
    """By its number, in whatever language the server speaks, alone and inside of SQLAlchemy's."""
    own = pymysql.err.OperationalError(*arguments)
    for error in (own, OperationalError("SELECT 1", {}, own)):
        for config in (CONFIG, {**CONFIG, "user": None, "username": "ada"}):
            failed = raised(error, config)
            assert str(failed) == says
            assert "p@ss" not in "".join(traceback.format_exception(failed))


@pytest.mark.inventory("S2-ERR-01", "S2-ERR-02", "S2-ERR-03", "S2-ERR-04", "S2-ERR-05")
def test_errors_of_other_kinds() -> None:
    """Those of sockets, ours, and what nobody knows."""
    assert str(raised(ConnectionRefusedError(111, "refused"), CONFIG)) == UNREACHABLE
    assert isinstance(raised(pymysql.err.OperationalError(1045, ""), CONFIG), ConnectorAuthError)
    missing = raised(pymysql.err.OperationalError(1049, ""), CONFIG)
    assert isinstance(missing, ConnectorNotFoundError)
    for error in (KeyError(CONFIG["password"]), ConnectorConfigError("`port` is wrong")):
        failed = raised(error, CONFIG)
        assert str(failed).startswith("Connection failed: ")
        assert "p@ss" not in str(failed)
