"""Connections as they may be shown: masked fields, DSNs and mappings."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_lsp.connectors import (
    ConnectionResolver,
    ResolvedConnection,
    build_dsn,
    build_dsn_redacted,
    mask_connection_config,
    redacted_url,
)
from osiris_lsp.connectors.display import MASKED, public_fields, shown_fields
from osiris_lsp.specs import Families

SECRETS = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]),
    min_size=5,
    max_size=20,
).filter(lambda text: not set(text) <= set("*MASKED ${}"))


@pytest.mark.inventory("S2-SEC-01", "S2-SEC-02")
def test_a_mapping_is_masked_in_a_copy() -> None:
    """By schema and by name, in nested maps and lists; a key that sorts is no secret."""
    config: dict[str, Any] = {
        "host": "h",
        "password": "pw-1",
        "key": "k-1",
        "token": "t-1",
        "secret": "s-1",
        "sort_key": "id",
        "monkey": "george",
        "dsn": "mysql://u:pw-2@h/d",
        "nested": {"client_secret": "s-2", "list": [{"passphrase": "p-3"}]},
        "url": "https://ann:pw-4@example.com/x",
        "variable": "${PW}",
    }
    before = repr(config)
    assert mask_connection_config(config) == {
        "host": "h",
        "password": MASKED,
        "key": MASKED,
        "token": MASKED,
        "secret": MASKED,
        "sort_key": "id",
        "monkey": "george",
        "dsn": MASKED,
        "nested": {"client_secret": MASKED, "list": [{"passphrase": MASKED}]},
        "url": MASKED,
        "variable": "${PW}",
    }
    assert repr(config) == before
    supabase = mask_connection_config({"password": "${PW}", "username": "u"}, "mysql")
    assert supabase == {"password": "${PW}", "username": "u"}


@pytest.mark.inventory("S1-CONN011-03", "S1-CONN016-01", "S1-CONN016-02", "S1-CONN016-03")
@pytest.mark.parametrize(
    ("conn", "dsn", "redacted"),
    [
        (
            {"host": "h", "port": 3307, "database": "d", "user": "u", "password": "p"},
            "mysql://u:p@h:3307/d",
            "mysql://***@h:3307/d",
        ),
        (
            {"user": "a@b", "password": "p@ss/w:rd#1%", "database": "d"},
            "mysql://a%40b:p%40ss%2Fw%3Ard%231%25@localhost:3306/d",
            "mysql://***@localhost:3306/d",
        ),
        (
            {"family": "postgres", "host": "::1", "user": "u", "database": "d"},
            "postgresql://u@[::1]:5432/d",
            "postgresql://***@[::1]:5432/d",
        ),
    ],
)
def test_connection_strings(conn: dict[str, Any], dsn: str, redacted: str) -> None:
    """Special characters survive; host and port have the defaults of the family."""
    assert build_dsn(conn) == dsn
    assert build_dsn_redacted(conn) == redacted
    resolved = ResolvedConnection(str(conn.get("family", "mysql")), "x", conn)
    assert (build_dsn(resolved), build_dsn_redacted(resolved)) == (dsn, redacted)


@pytest.mark.inventory("S1-CONN011-03")
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mysql://u:p@h/d", "mysql://***@h/d"),
        ("mysql+pymysql://u:p@ss@h:1/d", "mysql+pymysql://***@h:1/d"),
        ("mysql://u:p#s/s@h/d", "mysql://***@h/d"),
        ("postgres://:p@[::1]:5432/d?sslmode=require", "postgres://***@[::1]:5432/d"),
        ("https://h/p?api_key=c4n4ry", "https://h/p"),
        ("host=h password=c4n4ry", "host=h password=***"),
        ("https://h/p", "https://h/p"),
    ],
)
def test_urls_lose_their_credentials(url: str, expected: str) -> None:
    """The query goes too, for it may hold a key."""
    assert redacted_url(url) == expected


@given(SECRETS.map(lambda text: f"c4n{text}"))
def test_no_secret_passes_any_of_them(secret: str) -> None:
    """Raw or encoded, in every secret field of every family."""
    families = Families()
    for name, spec in families.items():
        fields: dict[str, Any] = {"headers": {"X-Key": secret}}
        fields.update({field.name: secret for field in spec.fields.values() if field.secret})
        connection = ResolvedConnection(name, "x", {**fields, "host": "h"})
        shown = repr(connection) + repr(mask_connection_config({**fields, "family": name}))
        shown += repr(dict(connection)) + build_dsn_redacted(connection)
        assert secret not in shown.replace(MASKED, "").replace("Secret(***)", "")


FILE = """\
version: 1
connections:
  mysql:
    default:
      host: ${DB_HOST:-localhost}
      port: ${DB_PORT}
      database: shop
      user: ${DB_USER}
      password: c4n4ry
      ssl: {ca: certs/ca.pem}
      default: true
  shopify:
    main:
      shop_domain: mystore.myshopify.com
      access_token: ${SHOPIFY_ACCESS_TOKEN}
      api_version: "2024-01"
  api:
    main:
      base_url: https://u:c4n4ry@api.example.com
      headers: {X-Key: "Bearer ${API_KEY}"}
      auth: {type: bearer, token: "${vault:app#token}"}
"""


@pytest.fixture
def resolver(tmp_path: Path) -> ConnectionResolver:
    """The resolver of the file above."""
    path = tmp_path / "osiris_connections.yaml"
    path.write_text(FILE)
    (tmp_path / ".env").write_text("DB_USER=ann\nAPI_KEY=c4n4ry\n")
    return ConnectionResolver(str(path), environment={"DB_PORT": "3307"})


@pytest.mark.inventory("S1-CONN021-02", "S1-CONN021-03", "S1-CONN021-04")
def test_the_list_has_only_what_the_schema_calls_public(resolver: ConnectionResolver) -> None:
    """The example of CONN-021; `default` is there only where it is true."""
    entries = resolver.document.connections
    assert [public_fields(resolver, entry) for entry in entries] == [
        {
            "family": "mysql",
            "alias": "default",
            "host": "localhost",
            "database": "shop",
            "default": True,
        },
        {
            "family": "shopify",
            "alias": "main",
            "shop_domain": "mystore.myshopify.com",
            "api_version": "2024-01",
        },
        {"family": "api", "alias": "main"},
    ]


def test_each_value_is_shown_with_its_source(resolver: ConnectionResolver) -> None:
    """Secrets are masked, stores are not asked, and variables without value are told apart."""
    shown = {
        f"{entry}.{field.name}": (field.value, [(o.kind, o.name) for o in field.origins])
        for entry in resolver.document.connections
        for field in shown_fields(resolver, entry)
    }
    assert shown == {
        "@mysql.default.host": ("localhost", [("default", "DB_HOST")]),
        "@mysql.default.port": ("3307", [("environment", "DB_PORT")]),
        "@mysql.default.database": ("shop", [("literal", "")]),
        "@mysql.default.user": ("ann", [(".env", "DB_USER")]),
        "@mysql.default.password": (MASKED, [("literal", "")]),
        "@mysql.default.ssl.ca": ("certs/ca.pem", [("literal", "")]),
        "@shopify.main.shop_domain": ("mystore.myshopify.com", [("literal", "")]),
        "@shopify.main.access_token": (
            "${SHOPIFY_ACCESS_TOKEN}",
            [("unset", "SHOPIFY_ACCESS_TOKEN")],
        ),
        "@shopify.main.api_version": ("2024-01", [("literal", "")]),
        "@api.main.base_url": ("https://u:***@api.example.com", [("literal", "")]),
        "@api.main.headers.X-Key": (MASKED, [("literal", ""), (".env", "API_KEY")]),
        "@api.main.auth.type": ("bearer", [("literal", "")]),
        "@api.main.auth.token": ("${vault:app#token}", [("vault", "app#token")]),
    }
