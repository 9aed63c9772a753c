"""The doctors of sources of evidence: what their answers mean, and that the key is sent."""

from pathlib import Path
from typing import Any

import pytest

from osiris_lsp.connectors import ResolvedConnection
from osiris_lsp.connectors.families import connector
from tests.connectors.evidence.sources import BY_NAME, SOURCES, Source
from tests.connectors.families.verdict import OK, Verdict, verdict
from tests.doubles import faults, keyed_sources, open_sources
from tests.doubles.messages import Answer, as_json
from tests.doubles.server import Server

KEYED = {"github": "token", "newsapi": "api_key", "reddit": "client_secret",
         "twitter": "bearer_token", "web": "api_key"}  # fmt: skip
FACTS: dict[str, dict[str, Any]] = {
    "github": {"searches_left": 18},
    "newsapi": {"sources": 1},
    "twitter": {"posts_used": "43435", "posts_in_plan": "5000000"},
    "wikipedia": {"site": "Wikipedia", "server_version": "MediaWiki 1.45.0"},
}
WHISPER = Source(
    "whisper", keyed_sources.whisper, "", fields={"api_key": keyed_sources.KEY, "root": "."},
    secret="api_key",
)  # fmt: skip
HTTP = (*SOURCES, WHISPER)

each = pytest.mark.parametrize("source", HTTP, ids=str)


def examine(source: Source, server: Server, **changes: Any) -> Any:
    """Check a connection to a server."""
    return connector(source.family).examine(source.connection(server, **changes), 5.0)


@pytest.mark.inventory("S3-TYPE-04", "R-60")
@each
def test_a_good_connection(source: Source) -> None:
    """It is healthy, and the facts tell what the service says."""
    with Server(source.double) as server:
        result = examine(source, server)
        asked = {request.method for request in server.requests if "token" not in request.path}
    assert verdict(result) == OK
    assert asked == {"GET"}
    for name, value in FACTS.get(source.family, {}).items():
        assert result.details[name] == value


@pytest.mark.inventory("S3-TYPE-04")
@pytest.mark.parametrize("source", [s for s in HTTP if s.secret], ids=str)
def test_a_wrong_key(source: Source) -> None:
    """The probe carries the key: a wrong one is never healthy, and the field is named."""
    with Server(source.double) as server:
        result = examine(source, server, **{source.secret: "wrong"})
    code = {"web": "web.key_invalid", "reddit": "http.401"}.get(source.family, "http.401")
    assert verdict(result) == ("auth", code, "auth", source.secret)


@pytest.mark.parametrize("source", [s for s in HTTP if s.family in KEYED], ids=str)
def test_no_key(source: Source) -> None:
    """Without the key nothing is asked; only GitHub answers anybody."""
    with Server(source.double) as server:
        result = examine(source, server, **{source.secret: None})
        asked = len(server.requests)
    if source.family == "github":
        assert verdict(result) == OK
        return
    assert verdict(result) == ("unknown", "config.missing_field", "config", source.secret)
    assert asked == 0


FAULTS: tuple[tuple[str, Answer, tuple[str, str]], ...] = (
    ("404", faults.status(404), ("unknown", "http.404")),
    ("429", faults.status(429, 30), ("unknown", "http.429")),
    ("500", faults.status(500), ("unknown", "http.500")),
    ("redirect", faults.redirect("http://169.254.169.254/"), ("unknown", "http.redirect")),
    ("login page", faults.LOGIN_PAGE, ("unknown", "http.html")),
    ("other JSON", as_json(200, {"status": "ok"}), ("unknown", "")),
    ("no JSON", faults.INVALID_JSON, ("unknown", "")),
    ("drips", faults.SLOW_BODY, ("timeout", "query.timeout")),
)


@pytest.mark.inventory("S3-TYPE-04", "S1-CONN010-06")
@pytest.mark.parametrize(
    ("answer", "expected"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
@each
def test_faults(source: Source, answer: Answer, expected: tuple[str, str]) -> None:
    """What is no answer of the service is never healthy, and says which field to look at."""
    with Server(source.double) as server:
        server.always(answer)
        fields = source.connection(server)
        result = connector(source.family).examine(fields, 0.5)
    category, code, _, field = verdict(result)
    assert (category, str(code)[: len(expected[1])]) == expected
    assert field in ("base_url", "token_url", "rate_limit")


def test_a_contact_that_the_sec_does_not_know() -> None:
    """Its 403 is about the User-Agent; so is the one for too many requests."""
    with Server(open_sources.sec) as server:
        results = [examine(BY_NAME["sec"], server, user_agent="curl")]
        server.always(open_sources.SEC_BLOCKED)
        results.append(examine(BY_NAME["sec"], server))
    assert [verdict(item) for item in results] == [
        ("permission", "http.403", "auth", "user_agent")
    ] * 2


def test_a_github_server_without_limits() -> None:
    """GitHub Enterprise has no limits where none are set, and tells its version instead."""
    with Server(keyed_sources.github) as server:
        meta = as_json(200, {"installed_version": "3.17.0"})
        server.next(as_json(404, {"message": "Rate limiting is not enabled."}), meta)
        result = examine(BY_NAME["github"], server)
    assert (verdict(result), result.details["server_version"]) == (OK, "3.17.0")


@pytest.mark.inventory("S3-TYPE-04")
def test_a_folder_of_documents(tmp_path: Path) -> None:
    """It is listed; a path that is none is told apart from a file."""
    (tmp_path / "a.md").touch()

    def check(root: str) -> Any:
        values = {"root": root}
        made = ResolvedConnection("local_docs", "main", values, base=str(tmp_path))
        return connector("local_docs").examine(made)

    good = check(".")
    assert (verdict(good), good.details["entries"]) == (OK, 1)
    codes = [verdict(check(root))[1] for root in ("missing", "a.md", "")]
    assert codes == ["file.missing", "file.no_folder", "config.missing_field"]


@pytest.mark.inventory("S3-TYPE-04")
def test_a_database_file(tmp_path: Path) -> None:
    """The check of the DSN's own family runs, and marks the field `dsn`."""
    import sqlite3

    with sqlite3.connect(tmp_path / "x.sqlite") as made:
        made.execute("CREATE TABLE t (id)")
    made.close()
    (tmp_path / "bad.sqlite").write_bytes(b"no database" * 100)

    def check(dsn: str) -> Any:
        given = ResolvedConnection("sql", "main", {"dsn": dsn}, base=str(tmp_path))
        return connector("sql").examine(given)

    good = check("sqlite:///x.sqlite")
    assert (verdict(good), good.details["tables"]) == (OK, 1)
    assert (good.family, good.alias) == ("sql", "main")
    expected: list[Verdict] = [
        ("unknown", "file.missing", "config", "dsn"),
        ("unknown", "file.not_a_database", "query", "dsn"),
        ("unknown", "config.url", "config", "dsn"),
        ("unknown", "config.url", "config", "dsn"),
    ]
    dsns = ("sqlite:///none/x", "sqlite:///bad.sqlite", "oracle://u:c4n4ry@h/x", "x")
    assert [verdict(check(dsn)) for dsn in dsns] == expected
