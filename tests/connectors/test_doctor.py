"""The doctor of a connections file, as a program uses it (seed 002)."""

import socket
import ssl
from pathlib import Path

import pytest
from pg8000.exceptions import DatabaseError
from pymysql.err import OperationalError

from osiris_lsp.connectors import (
    ConnectionDoctor,
    ConnectionResolver,
    ConnectorAuthError,
    UnknownAliasError,
    classify_error,
)
from tests.services.processes import Server

FILE = """\
version: 1
connections:
  mysql:
    main: {{host: 127.0.0.1, port: {port}, database: shop, user: reader, password: "${{PASSWORD}}"}}
    wrong: {{host: 127.0.0.1, port: {port}, database: shop, user: reader, password: c4n4ry-wrong}}
    unset: {{host: 127.0.0.1, port: {port}, database: shop, user: reader, password: "${{NONE}}"}}
  filesystem:
    here: {{base_dir: .}}
  supabase:
    gone: {{url: "http://127.0.0.1:1", key: c4n4ry-key}}
  carrier_pigeon:
    first: {{loft: north}}
"""


@pytest.fixture
def doctor(tmp_path: Path, mariadb: Server) -> ConnectionDoctor:
    """The doctor of the file above."""
    path = tmp_path / "osiris_connections.yaml"
    path.write_text(FILE.format(port=mariadb.port))
    environment = {"PASSWORD": mariadb.password}
    return ConnectionDoctor(ConnectionResolver(str(path), environment=environment))


@pytest.mark.inventory("S2-DOC-01", "S2-DOC-03", "S2-DOC-04", "S2-DOC-05")
def test_all_connections_by_reference(doctor: ConnectionDoctor) -> None:
    """Each by the connector of its family; a broken one stops no other; no secret comes out."""
    results = doctor.check_all()
    assert {ref: result.as_status()["status"] for ref, result in results.items()} == {
        "@mysql.main": "connected",
        "@mysql.wrong": "failed",
        "@mysql.unset": "error",
        "@filesystem.here": "connected",
        "@supabase.gone": "failed",
        "@carrier_pigeon.first": "unknown",
    }
    status = results["@mysql.main"].as_status()
    assert (status["database"], "MariaDB" in status["version"]) == ("shop", True)
    assert results["@carrier_pigeon.first"].as_status() == {
        "status": "unknown",
        "family": "carrier_pigeon",
    }
    assert "`NONE` is not set" in results["@mysql.unset"].as_status()["error"]
    assert "c4n4ry" not in repr(results)


@pytest.mark.inventory("S1-CONN012-03", "S1-CONN010-01", "S1-CONN010-03")
@pytest.mark.parametrize(
    ("error", "family", "category"),
    [
        (ConnectorAuthError("x"), "", "auth"),
        (PermissionError(13, "x"), "", "permission"),
        (TimeoutError(), "", "timeout"),
        (ConnectionRefusedError(111, "x"), "", "network"),
        (socket.gaierror(-2, "x"), "", "network"),
        (ssl.SSLCertVerificationError(1, "x"), "", "network"),
        (ValueError("x"), "", "unknown"),
        (OperationalError(1045, "x"), "", "unknown"),
        (OperationalError(1045, "x"), "mysql", "auth"),
        (OperationalError(1044, "x"), "mysql", "permission"),
        (OperationalError(1142, "x"), "mysql", "permission"),
        (DatabaseError({"C": "28P01"}), "postgres", "auth"),
        (DatabaseError({"C": "42501"}), "postgres", "permission"),
        (DatabaseError({"C": "3D000"}), "postgres", "unknown"),
    ],
)
def test_errors_are_classified_by_type_and_code(
    error: BaseException, family: str, category: str
) -> None:
    """A family knows the numbers of its driver; a text means nothing."""
    assert classify_error(error, family) == category


@pytest.mark.inventory("S2-DOC-02")
def test_one_connection(doctor: ConnectionDoctor) -> None:
    """By its reference, or by its family where that has one default."""
    assert doctor.check_connection("@filesystem.here").ok
    with pytest.raises(UnknownAliasError, match="Unknown alias: there in filesystem"):
        doctor.check_connection("@filesystem.there")
