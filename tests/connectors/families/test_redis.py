"""Redis: every way in, and every way to fail, against a server and what misbehaves like one."""

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest

from osiris_lsp.connectors.families.redis import CONNECTOR
from osiris_lsp.connectors.result import DoctorResult
from tests.connectors.families.sql import CLIENT, MISMATCH, SHORT, StartFault, Told, filled, told
from tests.services import faults
from tests.services.certificates import Certificates, Kind
from tests.services.faults import Fault
from tests.services.processes import Server

URL = "redis://reader:{quoted}@127.0.0.1:{port}"
TLS = {"host": "localhost", "ssl_ca": "{ca}"}
REFUSED = ("auth", "db.login_refused", "auth", "password")


def check(server: Server | Fault, timeout: float = 5.0, **changes: Any) -> DoctorResult:
    """Check a connection as `reader`, changed; a change to None takes a field out."""
    password = getattr(server, "password", "s3cr3t/+")
    fields = {"host": server.host, "port": server.port, "user": "reader", "password": password}
    given = {name: value for name, value in {**fields, **changes}.items() if value is not None}
    began = time.monotonic()
    result = CONNECTOR.examine(given, timeout)
    assert time.monotonic() - began <= timeout + 0.5
    assert password not in repr(result)
    return result


def only(**fields: Any) -> dict[str, Any]:
    """Changes that leave nothing but these fields."""
    return {**dict.fromkeys(("host", "port", "user", "password")), **fields}


@pytest.mark.inventory("S1-CONN010-05", "S1-CONN017-01", "S1-CONN017-04", "S2-FUT-03")
@pytest.mark.parametrize(
    ("changes", "tls"),
    [
        ({}, False),
        ({"host": "::1"}, False),
        ({"db": 3, "user": None, "password": "{root}"}, False),
        ({"user": None, "username": "reader"}, False),
        (TLS, "TLSv1.3"),
        ({**TLS, "tls": True, **CLIENT}, "TLSv1.3"),
        ({"host": "localhost", "ssl": {"ca": "{ca}"}}, "TLSv1.3"),
        ({"ssl": True, "ssl_verify": False}, "TLSv1.3"),
        ({"unix_socket": "{socket}", "host": None, "port": None}, False),
        (only(url=URL), False),
        (only(url=URL + "/0?socket_timeout=5&decode_responses=true"), False),
        (only(url=URL.replace("redis:", "rediss:") + "?ssl_ca_certs={ca}"), "TLSv1.3"),
        (only(url=URL.replace("redis:", "rediss:") + "?ssl_cert_reqs=none"), "TLSv1.3"),
        (only(url="unix://reader:{quoted}@{socket}?db=0"), False),
        (only(url="unix://{socket}?username=reader&password={quoted}"), False),
        ({"replicas": ["[::1]:{port}", "localhost:{port}"]}, False),
    ],
)
def test_connects(
    redis_server: Server, certificates: Certificates, changes: dict[str, Any], tls: str | bool
) -> None:
    """Each way to write a connection works, and the check says whether by TLS."""
    given = filled(changes, redis_server, certificates)
    if tls:
        given["port"] = redis_server.tls_port
        if "url" in given:
            given = only(url=given["url"].replace(f":{redis_server.port}", f":{given['port']}"))
    result = check(redis_server, **given)
    assert told(result) == ("ok", "", "", "")
    assert result.details["tls"] == tls
    assert all(replica["ok"] for replica in result.details.get("replicas", []))


@pytest.mark.inventory("S1-CONN020-04")
def test_facts(redis_server: Server) -> None:
    """The version and the part that the server plays are told to those who may know."""
    found = check(redis_server, user=None, password=redis_server.root_password, db=2).details
    facts = {name: found[name] for name in ("db", "mode", "role", "tls")}
    assert facts == {"db": 2, "mode": "standalone", "role": "master", "tls": False}
    assert found["server_version"][0].isdigit()
    assert "server_version" not in check(redis_server).details


@pytest.mark.inventory("S1-CONN010-01", "S1-CONN010-03", "S1-CONN010-06")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"password": "wr0ng"}, REFUSED),
        ({"user": "nobody_there"}, REFUSED),
        ({"user": None}, REFUSED),
        ({"password": None}, ("auth", "db.login_required", "auth", "password")),
        ({"user": "nobody_rights"}, ("permission", "db.no_privilege", "query", "user")),
        (
            {"user": None, "password": "{root}", "db": 99},
            ("unknown", "db.unknown_database", "query", "db"),
        ),
        ({"db": "x"}, ("unknown", "config.range", "config", "db")),
        ({"port": "x"}, ("unknown", "config.range", "config", "port")),
        ({"host": "no such host"}, ("network", "dns.nxdomain", "dns", "host")),
        ({"ssl_ca": "/nowhere.pem"}, ("unknown", "tls.missing_file", "config", "ssl_ca")),
        (
            {"unix_socket": "/nowhere/socket", "host": None},
            ("network", "unix.missing", "tcp", "unix_socket"),
        ),
        (only(url="redis://reader:wr0ng@127.0.0.1:{port}"), ("auth", *REFUSED[1:3], "url")),
        (only(url=URL + "/x"), ("unknown", "config.range", "config", "url")),
        (only(url=URL + "?connection_class=x"), ("unknown", "config.dsn_option", "config", "url")),
        (only(url="redis://reader:p@ss/w:rd#1%@h"), ("unknown", "config.dsn", "config", "url")),
        (only(url="http://127.0.0.1"), ("unknown", "config.dsn", "config", "url")),
        ({"replicas": ["127.0.0.1:1"]}, ("network", "tcp.refused", "tcp", "replicas")),
    ],
)
def test_refuses(
    redis_server: Server, certificates: Certificates, changes: dict[str, Any], expected: Told
) -> None:
    """Each mistake in a connection is told apart, and the field with it is named."""
    assert told(check(redis_server, **filled(changes, redis_server, certificates))) == expected


NOT_THERE: list[tuple[str, StartFault, Told]] = [
    ("refused", faults.refused, ("network", "tcp.refused", "tcp", "port")),
    ("black hole", faults.black_hole, ("timeout", "tcp.timeout", "tcp", "port")),
    ("mute", faults.mute, ("timeout", "auth.timeout", "auth", "host")),
    ("half open", faults.half_open, ("timeout", "auth.timeout", "auth", "host")),
    ("drip", partial(faults.drip, b"+OK"), ("timeout", "auth.timeout", "auth", "host")),
    (
        "drips answers",
        partial(faults.drip, b"+OK\r\n"),
        ("timeout", "auth.timeout", "auth", "host"),
    ),
    ("closes", faults.closes, ("network", "tcp.closed", "auth", "host")),
    ("garbage", faults.garbage, MISMATCH),
    ("ssh", partial(faults.text, faults.SSH_BANNER), MISMATCH),
    ("http", partial(faults.text, faults.HTTP_REPLY), MISMATCH),
    ("mysql", partial(faults.text, faults.MYSQL_GREETING), MISMATCH),
]


@pytest.mark.inventory("S1-CONN009-05", "S1-CONN010-02", "S1-CONN010-04")
@pytest.mark.parametrize(
    ("start", "expected"), [item[1:] for item in NOT_THERE], ids=[item[0] for item in NOT_THERE]
)
def test_servers_that_are_none(start: StartFault, expected: Told) -> None:
    """What is no Redis, or hangs, is named and ends in time."""
    with start() as server:
        assert told(check(server, SHORT)) == expected


@pytest.mark.inventory("S1-CONN010-02")
def test_a_server_that_resets_the_connection() -> None:
    """A reset is one whether it comes before the first byte is sent or after."""
    with faults.reset() as server:
        result = check(server, SHORT)
    assert (result.category, result.details["code"]) == ("network", "tcp.reset")


def says(answers: str) -> Callable[[], AbstractContextManager[Fault]]:
    """A server that gives these answers, one after the other."""
    return partial(faults.text, answers.replace("|", "\r\n").encode())


@pytest.mark.inventory("S1-CONN010-02", "S1-CONN010-03")
@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ("-ERR max number of clients reached|", ("network", "db.too_many_connections", "auth")),
        ("-DENIED Redis is in protected mode|", ("permission", "db.host_not_allowed", "auth")),
        ("+OK|+OK|+OK|-LOADING Redis is loading|", ("network", "db.starting_up", "query")),
        ("+OK|+OK|+OK|-MASTERDOWN Link is down|", ("network", "db.replica_detached", "query")),
        ("+OK|+OK|+OK|-MISCONF Errors writing|", ("unknown", "redis.error", "query")),
        ("+OK|+OK|+OK|+PONG|$3|x:y|", ("ok", "", "")),
        ("+OK|+OK|+OK|+PANG|", MISMATCH[:3]),
        (
            "+OK|+OK|+OK|+PONG|$19|redis_mode:sentinel|",
            ("unknown", "redis.sentinel", "config"),
        ),
    ],
)
def test_answers(answers: str, expected: tuple[str, str, str]) -> None:
    """What servers say in states that no test can bring about at will."""
    with says(answers)() as server:
        assert told(check(server, 2.0))[:3] == expected


def test_a_replica_and_its_rights() -> None:
    """A replica that takes no writes is told as such, and Valkey by its own version."""
    info = "role:slave\r\nslave_read_only:1\r\nvalkey_version:8.0.1\r\nredis_version:7.2.4\r\n"
    with says(f"+OK|+OK|+OK|+PONG|${len(info)}|{info}|")() as server:
        found = check(server).details
    facts = {name: found[name] for name in ("role", "read_only", "server_version")}
    assert facts == {"role": "slave", "read_only": True, "server_version": "8.0.1"}


@pytest.mark.inventory("S1-CONN017-01")
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("wrong_host", ("network", "tls.hostname", "tls", "port")),
        ("expired", ("network", "tls.expired", "tls", "port")),
        ("untrusted", ("network", "tls.untrusted", "tls", "ssl_ca")),
    ],
)
def test_certificates_that_cannot_be_trusted(
    certificates: Certificates, kind: Kind, expected: Told
) -> None:
    """An expired certificate, one for another host and one of an unknown authority."""
    with faults.tls(certificates, kind) as server:
        assert told(check(server, ssl=True, ssl_ca=str(certificates.ca))) == expected


def test_tls_on_one_side_only(redis_server: Server, certificates: Certificates) -> None:
    """A server that wants TLS says so by hanging up, and one that does not by saying nothing."""
    result = check(redis_server, port=redis_server.tls_port)
    assert told(result) == ("network", "tcp.reset", "auth", "host")
    assert "`ssl: true`" in result.details["remedy"]
    result = check(redis_server, SHORT, ssl=True, ssl_ca=str(certificates.ca))
    assert told(result) == ("timeout", "tls.timeout", "tls", "port")


def test_the_driver_is_missing(redis_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without redis-py the check names the extra to install."""
    monkeypatch.setitem(sys.modules, "redis", None)
    result = check(redis_server)
    assert told(result) == ("unknown", "dep.missing", "config", "")
    assert result.details["remedy"] == "install it with `pip install 'osiris-lsp[redis]'`"
