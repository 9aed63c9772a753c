from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from osiris_lsp.connectors.families.supabase import CONNECTOR
from tests.connectors.families.verdict import OK, Verdict, verdict
from tests.doubles import faults, supabase
from tests.doubles.messages import CANARY, Answer
from tests.doubles.server import Server
from tests.doubles.tokens import look_alike
from tests.doubles.vendor import Vendor, vendor
from tests.services.processes import Server as Database

HOST = f"{supabase.REF}.supabase.co"


@pytest.fixture
def server() -> Iterator[Server]:
    """A project at an address of its own."""
    with Server(supabase.Supabase()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    """The project under its name at Supabase."""
    with vendor(supabase.Supabase(), HOST, tmp_path, monkeypatch) as project:
        yield project


def refused(field: str) -> Verdict:
    """What a key that the server refuses comes to."""
    return ("auth", "http.401", "auth", field)


ROLE = ("permission", "supabase.key_role", "auth", "service_role_key")
EXPIRED = look_alike({"role": "anon", "exp": 1577836800})

# Name, fields, what it comes to, the role of the key, the path that is asked.
KEYS: tuple[tuple[str, dict[str, str], Verdict, str, str], ...] = (
    (
        "service role",
        {"service_role_key": supabase.SERVICE_ROLE_KEY},
        OK,
        "service_role",
        "/rest/v1/",
    ),
    ("secret", {"service_role_key": supabase.SECRET_KEY}, OK, "secret", "/rest/v1/"),
    ("secret as key", {"key": supabase.SECRET_KEY}, OK, "secret", "/rest/v1/"),
    ("anon", {"anon_key": supabase.ANON_KEY}, OK, "anon", "/auth/v1/settings"),
    ("publishable", {"anon_key": supabase.PUBLISHABLE_KEY}, OK, "publishable", "/auth/v1/settings"),
    ("anon as key", {"key": supabase.ANON_KEY}, OK, "anon", "/auth/v1/settings"),
    (
        "anon in the wrong place",
        {"service_role_key": supabase.ANON_KEY},
        ROLE,
        "anon",
        "/auth/v1/settings",
    ),
    (
        "publishable in the wrong place",
        {"service_role_key": supabase.PUBLISHABLE_KEY},
        ROLE,
        "publishable",
        "/auth/v1/settings",
    ),
    (
        "wrong service role",
        {"service_role_key": look_alike({"role": "service_role"})},
        refused("service_role_key"),
        "service_role",
        "/rest/v1/",
    ),
    (
        "wrong anon",
        {"anon_key": look_alike({"role": "anon"})},
        refused("anon_key"),
        "anon",
        "/auth/v1/settings",
    ),
    ("wrong secret", {"key": f"sb_secret_{CANARY}"}, refused("key"), "secret", "/rest/v1/"),
    (
        "wrong publishable",
        {"key": f"sb_publishable_{CANARY}"},
        refused("key"),
        "publishable",
        "/auth/v1/settings",
    ),
    ("nonsense", {"key": CANARY}, refused("key"), "unknown", "/rest/v1/"),
    ("nonsense as anon", {"anon_key": CANARY}, refused("anon_key"), "unknown", "/auth/v1/settings"),
)


@pytest.mark.parametrize(
    ("fields", "expected", "role", "path"), [c[1:] for c in KEYS], ids=[c[0] for c in KEYS]
)
@pytest.mark.inventory("S1-CONN010-01", "S2-SUPA-06")
def test_keys(
    server: Server, fields: dict[str, str], expected: Verdict, role: str, path: str
) -> None:
    """A key is really checked, and its kind told apart by what it says itself (R-02, R-47)."""
    result = CONNECTOR.examine({"url": server.url, **fields})
    assert expected == verdict(result)
    assert result.details["key_role"] == role
    assert [request.target for request in server.requests] == [path]


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (EXPIRED, "supabase.key_expired"),
        (look_alike({"role": "anon", "ref": "another"}), "supabase.other_project"),
        (f"sbp_{CANARY}", "supabase.access_token"),
    ],
    ids=["expired", "other project", "access token"],
)
def test_keys_that_cannot_work(project: Vendor, key: str, code: str) -> None:
    """A key that is expired, of another project or of another kind is not even sent."""
    result = CONNECTOR.examine({"project_id": supabase.REF, "key": key})
    assert verdict(result) == ("auth", code, "config", "key")
    assert project.server.requests == []


PAUSED = ("unknown", "supabase.paused", "query", "url")
ANSWERS: tuple[tuple[str, dict[str, str], Answer | None, Verdict], ...] = (
    ("paused", {}, supabase.PAUSED, PAUSED),
    ("starting", {}, supabase.UNAVAILABLE, PAUSED),
    ("restricted", {}, supabase.RESTRICTED, ("unknown", "http.402", "query", "url")),
    ("429", {}, faults.status(429), ("unknown", "http.429", "query", "url")),
    ("500", {}, faults.status(500), ("unknown", "http.500", "query", "url")),
    ("login page", {}, faults.LOGIN_PAGE, ("unknown", "http.html", "query", "url")),
    ("schema", {"schema": "hidden"}, None, ("unknown", "supabase.schema", "query", "schema")),
    ("version", {"api_version": "v9"}, None, ("unknown", "http.404", "query", "api_version")),
    ("path", {"path": "/nope"}, None, ("unknown", "http.404", "query", "url")),
)


@pytest.mark.parametrize(
    ("fields", "answer", "expected"), [c[1:] for c in ANSWERS], ids=[c[0] for c in ANSWERS]
)
@pytest.mark.inventory("S1-CONN010-06")
def test_answers(
    server: Server, fields: dict[str, str], answer: Answer | None, expected: Verdict
) -> None:
    """What the gateway answers is told apart, a paused project among it."""
    server.always(answer)
    key = {"service_role_key": supabase.SERVICE_ROLE_KEY}
    url = server.url + fields.get("path", "")
    fields = {name: text for name, text in fields.items() if name != "path"}
    assert expected == verdict(CONNECTOR.examine({"url": url, **key, **fields}))


def test_limited_key(server: Server) -> None:
    """403 at the root of the REST interface is a key that is reachable and limited (R-47)."""
    server.always(faults.status(403))
    result = CONNECTOR.examine({"url": server.url, "key": f"opaque-{CANARY}"})
    assert (verdict(result), result.details["key_role"]) == (OK, "anon")
    result = CONNECTOR.examine({"url": server.url, "service_role_key": supabase.SECRET_KEY})
    assert verdict(result) == ("permission", "http.403", "auth", "service_role_key")


def test_privileged_key_as_anon(server: Server) -> None:
    """A key with all rights in `anon_key` works, and the check warns."""
    result = CONNECTOR.examine({"url": server.url, "anon_key": supabase.SECRET_KEY})
    assert verdict(result) == OK
    assert "row level security" in result.details["hint"]


def test_project(project: Vendor) -> None:
    """`project_id` leads to the host of the project, and so does its URL."""
    for fields in ({"project_id": supabase.REF}, {"url": f"https://{HOST}/"}):
        result = CONNECTOR.examine({**fields, "key": supabase.ANON_KEY})
        assert (verdict(result), result.details["project"]) == (OK, supabase.REF)
    assert project.proxy.tunnels == [f"{HOST}:443"] * 2


@pytest.mark.inventory("S1-CONN009-05")
def test_deadline(server: Server) -> None:
    """A project that is silent is left at the deadline."""
    server.always(faults.SILENT)
    result = CONNECTOR.examine({"url": server.url, "key": supabase.ANON_KEY}, timeout=0.3)
    assert verdict(result) == ("timeout", "auth.timeout", "auth", "url")
    assert result.details["elapsed_ms"] < 800


def dsn(database: Database, password: str | None, name: str = "shop") -> str:
    """The URL of a database of the server."""
    login = "reader" if password is None else f"reader:{quote(password, safe='')}"
    return f"postgresql://{login}@{database.host}:{database.port}/{name}"


def test_database(server: Server, postgres: Database) -> None:
    """`pg_dsn` is checked beside the key or alone; the password may stand beside it."""
    alone: dict[str, Any] = {"pg_dsn": dsn(postgres, postgres.password)}
    both = {**alone, "url": server.url, "key": supabase.ANON_KEY}
    beside = {"pg_dsn": dsn(postgres, None), "password": postgres.password}
    words = f"host={postgres.host} port={postgres.port} user=reader dbname=shop"
    for plain in (alone, both, beside, {**beside, "pg_dsn": words}):
        result = CONNECTOR.examine(plain)
        assert verdict(result) == OK
        assert result.details["postgres"]["database"] == "shop"
    assert "key_role" not in CONNECTOR.examine(alone).details


def test_broken_database(server: Server, postgres: Database) -> None:
    """What is wrong with the database is marked at `pg_dsn`; the role of the key is told too."""
    key = {"url": server.url, "key": supabase.ANON_KEY}
    wrong = CONNECTOR.examine({**key, "pg_dsn": dsn(postgres, f"wrong-{CANARY}")})
    assert (wrong.category, wrong.details["stage"]) == ("auth", "auth")
    assert (wrong.details["field"], wrong.details["key_role"]) == ("pg_dsn", "anon")
    missing = CONNECTOR.examine({**key, "pg_dsn": dsn(postgres, postgres.password, "nope")})
    assert verdict(missing) == ("unknown", "db.unknown_database", "query", "pg_dsn")
