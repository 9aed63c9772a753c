"""PostgreSQL: every way in, and every way to fail, against real and misbehaving servers."""

import asyncio
import signal
from functools import partial
from typing import Any

import pytest

from osiris_lsp.connectors.families.postgres import CONNECTOR
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
from tests.services.plugin import StartServer
from tests.services.processes import Server

check = partial(check_with, CONNECTOR)

DSN = "postgresql://writer:{quoted}@127.0.0.1:{port}/shop"
PAIRS = "host=127.0.0.1 port={port} dbname='shop' user=writer password='p@ss/w:rd#1%'"
TLS = "TLSv1.3"


@pytest.mark.inventory(
    "S1-CONN010-05", "S1-CONN017-01", "S1-CONN017-04", "S1-CONN020-04", "S2-FUT-01"
)
@pytest.mark.parametrize(
    ("changes", "tls"),
    [
        ({}, TLS),
        ({"host": "::1"}, TLS),
        ({"host": "{folder}"}, False),
        ({"host": "localhost", "ssl": True, "ssl_ca": "{ca}"}, TLS),
        ({"ssl": False, "user": "writer"}, False),
        ({"ssl": {"ca": "{ca}"}}, TLS),
        ({"ssl": True, "ssl_verify": False}, TLS),
        ({"ssl_ca": "{ca}"}, TLS),
        ({"sslmode": "disable", "user": "writer"}, False),
        ({"sslmode": "allow"}, TLS),
        ({"sslmode": "prefer"}, TLS),
        ({"sslmode": "require"}, TLS),
        ({"sslmode": "require", "ssl_ca": "{ca}"}, TLS),
        ({"sslmode": "verify-ca", "ssl_ca": "{ca}"}, TLS),
        ({"sslmode": "verify-full", "ssl_ca": "{ca}"}, TLS),
        ({"user": "x509_only", "sslmode": "verify-full", "ssl_ca": "{ca}", **CLIENT}, TLS),
        ({"schema": "public", "options": "-c statement_timeout=5s"}, TLS),
        ({"application_name": "nightly", "user": None, "username": "reader"}, TLS),
        ({**NO_FIELDS, "dsn": DSN}, TLS),
        ({**NO_FIELDS, "dsn": DSN + "?sslmode=verify-full&sslrootcert={ca}"}, TLS),
        ({**NO_FIELDS, "dsn": DSN + "?sslmode=disable&connect_timeout=3"}, False),
        ({**NO_FIELDS, "dsn": "postgres://writer:{quoted}@/shop?host={folder}&port={port}"}, False),
        ({**NO_FIELDS, "dsn": PAIRS}, TLS),
        ({**NO_FIELDS, "dsn": DSN, "replicas": ["[::1]:{port}", "localhost:{port}"]}, TLS),
    ],
)
def test_connects(
    postgres: Server, certificates: Certificates, changes: dict[str, Any], tls: str | bool
) -> None:
    """Each way to write a connection works, and the check says what it found."""
    result = check(postgres, **filled(changes, postgres, certificates))
    assert told(result) == ("ok", "", "", "")
    facts = {name: result.details[name] for name in ("database", "charset", "read_only", "tls")}
    assert facts == {"database": "shop", "charset": "UTF8", "read_only": False, "tls": tls}
    assert result.details["server_version"][:2].isdigit()
    assert all(replica["ok"] for replica in result.details.get("replicas", []))


def test_read_only(postgres: Server) -> None:
    """A role that may only read is told."""
    assert check(postgres, user="read_only").details["read_only"] is True


NO_LOGIN = ("auth", "db.login_refused", "auth", "password")
NO_ENTRY = ("auth", "db.login_refused", "auth", "user")
NO_OPTION = ("unknown", "db.option_refused", "auth", "options")


@pytest.mark.inventory("S1-CONN010-01", "S1-CONN010-03", "S1-CONN010-06")
@pytest.mark.parametrize(
    ("changes", "expected", "says"),
    [
        ({"password": "wr0ng-s3cr3t"}, NO_LOGIN, "`password`"),
        ({"password": "žluť-ß"}, NO_LOGIN, "`password`"),
        ({"password": "🛒"}, ("unknown", "db.scram", "auth", "password"), "emoji"),
        ({"password": ""}, NO_LOGIN, "`password`"),
        ({"user": "nobody_there"}, NO_LOGIN, "`user`"),
        ({"user": "expired"}, NO_LOGIN, "expired"),
        ({"user": "nologin"}, NO_ENTRY, "LOGIN"),
        ({"user": "tls_only", "ssl": False}, NO_ENTRY, "require TLS"),
        ({"user": "x509_only", "ssl_ca": "{ca}"}, NO_ENTRY, "`ssl_cert`"),
        (
            {"database": "shopp"},
            ("unknown", "db.unknown_database", "query", "database"),
            "`postgres`, `shop`",
        ),
        ({"user": "no_connect"}, ("permission", "db.no_privilege", "query", "database"), "CONNECT"),
        ({"schema": "publik"}, ("unknown", "db.unknown_schema", "query", "schema"), "`schema`"),
        ({"schema": "pg_toast"}, ("permission", "db.no_privilege", "query", "schema"), "USAGE"),
        ({"options": "-c nosuch=1"}, NO_OPTION, "`options`"),
        ({"options": "-c statement_timeout=soon"}, NO_OPTION, "`options`"),
        ({"port": 70000}, ("unknown", "config.range", "config", "port"), "number"),
        ({"user": None}, ("unknown", "config.missing_field", "config", "user"), "`user`"),
        ({"password": "<password>"}, ("unknown", "config.placeholder", "config", "password"), ""),
        ({"sslmode": "verify"}, ("unknown", "config.sslmode", "config", "sslmode"), ""),
        ({"ssl_cert": "{client_cert}"}, ("unknown", "tls.incomplete", "config", "ssl_cert"), ""),
        (
            {"sslmode": "verify-ca", "ssl_ca": "{other_ca}"},
            ("network", "tls.untrusted", "tls", "ssl_ca"),
            "`ssl_ca`",
        ),
        ({"ssl": True}, ("network", "tls.untrusted", "tls", "ssl_ca"), "`ssl_ca`"),
        ({"host": "/nowhere"}, ("network", "unix.missing", "tcp", "host"), "socket"),
        (
            {**NO_FIELDS, "dsn": "postgresql://reader:wr0ng-s3cr3t@127.0.0.1:{port}/shop"},
            ("auth", "db.login_refused", "auth", "dsn"),
            "`password`",
        ),
        (
            {"replicas": [{"host": "127.0.0.1", "port": 1}]},
            ("network", "tcp.refused", "tcp", "replicas"),
            "server is running",
        ),
    ],
)
def test_refused(
    postgres: Server,
    certificates: Certificates,
    changes: dict[str, Any],
    expected: Told,
    says: str,
) -> None:
    """Each refusal has its category, code, stage and field, and a remedy that helps."""
    result = check(postgres, **filled(changes, postgres, certificates))
    assert told(result) == expected
    assert says in result.details["remedy"]
    assert "s3cr3t" not in repr(result)


@pytest.mark.inventory("S1-CONN011-01")
@pytest.mark.parametrize(
    ("dsn", "code"),
    [
        ("postgresql://u:s3cr/3t@127.0.0.1/shop", "config.dsn"),
        ("mysql://u:s3cr3t@127.0.0.1/shop", "config.dsn"),
        ("postgresql://u:s3cr3t@one:1,two:2/shop", "config.dsn"),
        ("host=127.0.0.1 user=u password='s3cr3t", "config.dsn"),
        ("host=127.0.0.1 user=u password=s3cr 3t=x", "config.dsn_option"),
        ("postgresql://u:s3cr3t@127.0.0.1/shop?service=x", "config.dsn_option"),
        ("postgresql://u:s3cr3t@127.0.0.1/shop?passfile=/etc/passwd", "config.dsn_option"),
        ("postgresql://u:s3cr3t@127.0.0.1/shop?sslmod=require", "config.dsn_option"),
        ("postgresql://u:s3cr3t@127.0.0.1/shop?sslmode=nice", "config.sslmode"),
        ("postgresql://127.0.0.1/shop?password=s3cr3t", "config.missing_field"),
    ],
)
def test_dsn_refused(dsn: str, code: str) -> None:
    """What a DSN may not hold is told before anything is sent, and no piece of it is shown."""
    result = CONNECTOR.examine({"family": "postgres", "dsn": dsn})
    assert told(result) == ("unknown", code, "config", "dsn")
    assert "s3cr" not in repr(result)


PLAIN = {"ssl": False}


@pytest.mark.inventory("S1-CONN009-05", "S1-CONN010-02", "S1-CONN010-04")
@pytest.mark.parametrize(
    ("fault", "changes", "expected"),
    [
        (faults.refused, {}, ("network", "tcp.refused", "tcp", "port")),
        (faults.black_hole, {}, ("timeout", "tcp.timeout", "tcp", "port")),
        (faults.mute, {}, SILENT),
        (faults.half_open, {}, SILENT),
        (faults.half_open, PLAIN, SILENT),
        (lambda: faults.drip(b"R\0\0\0\x17\0"), PLAIN, SILENT),
        (faults.garbage, {}, MISMATCH),
        (faults.garbage, PLAIN, MISMATCH),
        (lambda: faults.text(faults.SSH_BANNER), {}, MISMATCH),
        (lambda: faults.text(faults.SSH_BANNER), PLAIN, MISMATCH),
        (lambda: faults.text(faults.HTTP_REPLY, close=True), {}, MISMATCH),
        (
            lambda: faults.text(b"N"),
            {"sslmode": "require"},
            ("network", "tls.refused_by_server", "tls", "sslmode"),
        ),
        (lambda: faults.text(b"N"), {}, SILENT),
        (
            lambda: faults.text(b"E\0\0\0\x20SFATAL\0VFATAL\0C53300\0Mno\0\0"),
            {},
            ("network", "db.too_many_connections", "auth", "host"),
        ),
    ],
)
def test_faults(fault: StartFault, changes: dict[str, Any], expected: Told) -> None:
    """A server that misbehaves is told by how, in time, and no connection to it stays open."""
    with fault() as server:
        assert told(check(server, SHORT, **changes)) == expected
        assert server.open_connections == 0


@pytest.mark.parametrize("fault", [faults.closes, faults.reset])
def test_broken_off(fault: StartFault) -> None:
    """A connection that ends at once is a failure of the network, however the kernel tells it."""
    with fault() as server:
        assert check(server, SHORT).category == "network"


@pytest.mark.inventory("S1-CONN010-02")
@pytest.mark.parametrize(
    ("kind", "code"),
    [("expired", "expired"), ("wrong_host", "hostname"), ("untrusted", "untrusted")],
)
def test_certificates(certificates: Certificates, kind: Kind, code: str) -> None:
    """A certificate that proves nothing ends the check before the password is sent."""
    with faults.tls(certificates, kind, opening=faults.POSTGRES) as server:
        result = check(server, ssl=True, ssl_ca=str(certificates.ca))
    assert told(result)[:3] == ("network", f"tls.{code}", "tls")


@pytest.mark.inventory("S1-CONN009-05")
def test_tls_that_hangs(certificates: Certificates) -> None:
    """A handshake, or what comes after it, ends at the deadline."""
    for stage, fault in {
        "tls": faults.tls_stall(opening=faults.POSTGRES),
        "auth": faults.tls(certificates, opening=faults.POSTGRES),
    }.items():
        with fault as server:
            assert told(check(server, SHORT))[:2] == ("timeout", f"{stage}.timeout")
            assert server.open_connections == 0


def test_bytes_before_tls() -> None:
    """Bytes that come with the answer about TLS are never taken for encrypted (CVE-2021-23222)."""
    with faults.text(b"SR\0\0\0\x08\0\0\0\0") as server:
        assert told(check(server, SHORT)) == MISMATCH


@pytest.mark.parametrize("changes", [{}, PLAIN])
def test_other_server(mariadb: Server, changes: dict[str, Any]) -> None:
    """MySQL greets first, which tells it."""
    result = check(mariadb, **changes)
    assert told(result) == MISMATCH
    assert "MySQL" in result.details["cause"]


def test_full(postgres_full: Server) -> None:
    """A server without a free connection is told as such, and may be tried again."""
    result = check(postgres_full)
    assert told(result) == ("network", "db.too_many_connections", "auth", "host")
    assert result.details["retryable"] is True


def test_starting(postgres_starting: Server, postgres_stopping: Server) -> None:
    """So is one that starts up or shuts down."""
    for server in (postgres_starting, postgres_stopping):
        assert told(check(server)) == ("network", "db.not_ready", "auth", "host")


def test_german(postgres_german: Server) -> None:
    """The language of the server changes nothing."""
    assert told(check(postgres_german, password="wr0ng")) == NO_LOGIN


def test_hang(start_postgres: StartServer) -> None:
    """A server that stands still, and one without TLS."""
    server = start_postgres("ssl=off")
    required = ("network", "tls.refused_by_server", "tls", "ssl")
    assert told(check(server, ssl=True)) == required
    assert check(server, user="writer").details["tls"] is False
    server.signal(signal.SIGSTOP)
    assert told(check(server, SHORT)) == SILENT


def test_kerberos_and_death() -> None:
    """A way to log in that is not supported, and a server that ends in the middle of the login."""
    for answer, expected in (
        (b"R\0\0\0\x08\0\0\0\x07", ("unknown", "db.auth_plugin", "auth", "user")),
        (b"", ("network", "tcp.closed", "auth", "host")),
    ):

        async def behave(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes = answer
        ) -> None:
            size = int.from_bytes(await reader.readexactly(4), "big")
            await reader.readexactly(size - 4)
            await faults.say(writer, answer)

        with faults.serve(behave) as server:
            assert told(check(server, **PLAIN)) == expected
