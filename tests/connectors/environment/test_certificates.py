"""One TLS setting for HTTP and for databases, on real servers."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pg8000.exceptions
import pg8000.native
import pymysql
import pytest

from osiris_lsp.connectors import ConnectorConfigError, Environment, setup_ssl, ssl_context
from tests.connectors.environment.provider import Provide
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
    """Also for a mapping that says nothing; a text is the path of authorities."""
    for config in ({}, {"verify": None}):
        context = ssl_context(config)
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    with pytest.raises(ConnectorConfigError, match="the file false does not exist"):
        ssl_context({"verify": "false"})
    context = ssl_context({"verify": False})
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


def mariadb_cipher(server: Server, config: Mapping[str, Any]) -> str:
    """What MariaDB says about a connection of PyMySQL."""
    connection = pymysql.connect(
        host="localhost",
        port=server.port,
        user="tls_only",
        password=server.password,
        ssl=ssl_context(config),
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
        row = cursor.fetchone()
        assert row is not None
        return str(row[1])


def postgres_encrypted(server: Server, config: Mapping[str, Any]) -> object:
    """What PostgreSQL says about a connection of pg8000."""
    connection = pg8000.native.Connection(
        "tls_only",
        host="localhost",
        port=server.port,
        database="shop",
        password=server.password,
        ssl_context=ssl_context(config),
    )
    try:
        rows = connection.run("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        return rows[0][0]
    finally:
        connection.close()


@pytest.mark.inventory("S0-CTX-04", "S0-SEC-04", "S0-TEST-05", "S0-CTX-01", "R-23")
def test_one_setting_for_all(
    mariadb: Server, postgres: Server, provide: Provide, certificates: Certificates
) -> None:
    """PyMySQL, pg8000 and httpx2 take it; servers say that they are encrypted, or are refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates.pair("good"))
    provider = provide(tls=context)
    config = setup_ssl(Environment({"SSL_CERT_PATH": str(certificates.ca)}))
    assert mariadb_cipher(mariadb, config).startswith("TLS_")
    assert postgres_encrypted(postgres, config) is True
    assert provider.authenticator().setup_authentication(config).success
    other = setup_ssl(Environment({"SSL_CERT_PATH": str(certificates.other_ca)}))
    with pytest.raises(pymysql.err.OperationalError, match="CERTIFICATE_VERIFY_FAILED"):
        mariadb_cipher(mariadb, other)
    with pytest.raises((ssl.SSLCertVerificationError, pg8000.exceptions.InterfaceError)):
        postgres_encrypted(postgres, other)
    refused = provider.authenticator().setup_authentication(other)
    assert refused.failure is not None
    assert refused.failure.code == "tls.untrusted"
