"""Consent: what it covers, what makes it void, and where it is kept."""

import os
import stat
from pathlib import Path

import pytest

from osiris_lsp.connectors import ConnectionResolver, TrustStore, consent_of
from osiris_lsp.documents import Connection

FILE = """\
version: 1
connections:
  mysql:
    main:
      host: ${DB_HOST:-db.example.com}
      port: 3307
      database: ${AWS_SECRET_ACCESS_KEY}
      user: ann
      password: ${PW:-c4n4ry}
      ssl_ca: certs/ca.pem
      replicas: [r1.example.com, {host: r2.example.com}]
      description: the shop
  api:
    main:
      base_url: https://bob:c4n4ry@api.example.com/v1
      proxy: http://proxy.example.com:3128
      auth: {type: oauth2, token_url: "https://login.example.com/t", client_id: a,
             client_secret: "${vault:app#secret}"}
  openai:
    main: {api_key: "${OPENAI_API_KEY}"}
  mongodb:
    main: {uri: "mongodb://ann:c4n4ry@m1.example.com,m2.example.com/x?tls=true"}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A connections file."""
    found = tmp_path / "osiris_connections.yaml"
    found.write_text(FILE)
    return found


def _entry(path: Path, reference: str) -> Connection:
    return ConnectionResolver(str(path), environment={}).find(reference)


def test_consent_covers_every_destination_and_every_reference(path: Path) -> None:
    """As they are written: nothing is resolved, and secrets that are written out are masked."""
    mysql = consent_of(_entry(path, "@mysql.main"))
    assert mysql.destinations == (
        ("host", "${DB_HOST:-db.example.com}"),
        ("port", "3307"),
        ("replicas[0]", "r1.example.com"),
        ("replicas[1].host", "r2.example.com"),
    )
    assert mysql.tls == (("ssl_ca", "certs/ca.pem"),)
    assert mysql.references == (
        "${AWS_SECRET_ACCESS_KEY}",
        "${DB_HOST:-db.example.com}",
        "${PW:-***}",
    )
    api = consent_of(_entry(path, "@api.main"))
    assert api.destinations == (
        ("base_url", "https://bob:***@api.example.com/v1"),
        ("proxy", "http://proxy.example.com:3128"),
        ("auth.token_url", "https://login.example.com/t"),
    )
    assert api.references == ("${vault:app#secret}",)
    openai = consent_of(_entry(path, "@openai.main"))
    assert openai.destinations == (("base_url", "https://api.openai.com/v1"),)
    mongodb = consent_of(_entry(path, "@mongodb.main"))
    assert mongodb.destinations[0][0] == "uri"
    assert "m1.example.com" in mongodb.destinations[0][1]
    assert "c4n4ry" not in repr((mysql, api, openai, mongodb))


@pytest.mark.parametrize(
    ("before", "after", "holds"),
    [
        ("the shop", "the big shop", True),
        ("user: ann", "user: ann # hi", True),
        ("3307", "3308", False),
        ("db.example.com}", "evil.example.com}", False),
        ("r2.example.com", "evil.example.com", False),
        ("${PW:", "${AWS_SESSION_TOKEN:", False),
        ("certs/ca.pem", "certs/other.pem", False),
        ("user: ann", "user: ${GITHUB_TOKEN}", False),
        ("user: ann", "user: ann\n      ssl_verify: false", False),
    ],
)
def test_a_change_of_what_was_allowed_asks_again(
    path: Path, tmp_path: Path, before: str, after: str, holds: bool
) -> None:
    """Destinations, TLS settings and references count; all else does not."""
    store = TrustStore(str(tmp_path / "trust"))
    assert not store.is_trusted(str(path), _entry(path, "@mysql.main"))
    store.trust(str(path), _entry(path, "@mysql.main"))
    assert store.is_trusted(str(path), _entry(path, "@mysql.main"))
    path.write_text(FILE.replace(before, after))
    changed = _entry(path, "@mysql.main")
    assert store.is_trusted(str(path), changed) is holds
    assert store.changed(str(path), changed) is not holds


def test_consent_is_for_one_connection_of_one_file(path: Path, tmp_path: Path) -> None:
    """The same text elsewhere is another connection; taking back works once."""
    store = TrustStore(str(tmp_path / "trust"))
    store.trust(str(path), _entry(path, "@mysql.main"))
    other = tmp_path / "clone" / "osiris_connections.yaml"
    other.parent.mkdir()
    other.write_text(FILE)
    assert not store.is_trusted(str(other), _entry(other, "@mysql.main"))
    assert not store.is_trusted(str(path), _entry(path, "@api.main"))
    assert store.revoke(str(path), "@mysql.main")
    assert not store.revoke(str(path), "@mysql.main")
    assert not store.is_trusted(str(path), _entry(path, "@mysql.main"))


def test_the_store_is_for_its_owner_only_and_holds_no_secret(path: Path, tmp_path: Path) -> None:
    """Mode 0600 in a folder of mode 0700; a broken record counts as none."""
    store = TrustStore(str(tmp_path / "trust"))
    for reference in ("@mysql.main", "@api.main", "@mongodb.main"):
        store.trust(str(path), _entry(path, reference))
    assert stat.S_IMODE(os.stat(store.folder).st_mode) == 0o700
    names = sorted((tmp_path / "trust").iterdir())
    assert {stat.S_IMODE(name.stat().st_mode) for name in names} == {0o600}
    assert not any("c4n4ry" in name.read_text() for name in names)
    assert [record["ref"] for record in store.records()] == [
        "@api.main",
        "@mongodb.main",
        "@mysql.main",
    ]
    for name in names:
        name.write_text("{")
    assert not store.is_trusted(str(path), _entry(path, "@mysql.main"))
    assert list(store.records()) == []
