"""The example project with every family: it lints clean, and its doctor runs against servers."""

import json
import re
import shutil
import sqlite3
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from osiris_lsp.cli import lint
from osiris_lsp.cli.connections import doctor
from osiris_lsp.discovery import find_root
from osiris_lsp.specs import Families
from tests.doubles import (
    docusign,
    google,
    graphql,
    hubspot,
    keyed_sources,
    mongodb,
    oauth,
    open_sources,
    openai,
    pagerduty,
    posthog,
    rest,
    shopify,
    snowflake,
    stripe,
    supabase,
)
from tests.doubles.messages import Double
from tests.doubles.server import Server as HttpServer
from tests.services.certificates import Certificates
from tests.services.processes import Server

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "all-connections"

Values = Mapping[str, str]

HTTP: dict[str, tuple[Callable[[], Double], Callable[[str], Values]]] = {
    "api": (
        lambda: rest.Rest(rest.header_key()),
        lambda url: {"API_URL": f"{url}/v1", "API_KEY": rest.API_KEY},
    ),
    "bigquery": (
        google.Google,
        lambda url: {
            "BIGQUERY_URL": url,
            "BIGQUERY_PROJECT": google.PROJECT_ID,
            "BIGQUERY_KEY_FILE": "secrets/bigquery.json",
        },
    ),
    "docusign": (
        docusign.DocuSign,
        lambda url: {
            "DOCUSIGN_URL": url,
            "DOCUSIGN_OAUTH_URL": url,
            "DOCUSIGN_INTEGRATION_KEY": docusign.INTEGRATION_KEY,
            "DOCUSIGN_USER_ID": docusign.USER_ID,
            "DOCUSIGN_ACCOUNT_ID": docusign.ACCOUNT_ID,
            "DOCUSIGN_KEY_FILE": "secrets/docusign.pem",
        },
    ),
    "graphql": (
        lambda: graphql.Graphql(rest.bearer((graphql.TOKEN,))),
        lambda url: {"GRAPHQL_URL": f"{url}/graphql", "GRAPHQL_TOKEN": graphql.TOKEN},
    ),
    "hubspot": (
        hubspot.HubSpot,
        lambda url: {"HUBSPOT_URL": url, "HUBSPOT_ACCESS_TOKEN": hubspot.TOKEN},
    ),
    "oauth": (
        oauth.TokenServer,
        lambda url: {
            "OAUTH_TOKEN_URL": f"{url}/oauth/token",
            "OAUTH_CLIENT_ID": oauth.CLIENT_ID,
            "OAUTH_CLIENT_SECRET": oauth.CLIENT_SECRET,
        },
    ),
    "openai": (
        openai.Openai,
        lambda url: {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": openai.API_KEY},
    ),
    "pagerduty": (
        pagerduty.PagerDuty,
        lambda url: {"PAGERDUTY_URL": url, "PAGERDUTY_API_KEY": pagerduty.API_KEY},
    ),
    "posthog": (
        posthog.Posthog,
        lambda url: {"POSTHOG_URL": url, "POSTHOG_API_KEY": posthog.PERSONAL_KEY},
    ),
    "shopify": (
        shopify.Shopify,
        lambda url: {
            "SHOPIFY_DOMAIN": url.removeprefix("https://"),
            "SHOPIFY_TOKEN": shopify.ACCESS_TOKEN,
        },
    ),
    "snowflake": (
        snowflake.Snowflake,
        lambda url: {
            "SNOWFLAKE_ACCOUNT": snowflake.ACCOUNT,
            "SNOWFLAKE_HOST": "127.0.0.1",
            "SNOWFLAKE_PORT": url.rpartition(":")[2],
            "SNOWFLAKE_USER": snowflake.USER,
            "SNOWFLAKE_PASSWORD": snowflake.PASSWORD,
        },
    ),
    "stripe": (
        stripe.Stripe,
        lambda url: {"STRIPE_URL": url, "STRIPE_SECRET_KEY": stripe.SECRET_KEY},
    ),
    "supabase": (
        supabase.Supabase,
        lambda url: {
            "SUPABASE_URL": url,
            "SUPABASE_SERVICE_ROLE_KEY": supabase.SERVICE_ROLE_KEY,
        },
    ),
    "arxiv": (lambda: open_sources.arxiv, lambda url: {"ARXIV_URL": url}),
    "github": (
        lambda: keyed_sources.github,
        lambda url: {"GITHUB_URL": url, "GITHUB_TOKEN": keyed_sources.TOKEN},
    ),
    "hackernews": (lambda: open_sources.hackernews, lambda url: {"HACKERNEWS_URL": url}),
    "newsapi": (
        lambda: keyed_sources.newsapi,
        lambda url: {"NEWSAPI_URL": url, "NEWSAPI_KEY": keyed_sources.KEY},
    ),
    "reddit": (
        keyed_sources.Reddit,
        lambda url: {
            "REDDIT_URL": url,
            "REDDIT_TOKEN_URL": f"{url}/api/v1/access_token",
            "REDDIT_CLIENT_ID": keyed_sources.CLIENT,
            "REDDIT_CLIENT_SECRET": keyed_sources.SECRET,
        },
    ),
    "sec": (
        lambda: open_sources.sec,
        lambda url: {"SEC_URL": url, "SEC_ARCHIVES_URL": url},
    ),
    "twitter": (
        lambda: keyed_sources.twitter,
        lambda url: {"TWITTER_URL": url, "TWITTER_BEARER_TOKEN": keyed_sources.KEY},
    ),
    "web": (
        lambda: keyed_sources.brave,
        lambda url: {"WEB_SEARCH_URL": url, "WEB_SEARCH_KEY": keyed_sources.KEY},
    ),
    "whisper": (
        lambda: keyed_sources.whisper,
        lambda url: {"WHISPER_URL": url, "WHISPER_API_KEY": keyed_sources.KEY},
    ),
    "wikipedia": (lambda: open_sources.wikipedia, lambda url: {"WIKIPEDIA_URL": url}),
}
"""The families that speak HTTP: a double, and the variables that lead to it."""

TLS = ("shopify", "snowflake")
"""Those that speak HTTPS only."""

DATABASES = ("mysql", "postgres", "redis")
FILES = ("duckdb", "filesystem", "local_docs", "sql", "sqlite")


@pytest.fixture
def project(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    certificates: Certificates,
    mariadb: Server,
    postgres: Server,
    redis_server: Server,
) -> Iterator[Path]:
    """A copy of the example, filled in for local servers."""
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLE, folder)
    _make_files(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates.pair("good"))
    values: dict[str, str] = {}
    with ExitStack() as started:
        for family, (make, variables) in HTTP.items():
            tls = context if family in TLS else None
            server = started.enter_context(HttpServer(make(), tls=tls))
            values.update(variables(server.url))
            if family == "bigquery":
                key = json.dumps(google.service_account(server.url))
                (folder / "secrets" / "bigquery.json").write_text(key)
        for name, real in zip(DATABASES, (mariadb, postgres, redis_server), strict=True):
            values.update(_of(name, real.host, real.port, "reader", real.password))
        mongo = started.enter_context(mongodb.Mongodb())
        values.update(_of("mongodb", mongo.host, mongo.port, mongodb.USERNAME, mongodb.PASSWORD))
        values["SQL_DSN"] = f"sqlite:///{folder / 'data' / 'shop.sqlite'}"
        for name in [*values, *_wanted()]:
            monkeypatch.delenv(name, raising=False)
        lines = [f"{name}={json.dumps(value)}\n" for name, value in values.items()]
        (folder / ".env").write_text("".join(lines))
        (folder / ".gitignore").write_text(".env\nsecrets/\n")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca))
        monkeypatch.chdir(folder)
        assert find_root(str(folder / "osiris_connections.yaml")) == str(folder)
        yield folder


def _of(family: str, host: str, port: int, user: str, password: str) -> Values:
    name = family.upper()
    return {
        f"{name}_HOST": host,
        f"{name}_PORT": str(port),
        f"{name}_USER": user,
        f"{name}_PASSWORD": password,
        f"{name}_DATABASE": "shop",
    }


def _make_files(folder: Path) -> None:
    """Make what the connections to files lead to, and the keys."""
    import duckdb

    (folder / "data").mkdir()
    (folder / "secrets").mkdir()
    (folder / "secrets" / "docusign.pem").write_text(docusign.private_pem())
    duckdb.connect(str(folder / "data" / "warehouse.duckdb")).close()
    with closing(sqlite3.connect(folder / "data" / "shop.sqlite")) as database:
        database.execute("CREATE TABLE orders (id)")
    (folder / "data" / "notes.md").write_text("# Notes")


def _wanted() -> list[str]:
    """The variables that the example names."""
    text = (EXAMPLE / "osiris_connections.yaml").read_text(encoding="utf-8")
    return sorted(set(re.findall(r"\$\{(\w+)\}", text)))


@pytest.mark.inventory("S3-TYPE-05")
def test_every_family_is_there() -> None:
    """The families of the example, and the servers of this test, are those that are known."""
    text = (EXAMPLE / "osiris_connections.yaml").read_text(encoding="utf-8")
    used = re.findall(r"^  (\w+):$", text, re.MULTILINE)
    assert used == sorted(Families())
    assert {*HTTP, *DATABASES, *FILES, "mongodb"} == set(Families())
    steps = (EXAMPLE / "pipelines" / "everything.yaml").read_text(encoding="utf-8")
    assert re.findall(r'connection: "@(\w+)\.main"', steps) == used
    listed = (EXAMPLE / ".env.example").read_text(encoding="utf-8").split("=\n")
    assert sorted(filter(None, listed)) == _wanted()


@pytest.mark.inventory("S3-TYPE-05")
def test_it_lints_clean(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not even a hint is left."""
    code = lint.run(["--no-cache", "--fail-on", "hint"])
    out, err = capsys.readouterr()
    assert (code, out, err) == (0, "no findings in 3 files\n", "")


@pytest.mark.inventory("S3-TYPE-05")
def test_its_doctor_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every connection is healthy, and no secret is told."""
    code = doctor.run(["--json", "--timeout", "20"])
    out, _ = capsys.readouterr()
    results = json.loads(out)["connections"]
    sick = {item["family"]: item["details"] for item in results if not item["ok"]}
    assert sick == {}
    assert (code, [item["family"] for item in results]) == (0, sorted(Families()))
    assert "c4n4ry" not in out
