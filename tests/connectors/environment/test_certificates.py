"""One TLS setting for HTTP and for databases, on real servers."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors import ConnectorConfigError, Environment, setup_ssl, ssl_context
from tests.services.certificates import Certificates
from tests.services.processes import Server


@pytest.mark.inventory("S0-CTX-06", "S0-TEST-05")
def test_what_the_variables_say(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Off, the authorities of the system, a file, and one in the home folder."""

    def found(**variables: str) -> Any:
        return setup_ssl(Environment(variables))

    system = {"success": True, "verify": True, "cert_path": None, "error": None}
    assert found() == system
    assert found(SSL_VERIFY="TRUE", SSL_CERT_PATH="") == system
    off = {**system, "verify": False}
    assert found(SSL_VERIFY="false") == off
    assert found(SSL_VERIFY="0", SSL_CERT_PATH="/no/such/file") == off
    ca = str(certificates.ca)
    assert found(SSL_CERT_PATH=ca) == {**system, "cert_path": ca}
    (tmp_path / "ca.pem").write_bytes(certificates.ca.read_bytes())
    monkeypatch.setenv("HOME", str(tmp_path))
    home = str(tmp_path / "ca.pem")
    assert found(SSL_CERT_PATH="~/ca.pem") == {**system, "cert_path": home}
    monkeypatch.chdir(tmp_path)
    assert found(SSL_CERT_PATH="ca.pem") == {**system, "cert_path": home}


@pytest.mark.inventory("S0-CTX-06", "S0-TEST-05")
def test_what_cannot_be_used(tmp_path: Path) -> None:
    """Certificates still count, nothing can be done with it, and the reason is told."""
    (tmp_path / "no.pem").write_text("no certificate")
    for variables, reason in (
        ({"SSL_CERT_PATH": "/no/such/file"}, "`SSL_CERT_PATH`: the file /no/such/file does not"),
        ({"SSL_CERT_PATH": str(tmp_path)}, f"`SSL_CERT_PATH`: the file {tmp_path} does not"),
        ({"SSL_CERT_PATH": str(tmp_path / "no.pem")}, "`SSL_CERT_PATH`: `cert_path` cannot be"),
        ({"SSL_VERIFY": "perhaps"}, "the value of `SSL_VERIFY` cannot be used"),
    ):
        found = setup_ssl(Environment(variables))
        assert (found["success"], found["verify"]) == (False, True)
        assert str(found["error"]).startswith(reason)
        with pytest.raises(ConnectorConfigError) as caught:
            ssl_context(found)
        assert (caught.value.field, str(found["error"]) in str(caught.value)) == (
            "ssl_config",
            True,
        )
    with pytest.raises(ConnectorConfigError, match="give the path of a PEM file"):
        ssl_context({"verify": True, "cert_path": "/no/such/file"})


def test_the_default_is_to_verify() -> None:
    """Also for a mapping that says nothing, and for one that says something odd."""
    for config in ({}, {"verify": None}, {"verify": "false"}):
        context = ssl_context(config)
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    context = ssl_context({"verify": False})
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


@pytest.mark.inventory("S0-CTX-04", "S0-SEC-04", "S0-TEST-05", "R-23")
def test_mariadb_is_encrypted(mariadb: Server, certificates: Certificates) -> None:
    """PyMySQL takes the context; the server names the cipher, and another authority is refused."""
    import pymysql

    def cipher(ca: Path) -> str:
        config = setup_ssl(Environment({"SSL_CERT_PATH": str(ca)}))
        connection = pymysql.connect(
            host="localhost",
            port=mariadb.port,
            user="tls_only",
            password=mariadb.password,
            ssl=ssl_context(config),
        )
        with connection, connection.cursor() as cursor:
            cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
            row = cursor.fetchone()
            assert row is not None
            return str(row[1])

    assert cipher(certificates.ca).startswith("TLS_")
    with pytest.raises(pymysql.err.OperationalError, match="CERTIFICATE_VERIFY_FAILED"):
        cipher(certificates.other_ca)


@pytest.mark.inventory("S0-CTX-04", "S0-SEC-04", "S0-TEST-05", "R-23")
def test_postgres_is_encrypted(postgres: Server, certificates: Certificates) -> None:
    """pg8000 takes the same; `pg_stat_ssl` says so, and another authority is refused."""
    import pg8000.exceptions
    import pg8000.native

    def encrypted(ca: Path) -> object:
        config = setup_ssl(Environment({"SSL_CERT_PATH": str(ca)}))
        connection = pg8000.native.Connection(
            "tls_only",
            host="localhost",
            port=postgres.port,
            database="shop",
            password=postgres.password,
            ssl_context=ssl_context(config),
        )
        try:
            rows = connection.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            return rows[0][0]
        finally:
            connection.close()

    assert encrypted(certificates.ca) is True
    with pytest.raises((ssl.SSLCertVerificationError, pg8000.exceptions.InterfaceError)):
        encrypted(certificates.other_ca)
