"""The TLS settings of a configuration, as seed 002 writes them."""

from typing import Any

import pg8000.native as postgres_driver
import pymysql.connections as mysql_driver
import pytest

from osiris_lsp.connectors import configure_ssl
from osiris_lsp.connectors.families import mysql
from osiris_lsp.connectors.families import postgres as postgresql
from osiris_lsp.connectors.tls import CA_BUNDLE
from tests.services import faults
from tests.services.certificates import Certificates, Kind
from tests.services.processes import Server


@pytest.mark.inventory("S2-SEC-03")
def test_only_where_it_is_required() -> None:
    """What was given stays as it is; the system's certificates count where no other are named."""
    for off in ({}, {"require_ssl": False}, {"ssl": False, "ssl_ca": "/ca.pem"}):
        assert configure_ssl(off) == off
    given: dict[str, Any] = {"host": "db", "require_ssl": True}
    assert configure_ssl(given) == {
        **given,
        "ssl": {"ca": CA_BUNDLE, "verify_cert": True, "verify_identity": True},
    }
    assert "ssl" not in given
    assert configure_ssl({**given, "ssl_ca": "/ca.pem"})["ssl"]["ca"] == "/ca.pem"


def _checked(port: int, ca: object, **fields: Any) -> tuple[str, Any]:
    fixed = {"host": "localhost", "port": port, "require_ssl": True, "ssl_ca": str(ca)}
    config = {"user": "reader", "password": "x", **fixed, **fields}
    result = mysql.CONNECTOR.examine(configure_ssl(config))
    return str(result.details.get("code", "ok")), result.details.get("tls")


@pytest.mark.inventory("S2-SEC-04", "S1-CONN017-03", "R-23")
def test_the_right_server_is_trusted(mariadb: Server, certificates: Certificates) -> None:
    """And only by the authority that is named."""
    given = {"password": mariadb.password, "database": "shop"}
    assert _checked(mariadb.port, certificates.ca, **given) == ("ok", "TLSv1.3")
    assert _checked(mariadb.port, certificates.other_ca, **given)[0] == "tls.untrusted"


@pytest.mark.inventory("S0-SEC-04", "S1-CONN017-01", "S1-CONN017-04")
@pytest.mark.parametrize("ssl", [True, False])
def test_servers_say_whether_a_session_is_encrypted(
    mariadb: Server,
    postgres: Server,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    ssl: bool,
) -> None:
    """Asked within the sessions of checks: `Ssl_cipher` and `pg_stat_ssl`."""
    said: list[str] = []
    select_db, close = mysql_driver.Connection.select_db, postgres_driver.Connection.close

    def select_db_and_ask(self: Any, name: str) -> None:
        with self.cursor() as cursor:
            cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
            said.append(cursor.fetchone()[1])
        select_db(self, name)

    def ask_and_close(self: Any) -> None:
        ((cipher,),) = self.run(
            "SELECT coalesce(cipher, '') FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        )
        said.append(cipher)
        close(self)

    monkeypatch.setattr(mysql_driver.Connection, "select_db", select_db_and_ask)
    monkeypatch.setattr(postgres_driver.Connection, "close", ask_and_close)
    tls = {"ssl": ssl, "ssl_ca": str(certificates.ca)}
    for connector, server in ((mysql.CONNECTOR, mariadb), (postgresql.CONNECTOR, postgres)):
        fixed = {"host": "localhost", "port": server.port, "database": "shop", "user": "reader"}
        assert connector.examine({**fixed, "password": server.password, **tls}).ok
    assert [cipher.startswith("TLS_") for cipher in said] == [ssl, ssl]
    assert [cipher == "" for cipher in said] == [not ssl, not ssl]


@pytest.mark.inventory("S2-SEC-04", "R-23")
@pytest.mark.parametrize(
    ("kind", "code"), [("wrong_host", "tls.hostname"), ("expired", "tls.expired")]
)
def test_another_server_is_not(certificates: Certificates, kind: Kind, code: str) -> None:
    """Its host and its dates are verified, too."""
    with faults.tls(certificates, kind, opening=faults.MYSQL) as server:
        assert _checked(server.port, certificates.ca)[0] == code
