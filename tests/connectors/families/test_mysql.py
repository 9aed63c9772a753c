"""MySQL: every way in, and every way to fail, against MariaDB and servers that misbehave."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest

from osiris_lsp.connectors.families.mysql import CONNECTOR
from tests.connectors.families.sql import (
    CLIENT,
    MISMATCH,
    NO_FIELDS,
    SHORT,
    SILENT,
    StartFault,
    Told,
    filled,
    told,
)
from tests.connectors.families.sql import check as check_with
from tests.services import faults
from tests.services.certificates import Certificates, Kind
from tests.services.faults import Fault
from tests.services.plugin import StartServer
from tests.services.processes import Server

check = partial(check_with, CONNECTOR)

DSN = "mysql+pymysql://reader:{quoted}@127.0.0.1:{port}/shop"


@pytest.mark.inventory(
    "S1-CONN010-05", "S1-CONN017-01", "S1-CONN017-03", "S1-CONN017-04", "S1-CONN020-04"
)
@pytest.mark.parametrize(
    ("changes", "tls"),
    [
        ({}, False),
        ({"host": "::1"}, False),
        ({"host": "localhost", "ssl": True, "ssl_ca": "{ca}"}, "TLSv1.3"),
        ({"unix_socket": "{socket}", "host": None, "port": None}, False),
        ({"ssl": False}, False),
        ({"ssl": True, "ssl_ca": "{ca}"}, "TLSv1.3"),
        ({"ssl": {"ca": "{ca}"}}, "TLSv1.3"),
        ({"ssl_ca": "{ca}"}, "TLSv1.3"),
        ({"ssl": True, "ssl_verify": False}, "TLSv1.3"),
        ({"require_ssl": True, "ssl_ca": "{ca}", "user": None, "username": "tls_only"}, "TLSv1.3"),
        ({"user": "x509_only", "ssl": True, "ssl_ca": "{ca}", **CLIENT}, "TLSv1.3"),
        ({**NO_FIELDS, "dsn": DSN}, False),
        ({**NO_FIELDS, "dsn": DSN + "?ssl-mode=REQUIRED&charset=utf8mb4"}, "TLSv1.3"),
        ({**NO_FIELDS, "dsn": DSN + "?ssl=true&ssl_ca={ca}"}, "TLSv1.3"),
        ({**NO_FIELDS, "dsn": DSN, "replicas": ["[::1]:{port}", "localhost:{port}"]}, False),
    ],
)
def test_connects(
    mariadb: Server, certificates: Certificates, changes: dict[str, Any], tls: str | bool
) -> None:
    """Each way to write a connection works, and the check says what it found."""
    result = check(mariadb, **filled(changes, mariadb, certificates))
    assert told(result) == ("ok", "", "", "")
    facts = {name: result.details[name] for name in ("database", "charset", "read_only", "tls")}
    assert facts == {"database": "shop", "charset": "utf8mb4", "read_only": False, "tls": tls}
    assert "MariaDB" in result.details["server_version"]
    assert all(replica["ok"] for replica in result.details.get("replicas", []))


NO_LOGIN = ("auth", "db.login_refused", "auth", "password")


@pytest.mark.inventory("S1-CONN010-01", "S1-CONN010-03", "S1-CONN010-06")
@pytest.mark.parametrize(
    ("changes", "expected", "says"),
    [
        ({"password": "wr0ng-s3cr3t"}, NO_LOGIN, "user"),
        ({"password": "žluť-🛒"}, NO_LOGIN, "user"),
        ({"password": ""}, NO_LOGIN, "user"),
        ({"user": "nobody_there"}, NO_LOGIN, "user"),
        ({"user": "socket_only"}, NO_LOGIN, "user"),
        ({"user": "tls_only"}, NO_LOGIN, "try `ssl: true`"),
        ({"user": "x509_only", "ssl_ca": "{ca}"}, NO_LOGIN, "`ssl_cert`"),
        ({"user": "locked"}, ("auth", "db.account_locked", "auth", "user"), "unlock"),
        ({"user": "expired"}, ("auth", "db.password_expired", "auth", "password"), "ALTER USER"),
        ({"database": "shopp"}, ("permission", "db.no_access", "query", "database"), "`shop`"),
        (
            {"database": "shopp", "user": "root", "password": "{root}"},
            ("unknown", "db.unknown_database", "query", "database"),
            "`shop`",
        ),
        ({"user": "nobody_rights"}, ("permission", "db.no_access", "query", "database"), "granted"),
        ({"charset": "utf-8"}, ("unknown", "config.charset", "config", "charset"), "`utf8mb4`"),
        ({"port": "x"}, ("unknown", "config.range", "config", "port"), "number"),
        ({"user": None}, ("unknown", "config.missing_field", "config", "user"), "`user`"),
        ({"password": "***MASKED***"}, ("unknown", "config.placeholder", "config", "password"), ""),
        ({"ssl_ca": "/nowhere.pem"}, ("unknown", "tls.missing_file", "config", "ssl_ca"), ""),
        (
            {"ssl": True, "ssl_ca": "{other_ca}"},
            ("network", "tls.untrusted", "tls", "ssl_ca"),
            "`ssl_ca`",
        ),
        (
            {"unix_socket": "/nowhere/socket", "host": None},
            ("network", "unix.missing", "tcp", "unix_socket"),
            "socket",
        ),
        (
            {**NO_FIELDS, "dsn": "mysql://reader:wr0ng-s3cr3t@127.0.0.1:{port}/shop"},
            ("auth", "db.login_refused", "auth", "dsn"),
            "user",
        ),
        (
            {"replicas": ["127.0.0.1:1"]},
            ("network", "tcp.refused", "tcp", "replicas"),
            "server is running",
        ),
    ],
)
def test_refused(
    mariadb: Server,
    certificates: Certificates,
    changes: dict[str, Any],
    expected: Told,
    says: str,
) -> None:
    """Each refusal has its category, code, stage and field, and a remedy that helps."""
    result = check(mariadb, **filled(changes, mariadb, certificates))
    assert told(result) == expected
    assert says in result.details["remedy"]
    assert "s3cr3t" not in repr(result)


@pytest.mark.inventory("S1-CONN011-01")
@pytest.mark.parametrize(
    ("dsn", "code"),
    [
        ("mysql://u:s3cr/3t@127.0.0.1/shop", "config.dsn"),
        ("mysql://u:s3cr?3t=1@127.0.0.1/shop", "config.dsn"),
        ("mysql://u:s3cr#3t@127.0.0.1/shop", "config.dsn"),
        ("mysql://u:s3cr3t@127.0.0.1:x/shop", "config.dsn"),
        ("postgresql://u:s3cr3t@127.0.0.1/shop", "config.dsn"),
        ("mysql://u:s3cr3t@one,two/shop", "config.dsn"),
        ("mysql://u:s3cr3t@127.0.0.1/shop?local_infile=1", "config.dsn_option"),
        ("mysql://u:s3cr3t@127.0.0.1/shop?read_default_file=/etc/my.cnf", "config.dsn_option"),
        ("mysql://u:s3cr3t@127.0.0.1/shop?sl=1", "config.dsn_option"),
        ("mysql://u:s3cr3t@127.0.0.1/shop?ssl=perhaps", "config.dsn_option"),
        ("mysql://u:s3cr3t@127.0.0.1/shop?ssl-mode=NICE", "config.dsn_option"),
        ("mysql://:s3cr3t@127.0.0.1/shop", "config.missing_field"),
    ],
)
def test_dsn_refused(dsn: str, code: str) -> None:
    """What a DSN may not hold is told before anything is sent, and no piece of it is shown."""
    result = CONNECTOR.examine({"family": "mysql", "dsn": dsn})
    assert told(result) == ("unknown", code, "config", "dsn")
    assert "s3cr" not in repr(result)


@pytest.mark.inventory("S1-CONN009-05", "S1-CONN010-02", "S1-CONN010-04")
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (faults.refused, ("network", "tcp.refused", "tcp", "port")),
        (faults.black_hole, ("timeout", "tcp.timeout", "tcp", "port")),
        (faults.mute, SILENT),
        (faults.half_open, SILENT),
        (lambda: faults.text(faults.MYSQL_GREETING), SILENT),
        (lambda: faults.drip(faults.MYSQL_GREETING), SILENT),
        (faults.closes, ("network", "tcp.closed", "auth", "host")),
        (faults.garbage, MISMATCH),
        (lambda: faults.text(faults.SSH_BANNER), MISMATCH),
        (lambda: faults.text(faults.HTTP_REPLY, close=True), MISMATCH),
    ],
)
def test_faults(fault: StartFault, expected: Told) -> None:
    """A server that misbehaves is told by how, in time, and no connection to it stays open."""
    with fault() as server:
        assert told(check(server, SHORT)) == expected
        assert server.open_connections == 0


@pytest.mark.inventory("S1-CONN010-02")
@pytest.mark.parametrize(
    ("kind", "code"),
    [("expired", "expired"), ("wrong_host", "hostname"), ("untrusted", "untrusted")],
)
def test_certificates(certificates: Certificates, kind: Kind, code: str) -> None:
    """A certificate that proves nothing ends the check before the password is sent."""
    with faults.tls(certificates, kind, opening=faults.MYSQL) as server:
        result = check(server, ssl=True, ssl_ca=str(certificates.ca))
    assert told(result)[:3] == ("network", f"tls.{code}", "tls")


@pytest.mark.inventory("S1-CONN009-05")
@pytest.mark.parametrize("fault", [faults.tls_stall, faults.tls_drip])
def test_tls_that_hangs(fault: Callable[..., AbstractContextManager[Fault]]) -> None:
    """A handshake that does not end ends at the deadline."""
    with fault(opening=faults.MYSQL) as server:
        assert told(check(server, SHORT, ssl=True))[:3] == ("timeout", "tls.timeout", "tls")
        assert server.open_connections == 0


def test_other_server(postgres: Server) -> None:
    """PostgreSQL waits for the client to speak; that it is there is told nevertheless."""
    result = check(postgres, 1.0)
    assert told(result) == MISMATCH
    assert "PostgreSQL" in result.details["cause"]


def test_full(mariadb_full: Server) -> None:
    """A server without a free connection is told as such, and may be tried again."""
    result = check(mariadb_full)
    assert told(result) == ("network", "db.too_many_connections", "auth", "host")
    assert result.details["retryable"] is True


def test_account_is_full(mariadb: Server) -> None:
    """So is an account that has as many connections as it may have."""
    import pymysql

    with pymysql.connect(
        host=mariadb.host, port=mariadb.port, user="one_connection", password=mariadb.password
    ):
        result = check(mariadb, user="one_connection")
    assert told(result) == ("network", "db.too_many_connections", "auth", "user")


def test_tls_settings_of_the_server(start_mariadb: StartServer) -> None:
    """A server that wants TLS, is read-only and then hangs: each is told."""
    server = start_mariadb("--require-secure-transport=on", "--read-only=on")
    result = check(server)
    assert told(result) == NO_LOGIN  # what MySQL has an error for
    assert "try `ssl: true`" in result.details["remedy"]
    assert check(server, ssl={"verify_cert": False}).details["read_only"] is True
    server.signal(signal.SIGSTOP)
    assert told(check(server, SHORT)) == SILENT


def test_no_tls(start_mariadb: StartServer) -> None:
    """A server without TLS is no server for `ssl: true`."""
    server = start_mariadb("--skip-ssl")
    result = check(server, ssl=True)
    assert told(result) == ("network", "tls.refused_by_server", "tls", "ssl")


def packet(number: int, payload: bytes) -> bytes:
    """A packet of the protocol."""
    return len(payload).to_bytes(3, "little") + bytes((number,)) + payload


async def read_packet(reader: asyncio.StreamReader) -> bytes:
    """Read a packet and return its payload."""
    size = int.from_bytes((await reader.readexactly(4))[:3], "little")
    return await reader.readexactly(size)


@pytest.mark.inventory("S1-CONN010-03", "S1-CONN010-06")
@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (3159, ("network", "tls.required", "auth", "ssl")),
        (1053, ("network", "db.shutting_down", "auth", "host")),
        (1129, ("permission", "db.host_blocked", "auth", "host")),
        (1130, ("permission", "db.host_not_allowed", "auth", "host")),
        (1227, ("permission", "db.no_privilege", "query", "user")),
        (1524, ("unknown", "db.auth_plugin", "auth", "user")),
        (1862, ("auth", "db.password_expired", "auth", "password")),
        (9999, ("unknown", "mysql.9999", "auth", "host")),
    ],
)
def test_numbers(number: int, expected: Told) -> None:
    """What this MariaDB does not say is told by its number, and never by its text."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await faults.say(writer, faults.MYSQL_GREETING)
        await read_packet(reader)
        error = b"\xff" + number.to_bytes(2, "little") + b"#HY000Chyba: s3cr3t"
        await faults.say(writer, packet(2, error))

    with faults.serve(behave) as server:
        assert told(check(server)) == expected


@pytest.mark.parametrize("plugin", [b"mysql_clear_password", b"dialog"])
def test_no_password_in_clear_text(plugin: bytes) -> None:
    """A server that asks for the password as it is does not get it without TLS."""
    heard: list[bytes] = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await faults.say(writer, faults.MYSQL_GREETING)
        heard.append(await read_packet(reader))
        await faults.say(writer, packet(2, b"\xfe" + plugin + b"\0\x04Password: "))
        heard.append(await reader.read())

    with faults.serve(behave) as server:
        result = check(server)
    assert told(result) == ("auth", "db.clear_text_refused", "auth", "ssl")
    assert b"s3cr3t" not in b"".join(heard)
