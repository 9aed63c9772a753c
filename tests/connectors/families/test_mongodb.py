"""MongoDB: every way in, and every way to fail, against a double and servers that misbehave."""

import ssl
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from osiris_lsp.connectors.families.mongodb import CONNECTOR
from osiris_lsp.connectors.result import DoctorResult
from tests.connectors.families.sql import MISMATCH, SHORT, SILENT, StartFault, Told, told
from tests.doubles import mongodb
from tests.doubles.mongodb import DATABASE, PASSWORD, USERNAME, Mongodb
from tests.services import faults
from tests.services.certificates import Certificates, Kind
from tests.services.faults import Fault

URI = f"mongodb://{USERNAME}:{quote(PASSWORD, safe='')}@127.0.0.1:PORT"
REFUSED = ("auth", "db.login_refused", "auth", "password")


def check(server: Mongodb | Fault, timeout: float = 5.0, **changes: Any) -> DoctorResult:
    """Check a connection as the user whom the double knows, changed; None takes a field out.

    `PORT` in a text stands for the port of the server.
    """
    fields = {
        "host": server.host, "port": server.port, "user": USERNAME, "password": PASSWORD,
        **changes,
    }  # fmt: skip
    given = {
        name: value.replace("PORT", str(server.port)) if isinstance(value, str) else value
        for name, value in fields.items()
        if value is not None
    }
    began = time.monotonic()
    result = CONNECTOR.examine(given, timeout)
    assert time.monotonic() - began <= timeout + 0.5
    assert PASSWORD not in repr(result)
    return result


def only(uri: str, **fields: Any) -> dict[str, Any]:
    """Changes that leave nothing but a URI and these fields."""
    return {**dict.fromkeys(("host", "port", "user", "password")), "uri": uri, **fields}


@pytest.mark.inventory("S1-CONN010-05", "S2-FUT-02")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"user": None, "username": USERNAME},
        {"auth_mechanism": "SCRAM-SHA-1"},
        {"auth_mechanism": "SCRAM-SHA-256", "auth_source": "admin"},
        only(URI),
        only(URI + "/?retryWrites=true&w=majority&appName=x&maxPoolSize=5"),
        only(URI + f"/{DATABASE}?AuthSource=admin&directConnection=true"),
        only(f"{URI}/{DATABASE}", auth_source="admin"),
        only("mongodb://127.0.0.1:PORT", user=USERNAME, password=PASSWORD),
        {"replicas": ["127.0.0.1:PORT"]},
        only(URI, replicas=["127.0.0.1:PORT"]),
    ],
)
def test_connects(changes: dict[str, Any]) -> None:
    """Each way to write a connection works, and the check says what it found."""
    with Mongodb() as server:
        if "replicas" in changes:
            changes = {**changes, "replicas": [f"127.0.0.1:{server.port}"]}
        result = check(server, **changes)
    assert told(result) == ("ok", "", "", "")
    facts = {name: result.details[name] for name in ("server_version", "tls", "read_only")}
    assert facts == {"server_version": "7.0.14", "tls": False, "read_only": False}
    assert all(replica["ok"] for replica in result.details.get("replicas", []))


@pytest.mark.inventory("S1-CONN020-04")
def test_a_database_that_does_not_exist() -> None:
    """MongoDB makes databases by writing to them: a missing one is told, and is no failure."""
    with Mongodb() as server:
        found = check(server, database=DATABASE).details
        assert (found["database"], found["database_exists"]) == (DATABASE, True)
        found = check(server, **only(URI + "/shopp?authSource=admin")).details
    assert (found["database_exists"], found["databases"]) == (False, [DATABASE])
    assert found["hint"].endswith(f"did you mean `{DATABASE}`?")


@pytest.mark.inventory("S1-CONN010-01", "S1-CONN010-03", "S1-CONN010-06")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"password": "wr0ng"}, REFUSED),
        ({"user": "nobody_there"}, REFUSED),
        ({"auth_source": DATABASE}, REFUSED),
        ({"user": None, "password": None}, ("auth", "db.login_required", "query", "user")),
        ({"password": None}, ("unknown", "config.missing_field", "config", "password")),
        ({"password": ""}, ("unknown", "config.value", "config", "password")),
        ({"password": "a\n"}, ("unknown", "config.value", "config", "password")),
        ({"read_preference": "x"}, ("unknown", "config.value", "config", "read_preference")),
        ({"auth_mechanism": "PLAIN"}, ("unknown", "db.auth_plugin", "auth", "auth_mechanism")),
        ({"auth_mechanism": "GSSAPI"}, ("unknown", "db.auth_plugin", "auth", "auth_mechanism")),
        ({"replica_set": "rs0"}, ("unknown", "db.replica_set", "config", "replica_set")),
        ({"host": "no such host"}, ("network", "dns.nxdomain", "dns", "host")),
        ({"port": "x"}, ("unknown", "config.range", "config", "port")),
        ({"ssl_ca": "/nowhere.pem"}, ("unknown", "tls.missing_file", "config", "ssl_ca")),
        ({"replicas": ["127.0.0.1:1"]}, ("network", "tcp.refused", "tcp", "replicas")),
        (only(URI + f"/{DATABASE}"), ("auth", "db.login_refused", "auth", "uri")),
        (only(URI + "/?proxyHost=x"), ("unknown", "config.dsn_option", "config", "uri")),
        (only("mongodb://u:p@ss/w:rd@h"), ("unknown", "config.dsn", "config", "uri")),
        (only("http://127.0.0.1"), ("unknown", "config.dsn", "config", "uri")),
        (only("mongodb://127.0.0.1:1,127.0.0.1:2"), ("network", "tcp.refused", "tcp", "uri")),
    ],
)
def test_refuses(changes: dict[str, Any], expected: Told) -> None:
    """Each mistake in a connection is told apart, and the field with it is named."""
    with Mongodb() as server:
        assert told(check(server, **changes)) == expected


@pytest.mark.inventory("S1-CONN010-03")
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (13, ("permission", "db.no_privilege", "query", "user")),
        (8000, ("auth", "db.login_refused", "auth", "password")),
        (91, ("network", "db.shutting_down", "query", "host")),
        (13436, ("network", "db.no_primary", "query", "read_preference")),
        (262, ("unknown", "mongodb.262", "query", "user")),
    ],
)
def test_errors_of_the_server(monkeypatch: pytest.MonkeyPatch, code: int, expected: Told) -> None:
    """What the server says to a command after the login is told by its code."""
    answer = mongodb._Session.answer

    def failing(session: Any, command: dict[str, Any], database: str) -> dict[str, Any]:
        if "listDatabases" in command:
            return {"ok": 0.0, "errmsg": "no", "code": code, "codeName": "No"}
        return answer(session, command, database)

    monkeypatch.setattr(mongodb._Session, "answer", failing)
    with Mongodb() as server:
        assert told(check(server)) == expected


def test_replica_sets() -> None:
    """A replica set is found through any of its members, and one of another name is not taken."""
    with faults.refused() as down, Mongodb(replica_set="rs0") as server:
        found = check(server, replica_set="rs0")
        assert (found.ok, found.details["replica_set"]) == (True, "rs0")
        uri = URI.replace("@", f"@127.0.0.1:{down.port},") + "/?authSource=admin"
        assert told(check(server, **only(uri))) == ("ok", "", "", "")
        found = check(server, replica_set="rs1")
        assert told(found) == ("unknown", "db.replica_set", "config", "replica_set")
        assert found.details["remedy"] == "set `replica_set: rs0`"
    with faults.refused() as down, Mongodb() as server:
        uri = URI.replace("@", f"@127.0.0.1:{down.port},") + "/?authSource=admin"
        expected = ("network", "db.no_primary", "query", "uri")
        assert told(check(server, SHORT, **only(uri))) == expected


NOT_THERE: list[tuple[str, StartFault, Told]] = [
    ("refused", faults.refused, ("network", "tcp.refused", "tcp", "port")),
    ("black hole", faults.black_hole, ("timeout", "tcp.timeout", "tcp", "port")),
    ("mute", faults.mute, SILENT),
    ("half open", faults.half_open, SILENT),
    ("drip", partial(faults.drip, b"\x10\x10\0\0"), SILENT),
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
    """What is no MongoDB, or hangs, is named and ends in time."""
    with start() as server:
        assert told(check(server, SHORT)) == expected


@pytest.mark.inventory("S1-CONN010-02")
def test_a_server_that_resets_the_connection() -> None:
    """A reset is one whether it comes before the first byte is sent or after."""
    with faults.reset() as server:
        result = check(server, SHORT)
    assert result.category == "network"
    assert result.details["code"] in ("tcp.reset", "tcp.closed")


def context(certificates: Certificates, *, ask: bool = False) -> ssl.SSLContext:
    """The TLS of a server, which may ask for a client certificate."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificates.cert, certificates.key)
    if ask:
        made.load_verify_locations(certificates.ca)
        made.verify_mode = ssl.CERT_REQUIRED
    return made


@pytest.mark.inventory("S1-CONN017-01", "S1-CONN017-03")
def test_tls(certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TLS by fields and by URI, with a client certificate whose key is left nowhere."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ca: dict[str, Any] = {"ssl_ca": str(certificates.ca)}
    pair = {**ca, "ssl_cert": str(certificates.client_cert)}
    pair["ssl_key"] = str(certificates.client_key)
    with Mongodb(tls=context(certificates)) as server:
        for changes in (
            ca,
            {"ssl": True, "ssl_verify": False},
            only(f"{URI}/?tls=true&tlsCAFile={certificates.ca}"),
            only(f"{URI}/?tls=true&tlsAllowInvalidCertificates=true"),
            only(f"{URI}/?ssl=true&tlsAllowInvalidHostnames=true", **ca),
        ):
            result = check(server, **changes)
            assert (result.ok, result.details["tls"]) == (True, "TLSv1.3")
        assert told(check(server, ssl=True)) == ("network", "tls.untrusted", "tls", "ssl_ca")
    with Mongodb(tls=context(certificates, ask=True)) as server:
        assert told(check(server, **pair)) == ("ok", "", "", "")
        result = check(server, **ca)
        assert told(result) == ("network", "tcp.closed", "auth", "host")
        assert "`ssl_cert`" in result.details["remedy"]
    assert list(tmp_path.iterdir()) == []


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
        assert told(check(server, ssl_ca=str(certificates.ca))) == expected


def test_the_driver_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pymongo the check names the extra to install."""
    monkeypatch.setitem(sys.modules, "pymongo", None)
    result = CONNECTOR.examine({"host": "127.0.0.1"})
    assert told(result) == ("unknown", "dep.missing", "config", "")
    assert result.details["remedy"] == "install it with `pip install 'osiris-lsp[mongodb]'`"
