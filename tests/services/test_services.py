import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pg8000.dbapi
import pymysql
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.services import packages
from tests.services.certificates import Certificates
from tests.services.mariadb import program as mariadb_program
from tests.services.plugin import StartServer
from tests.services.processes import Server, has_ended

ORDERS = 3
WRONG = "wr0ng"


@contextmanager
def mysql(server: Server, user: str, **options: Any) -> Iterator[Any]:
    """A connection to MariaDB, by PyMySQL."""
    arguments: dict[str, Any] = {"host": server.host, "port": server.port, "database": "shop"}
    arguments |= {"user": user, "password": server.password, **options}
    arguments |= {"connect_timeout": 5, "read_timeout": 5}
    with pymysql.connect(**arguments) as connection:
        yield connection


def orders(connection: Any) -> int:
    """The number of orders, read through a DB-API connection."""
    cursor = connection.cursor()
    cursor.execute("SELECT count(*) FROM orders")
    return int(cursor.fetchone()[0])


def mysql_code(server: Server, user: str, **options: Any) -> int:
    """How MariaDB refuses: the number of its error."""
    with pytest.raises(pymysql.MySQLError) as refused, mysql(server, user, **options):
        pass
    return int(refused.value.args[0])


def postgres_connection(server: Server, user: str, **options: Any) -> Any:
    """A connection to PostgreSQL, by pg8000."""
    arguments: dict[str, Any] = {"host": server.host, "port": server.port, "database": "shop"}
    arguments |= {"user": user, "password": server.password, "timeout": 5, **options}
    return pg8000.dbapi.connect(**arguments)


def postgres_error(server: Server, user: str, **options: Any) -> dict[str, str]:
    """How PostgreSQL refuses: its error's fields, `C` for the SQLSTATE and `M` for the text."""
    with pytest.raises(pg8000.dbapi.DatabaseError) as refused:
        postgres_connection(server, user, **options)
    fields: dict[str, str] = refused.value.args[0]
    return fields


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_mariadb_reads(mariadb: Server, certificates: Certificates, host: str) -> None:
    """Accounts read through TCP with TLS and without, and through the socket."""
    tls = {"ssl_ca": str(certificates.ca), "ssl_verify_identity": True, "host": host}
    own = {"ssl_cert": str(certificates.client_cert), "ssl_key": str(certificates.client_key)}
    ways: list[tuple[str, dict[str, Any]]] = [
        ("reader", {}),
        ("reader", {"unix_socket": str(mariadb.socket)}),
        ("tls_only", tls),
        ("x509_only", {**tls, **own}),
    ]
    found = []
    for user, options in ways:
        with mysql(mariadb, user, **options) as connection:
            found.append(orders(connection))
    assert found == [ORDERS] * 4


@pytest.mark.parametrize(
    ("code", "user", "options"),
    [
        (1045, "reader", {"password": WRONG}),
        (1044, "nobody_rights", {}),
        (1049, "root", {"password": "r00t/p@ss", "database": "missing"}),
        (1045, "tls_only", {"ssl_disabled": True}),
        (1698, "socket_only", {}),
        (4151, "locked", {}),
        (1862, "expired", {}),
    ],
)
def test_mariadb_refuses(mariadb: Server, code: int, user: str, options: dict[str, Any]) -> None:
    """Each account is refused for its own reason."""
    assert code == mysql_code(mariadb, user, **options)


def test_mariadb_connection_limits(mariadb: Server, mariadb_full: Server) -> None:
    """The limit of an account and that of the server have their own codes."""
    with mysql(mariadb, "one_connection"):
        assert (
            mysql_code(mariadb, "one_connection"),
            mysql_code(mariadb_full, "reader"),
        ) == (1226, 1040)


def test_mariadb_crash(start_mariadb: StartServer) -> None:
    """A server can be killed while a client is connected."""
    server = start_mariadb()
    with pytest.raises(pymysql.OperationalError) as lost, mysql(server, "reader") as connection:
        server.signal(signal.SIGKILL)
        orders(connection)
    assert lost.value.args[0] == 2013


def test_postgres_reads(postgres: Server, certificates: Certificates) -> None:
    """Roles read with TLS and without."""
    plain, trusting = None, certificates.client_context()
    own = certificates.client_context(own=True)
    found = []
    for user, context in [("reader", plain), ("tls_only", trusting), ("x509_only", own)]:
        connection = postgres_connection(postgres, user, ssl_context=context)
        found.append(orders(connection))
        connection.close()
    assert found == [ORDERS] * 3


@pytest.mark.parametrize(
    ("state", "user", "options"),
    [
        ("28P01", "reader", {"password": WRONG}),
        ("28P01", "expired", {}),
        ("28000", "nologin", {}),
        ("28000", "tls_only", {"ssl_context": False}),
        ("28000", "x509_only", {"ssl_context": True}),
        ("3D000", "reader", {"database": "missing"}),
        ("42501", "no_connect", {}),
    ],
)
def test_postgres_refuses(postgres: Server, state: str, user: str, options: dict[str, Any]) -> None:
    """Each role is refused for its own reason."""
    assert state == postgres_error(postgres, user, **options)["C"]


def test_postgres_connection_limits(postgres: Server, postgres_full: Server) -> None:
    """The limit of a role and that of the server have one code."""
    connection = postgres_connection(postgres, "one_connection")
    states = [
        postgres_error(postgres, "one_connection")["C"],
        postgres_error(postgres_full, "reader")["C"],
    ]
    connection.close()
    assert states == ["53300", "53300"]


def test_postgres_not_ready(postgres_starting: Server, postgres_stopping: Server) -> None:
    """A server that starts and one that stops refuse alike."""
    servers = (postgres_starting, postgres_stopping)
    assert [postgres_error(server, "reader")["C"] for server in servers] == ["57P03", "57P03"]


def test_postgres_german(postgres_german: Server) -> None:
    """A German server says the same in other words."""
    error = postgres_error(postgres_german, "reader", password=WRONG)
    assert (error["C"], error["M"][:8]) == ("28P01", "Passwort")


def test_redis(redis_server: Server, certificates: Certificates) -> None:
    """Redis knows passwords, rights and TLS."""

    def ask(user: str, password: str, **options: Any) -> str:
        arguments: dict[str, Any] = {"host": redis_server.host, "port": redis_server.port}
        arguments |= {"username": user, "password": password, **options}
        once = Retry(NoBackoff(), 0)  # it would try a wrong password for 4 s
        with redis.Redis(**arguments, retry=once) as client:
            try:
                return str(client.ping())
            except redis.RedisError as error:
                return type(error).__name__

    tls = {"port": redis_server.tls_port, "ssl": True, "ssl_ca_certs": str(certificates.ca)}
    password = redis_server.password
    assert [
        ask("reader", password),
        ask("reader", password, **tls),
        ask("default", redis_server.root_password),
        ask("nobody_rights", password),
        ask("reader", WRONG),
    ] == [
        "True",
        "True",
        "True",
        "NoPermissionError",
        "AuthenticationError",
    ]


SHARING = """\
import os, time
from pathlib import Path
import pytest

@pytest.mark.parametrize("name", ["one", "two"])
def test_share(redis_server, name):
    server = (redis_server.folder / "server").read_text()
    Path(__file__).with_name(name).write_text(f"{server} {redis_server.folder}")
    time.sleep(float(os.environ["LINGER"]))
"""


@pytest.mark.parametrize("number", [0, signal.SIGKILL])
def test_nothing_outlives_a_run(tmp_path: Path, redis_server: Server, number: int) -> None:
    """Two workers share one server, and it ends with the run, however the run ends."""
    (tmp_path / "test_sharing.py").write_text(SHARING)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.services.plugin", "-n", "2"]
    environment = {
        "PATH": "/usr/bin:/bin",
        "LINGER": "5" if number else "0",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    with (tmp_path / "log").open("w") as log:
        run = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    notes = [tmp_path / "one", tmp_path / "two"]
    deadline = time.monotonic() + 30
    while not all(note.exists() and note.read_text() for note in notes):
        assert time.monotonic() < deadline, (tmp_path / "log").read_text()
        time.sleep(0.02)
    if number:
        run.send_signal(number)
    run.wait(30)
    first, second = (note.read_text() for note in notes)
    process, folder = first.split(maxsplit=1)
    assert (first, True) == (second, has_ended(int(process), timeout=5))
    while Path(folder).parent.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_packages_are_found_offline(mariadb: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that are on the machine or in the cache need no package manager."""
    monkeypatch.setattr(packages, "unpack", lambda *_: pytest.fail("unpacked again"))
    assert mariadb_program()[1].exists()
