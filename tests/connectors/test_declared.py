"""The checks that a project declares for families of its own (`x-doctor`)."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors.connection import ResolvedConnection
from osiris_lsp.connectors.connector import with_replicas
from osiris_lsp.connectors.families import of_spec
from osiris_lsp.connectors.health import Check, Probe, examine
from osiris_lsp.connectors.result import DoctorResult
from osiris_lsp.specs import FamilySpec
from tests.connectors.families.sql import Told, told
from tests.doubles.faults import SILENT, status
from tests.doubles.rest import TOKEN, Rest, bearer
from tests.doubles.server import Server as HttpServer
from tests.services import faults
from tests.services.certificates import Certificates
from tests.services.processes import Server

FIELDS = {
    **{name: {"type": "string"} for name in ("host", "user", "database", "url", "path", "ssl_ca")},
    "port": {"type": "integer", "default": 8080},
    "token": {"type": "string", "writeOnly": True},
    "password": {"type": "string", "writeOnly": True},
}


def check(declared: Any, timeout: float = 5.0, **values: Any) -> DoctorResult:
    """Check a connection of the family `crm`, whose schema has this `x-doctor`."""
    schema: dict[str, Any] = {"properties": FIELDS}
    if declared is not None:
        schema["x-doctor"] = declared
    spec = FamilySpec(schema, "crm", builtin=False)

    def prepare(check: Check) -> Probe:
        check.connection = ResolvedConnection("crm", "main", values, spec=spec)
        return with_replicas(of_spec(spec))

    began = time.monotonic()
    result = examine(prepare, ("crm", "main"), timeout)
    assert time.monotonic() - began <= timeout + 0.5
    return result


HTTP = {
    "kind": "http",
    "url": "http://{host}:{port}/v1/health",
    "headers": {"Authorization": "Bearer {token}"},
}
OK = ("ok", "", "", "")


@pytest.mark.parametrize(
    ("declared", "code", "says"),
    [
        (None, "config.no_doctor", "`x-doctor`"),
        ("http", "config.doctor", "no mapping"),
        ({}, "config.doctor", "http, tcp, sqlalchemy"),
        ({"kind": "ping"}, "config.doctor", "http, tcp, sqlalchemy"),
        ({"kind": "http"}, "config.doctor", "needs `url`"),
        ({"kind": "tcp", "host": "{host}"}, "config.doctor", "needs `port`"),
        ({**HTTP, "header": {}}, "config.doctor", "did you mean `headers`?"),
        ({**HTTP, "headers": "Bearer {token}"}, "config.doctor", "`headers` of the wrong type"),
        ({**HTTP, "method": "DELETE"}, "config.doctor", "GET, HEAD, OPTIONS, POST"),
        ({**HTTP, "url": "http://{hots}/"}, "config.doctor", "did you mean `{host}`?"),
        ({**HTTP, "url": "http://{host/"}, "config.doctor", "brace"),
        ({**HTTP, "url": "http://{database}/"}, "config.missing_field", "`database`"),
        ({**HTTP, "url": "ftp://{host}/"}, "config.url", "HTTP"),
        ({"kind": "tcp", "host": "{host}", "port": "x"}, "config.range", "65535"),
        ({"kind": "sqlalchemy", "url": "sqlite:///{host}"}, "config.doctor", "create the file"),
        ({"kind": "sqlalchemy", "url": "nosuch://{host}"}, "dep.missing", "nosuch"),
    ],
)
def test_mistakes(declared: Any, code: str, says: str) -> None:
    """What is missing or wrong in `x-doctor` is named, and nothing is contacted."""
    result = check(declared, host="127.0.0.1", token="s3cr3t")
    assert (result.shown_category if code != "dep.missing" else "config") == "config"
    assert result.details["code"] == code
    assert says in result.details["cause"] + result.details["remedy"]


@pytest.mark.inventory("S1-CONN012-02")
def test_http() -> None:
    """One request with the declared headers, judged by its status."""
    with HttpServer(Rest(bearer())) as server:
        place: dict[str, Any] = {"host": server.host, "port": server.port}
        assert told(check(HTTP, **place, token=TOKEN)) == OK
        wrong = check(HTTP, **place, token="s3cr3t-wr0ng")
        assert told(wrong) == ("auth", "http.401", "auth", "token")
        assert "s3cr3t" not in repr(wrong)
        missing = {**HTTP, "url": "http://{host}:{port}/v2"}
        assert told(check(missing, **place, token=TOKEN))[1::2] == ("http.404", "host")
        assert told(check({**missing, "expect": [200, 404]}, **place, token=TOKEN)) == OK
        strict = check({**HTTP, "expect": [204]}, **place, token=TOKEN)
        assert told(strict) == ("unknown", "http.unexpected_status", "query", "host")
        server.next(status(429, 7))
        assert check(HTTP, **place, token=TOKEN).details["retry_after"] == 7
        server.always(SILENT)
        assert told(check(HTTP, 0.5, **place, token=TOKEN))[:2] == ("timeout", "auth.timeout")


@pytest.mark.parametrize(
    ("template", "values", "target"),
    [
        (
            "{url}/v1/{path}?q={user}",
            {"path": "a/b c", "user": "x&y=1"},
            "/v1/a%2Fb%20c?q=x%26y%3D1",
        ),
        ("http://{user}:{password}@{host}:{port}/", {"user": "a@b", "password": "/:@?"}, "/"),
        ("http://{host}:{port}/?q={{x}}", {}, "/?q=%7Bx%7D"),
    ],
)
def test_url_template(template: str, values: dict[str, str], target: str) -> None:
    """Values are percent-encoded in a URL, and cannot lead elsewhere."""
    with HttpServer(Rest()) as server:
        place: dict[str, Any] = {"host": server.host, "port": server.port, "url": f"{server.url}/"}
        check({"kind": "http", "url": template}, **{**place, **values})
        (request,) = server.requests
    assert request.target == target
    if "password" in values:
        assert request.basic == (values["user"], values["password"])


@pytest.mark.parametrize("host", ["good.example@127.0.0.1", "127.0.0.1/x?", "a b", ""])
def test_host_of_a_template(host: str) -> None:
    """What is no host never becomes a part of the address."""
    assert told(check(HTTP, host=host, token="t")) == ("unknown", "config.host", "config", "host")


def test_tcp(certificates: Certificates) -> None:
    """A connection, with a TLS handshake where it is declared."""
    declared = {"kind": "tcp", "host": "{host}", "port": "{port}"}
    place: dict[str, Any] = {"host": "127.0.0.1", "ssl_ca": str(certificates.ca)}
    with HttpServer(Rest()) as plain:
        assert told(check(declared, port=plain.port, **place)) == OK
    with faults.refused() as server:
        refused = check({**declared, "port": server.port}, **place)
        assert told(refused)[:3] == ("network", "tcp.refused", "tcp")
    secure = {**declared, "tls": True}
    with faults.tls(certificates) as server:
        result = check(secure, port=server.port, **place)
        assert (told(result), result.details["tls"]) == (OK, "TLSv1.3")
    with faults.tls(certificates, "expired") as server:
        assert told(check(secure, port=server.port, **place))[1] == "tls.expired"
    with faults.tls_stall() as server:
        assert told(check(secure, 0.5, port=server.port, **place))[1] == "tls.timeout"


LOGIN = "{user}:{password}@{host}:{port}/{database}"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, OK),
        ({"password": "wr0ng"}, ("auth", "db.login_refused", "auth", "password")),
        ({"database": "shopp"}, ("", "", "query", "database")),
        ({"port": 1}, ("network", "tcp.refused", "tcp", "port")),
    ],
)
def test_sqlalchemy_of_ours(
    mariadb: Server, postgres: Server, changes: dict[str, Any], expected: Told
) -> None:
    """MySQL and PostgreSQL are checked as those families are."""
    for dialect, server in (("mysql+pymysql", mariadb), ("postgresql+psycopg2", postgres)):
        place: dict[str, Any] = {
            "host": server.host,
            "port": server.port,
            "database": "shop",
            "user": "reader",
        }
        values = {**place, "password": server.password, **changes}
        result = check({"kind": "sqlalchemy", "url": f"{dialect}://{LOGIN}"}, **values)
        assert told(result)[2:] == expected[2:]
        assert not expected[0] or told(result) == expected
        assert values["password"] not in repr(result)


def test_sqlalchemy_of_others(tmp_path: Path) -> None:
    """Another driver runs in a process of its own, read-only, and tells only types and codes."""
    declared = {"kind": "sqlalchemy", "url": "sqlite:///file:{path}?mode=ro&uri=true"}
    path = tmp_path / "s3cr3t.db"
    missing = check(declared, path=str(path))
    assert told(missing) == ("unknown", "db.SQLITE_CANTOPEN", "auth", "path")
    assert missing.message == "Error: OperationalError"
    assert not path.exists()
    sqlite3.connect(path).close()
    found = check(declared, path=str(path))
    assert told(found) == OK
    assert found.details["server_version"].startswith("3.")
    late = check(declared, 0.05, path=str(path))
    assert told(late) == ("timeout", "auth.timeout", "auth", "path")
