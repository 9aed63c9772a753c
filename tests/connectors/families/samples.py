"""A connection of every kind that a family knows, each with secrets that must not be seen again."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

CANARY = 'c4n4ry/+?p@ss"&%zz'
QUOTED = quote(CANARY, safe="")
USER = "reporting"

DATABASES = ("mongodb", "mysql", "postgres", "redis")
FILES = ("duckdb", "filesystem", "sqlite")


@dataclass(frozen=True)
class Sample:
    """The fields of one connection; `name` tells it from others of its family."""

    family: str
    name: str
    fields: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.family} ({self.name})"

    @property
    def opening(self) -> str:
        """The database whose way to begin TLS it has; empty where TLS comes first."""
        family = "postgres" if self.name == "pg_dsn" else self.family
        return family if family in ("mysql", "postgres") else ""


def forms() -> frozenset[str]:
    """What the canary looks like on its way: as it is, quoted, escaped, encoded."""
    raw = CANARY.encode()
    pairs = (raw, f":{CANARY}".encode(), f"{USER}:{CANARY}".encode())
    return frozenset(
        {
            *(CANARY, quote(CANARY), QUOTED, quote_plus(CANARY)),
            *(json.dumps(CANARY)[1:-1], repr(CANARY)[1:-1]),
            *(base64.b64encode(pair).decode().rstrip("=") for pair in pairs),
            *(base64.urlsafe_b64encode(pair).decode().rstrip("=") for pair in pairs),
        }
    )


@cache
def private_key() -> str:
    """A key as the families that log in by one want it; a small one, as it is loaded often."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem.decode()


def files(folder: Path) -> Iterator[Sample]:
    """Connections to what is in no folder of this machine."""
    yield Sample("duckdb", "file", {"path": str(folder / "nowhere" / "x.duckdb")})
    yield Sample("sqlite", "file", {"path": str(folder / "nowhere" / "x.sqlite")})
    yield Sample("filesystem", "folder", {"base_dir": str(folder / "nowhere")})
    yield Sample("local_docs", "folder", {"root": str(folder / "nowhere")})
    yield Sample("sql", "file", {"dsn": f"sqlite:///{folder}/nowhere/x.sqlite"})


def all_samples(port: int, ca: Path | None = None) -> Iterator[Sample]:
    """Connections to a port of this machine; by TLS where the file of an authority is given."""
    yield from databases(port, ca)
    yield from vendors(f"http{'s' if ca else ''}://127.0.0.1:{port}")
    yield from evidence(f"http{'s' if ca else ''}://127.0.0.1:{port}")
    fixed = {"shop_domain": f"127.0.0.1:{port}", "access_token": CANARY, "api_version": "2026-10"}
    yield Sample("shopify", "token", fixed)
    account = {"account": "acme", "host": "127.0.0.1", "port": port, "user": USER}
    yield Sample("snowflake", "password", {**account, "password": CANARY})
    yield Sample("snowflake", "token", {**account, "token": CANARY, "authenticator": "oauth"})
    yield Sample("snowflake", "key", {**account, "private_key": private_key()})


def databases(port: int, ca: Path | None) -> Iterator[Sample]:
    """Connections of families that have a protocol of their own."""
    tls = {"ssl": True, "ssl_ca": str(ca)} if ca else {}
    address = {"host": "127.0.0.1", "port": port, "user": USER, "password": CANARY, **tls}
    for family in DATABASES:
        yield Sample(family, "fields", {**address, "database": "shop"})
    login = f"{USER}:{QUOTED}@127.0.0.1:{port}"
    yield Sample("mysql", "dsn", {"dsn": f"mysql://{login}/shop", **tls})
    yield Sample("postgres", "dsn", {"dsn": f"postgresql://{login}/shop", **tls})
    text = f"host=127.0.0.1 port={port} dbname=shop user={USER} password='{CANARY}'"
    yield Sample("postgres", "pairs", {"dsn": text, **tls})
    yield Sample("mongodb", "uri", {"uri": f"mongodb://{login}/shop", **tls})
    yield Sample("redis", "url", {"url": f"redis{'s' if ca else ''}://{login}/0", **tls})
    pg_dsn = f"postgresql://{login}/shop" + (f"?sslmode=verify-full&sslrootcert={ca}" if ca else "")
    yield Sample("supabase", "pg_dsn", {"pg_dsn": pg_dsn})
    yield Sample("sql", "pg_dsn", {"dsn": pg_dsn})
    if ca is None:
        yield Sample("sql", "mysql", {"dsn": f"mysql://{login}/shop"})


def vendors(url: str) -> Iterator[Sample]:
    """Connections of families that speak HTTP, wherever they are."""
    base = {"base_url": f"{url}/v1"}
    yield Sample("api", "api_key", {**base, "api_key": CANARY, "params": {"token": CANARY}})
    yield Sample("api", "headers", {**base, "headers": {"Authorization": f"Bearer {CANARY}"}})
    yield Sample("api", "url", {"base_url": f"{url}/v1".replace("://", f"://{USER}:{QUOTED}@")})
    kinds: Mapping[str, Mapping[str, Any]] = {
        "bearer": {"token": CANARY},
        "basic": {"username": USER, "password": CANARY},
        "custom": {"custom_headers": {"X-Key": CANARY}, "custom_params": {"key": CANARY}},
        "oauth2": {"token_url": url, "client_id": USER, "client_secret": CANARY},
    }
    for kind, more in kinds.items():
        yield Sample("api", kind, {**base, "auth": {"type": kind, **more}})
    proxy = url.replace("https:", "http:").replace("://", f"://{USER}:{QUOTED}@")
    yield Sample("api", "proxy", {"base_url": url, "proxy": proxy})
    yield Sample("graphql", "token", {"endpoint": url, "auth_token": CANARY})
    yield Sample("graphql", "headers", {"endpoint": url, "headers": {"X-Key": CANARY}})
    client = {"token_url": url, "client_id": USER, "client_secret": CANARY}
    yield Sample("oauth", "client", client)
    yield Sample("oauth", "refresh", {**client, "refresh_token": CANARY})
    yield Sample("openai", "key", {"base_url": url, "api_key": CANARY})
    own = {"region": "self_hosted", "custom_base_url": url}
    yield Sample("posthog", "key", {**own, "project_id": "1", "api_key": CANARY})
    hook = {"base_url": url, "webhook_secret": CANARY}
    yield Sample("stripe", "key", {**hook, "secret_key": CANARY})
    yield Sample("hubspot", "token", {**hook, "access_token": CANARY})
    yield Sample("pagerduty", "key", {**hook, "api_key": CANARY})
    app = {"integration_key": "0a09f94b", "user_id": "3af994a5", "account_id": "1978465f"}
    yield Sample("docusign", "key", {**hook, **app, "oauth_url": url, "private_key": private_key()})
    for field in ("service_role_key", "anon_key", "key"):
        yield Sample("supabase", field, {"url": url, field: CANARY})
    key = {
        "type": "service_account", "client_email": "a@b.iam.gserviceaccount.com",
        "token_uri": f"{url}/token", "private_key": private_key(), "private_key_id": CANARY,
    }  # fmt: skip
    project = {"project_id": "acme", "api_endpoint": url}
    yield Sample("bigquery", "text", {**project, "credentials_json": json.dumps(key)})
    yield Sample("bigquery", "mapping", {**project, "credentials_json": key})


def evidence(url: str) -> Iterator[Sample]:
    """Connections to sources of evidence that speak HTTP."""
    keys = {
        "github": {"token": CANARY},
        "newsapi": {"api_key": CANARY},
        "twitter": {"bearer_token": CANARY},
        "web": {"api_key": CANARY},
        "whisper": {"api_key": CANARY, "root": "."},
        "reddit": {"client_id": USER, "client_secret": CANARY, "token_url": f"{url}/token"},
    }
    for family, fields in keys.items():
        yield Sample(family, "key", {"base_url": url, **fields})
    for family in ("arxiv", "hackernews", "wikipedia"):
        yield Sample(family, "open", {"base_url": url})
    yield Sample("sec", "open", {"base_url": url, "user_agent": "Example a@example.com"})
