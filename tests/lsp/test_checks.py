"""Checks from the editor: consent first, results remembered, one diagnostic, nothing secret."""

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types

from osiris_lsp.connectors import TrustStore
from osiris_lsp.connectors.doctor import ConnectionDoctor
from osiris_lsp.connectors.result import DoctorResult
from osiris_lsp.documents import Connection, ConnectionsDocument
from osiris_lsp.lsp.checks import Checks
from osiris_lsp.lsp.entries import place, question
from osiris_lsp.lsp.server import Server as LanguageServer
from osiris_lsp.specs import Families
from tests.cli.conftest import write
from tests.lsp.conftest import Editor
from tests.lsp.recording import Session
from tests.services.processes import Server

CANARY = "c4n4ry-wr0ng"

FILE = """\
# 😀 two of them
version: 1
connections:
  mysql:
    good:
      host: 127.0.0.1
      port: {port}
      database: shop
      user: reader
      password: ${{GOOD_PASSWORD}}
    bad:
      host: 127.0.0.1
      port: {port}
      database: shop
      user: reader
      password: ${{BAD_PASSWORD}} # 😀
"""


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trust store of the test's own, and the wrong password in the server's environment."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("BAD_PASSWORD", CANARY)


@pytest.fixture
def session(editor: Editor, mariadb: Server) -> Session:
    """A user before a project with a healthy connection and one with a wrong password."""
    text = FILE.format(port=mariadb.port)
    secret = f"GOOD_PASSWORD='{mariadb.password}'\n"
    write(editor.folder, {"osiris_connections.yaml": text, ".env": secret})
    return Session(editor)


async def _doctor(session: Session, uri: str) -> list[types.Diagnostic]:
    found = await session.editor.diagnostics(uri)
    return [item for item in found if item.source == "osiris-doctor"]


@pytest.mark.asyncio
@pytest.mark.inventory("S1-CONN020-03")
async def test_doctor_asks_checks_and_marks_what_failed(session: Session, mariadb: Server) -> None:
    """CONN-020 objects, one diagnostic on the password, gone with the next edit; no secret."""
    editor = session.editor
    uri = editor.open("osiris_connections.yaml")
    lint = [item.code for item in await editor.diagnostics(uri)]
    results = await session.command("osiris.doctor")
    assert [(item["alias"], item["ok"], item["category"]) for item in results] == [
        ("good", True, "ok"),
        ("bad", False, "auth"),
    ]
    assert list(results[0]) == [
        "family", "alias", "ok", "latency_ms", "category", "message", "details"
    ]  # fmt: skip
    (asked,) = session.asked
    assert f"@mysql.good connects to host: 127.0.0.1, port: {mariadb.port}" in asked
    assert "reads ${GOOD_PASSWORD}" in asked
    assert "reads ${BAD_PASSWORD}" in asked

    (found,) = await _doctor(session, uri)
    assert editor.text(uri, found.range) == "${BAD_PASSWORD}"
    assert found.message.startswith("Invalid credentials")
    every = await editor.diagnostics(uri)
    assert [item.code for item in every if item.source == "osiris"] == lint

    editor.change(uri, editor.texts[uri].replace("user: reader\n      password: ${B", "user: x\n"
                  "      password: ${B"))  # fmt: skip
    assert await _doctor(session, uri) == []
    assert mariadb.password not in session.traffic
    assert CANARY not in session.traffic


@pytest.mark.asyncio
async def test_without_consent_nothing_connects(session: Session) -> None:
    """Not now means not checked; it is asked again the next time, and only for what is asked."""
    session.answer = "Not now"
    (found,) = await session.command("osiris.doctor", {"ids": ["@mysql.good"]})
    assert found["category"] == "config"
    assert found["details"]["code"] == "config.not_trusted"
    session.answer = "Allow"
    (found,) = await session.command("osiris.doctor", {"ids": ["@mysql.good"]})
    assert found["ok"]
    assert len(session.asked) == 2
    assert "@mysql.bad" not in "".join(session.asked)


@pytest.mark.asyncio
async def test_an_untrusted_workspace_is_left_alone(session: Session) -> None:
    """Not even the question comes; with trust it does."""
    notify = session.editor.client.protocol.notify
    notify("osiris/workspaceTrusted", {"trusted": False})
    results = await session.command("osiris.doctor")
    assert {item["details"]["code"] for item in results} == {"config.not_trusted"}
    assert session.asked == []
    notify("osiris/workspaceTrusted", {"trusted": True})
    (found,) = await session.command("osiris.doctor", {"ids": ["@mysql.good"]})
    assert found["ok"]


@pytest.mark.asyncio
async def test_a_changed_destination_asks_again(session: Session, mariadb: Server) -> None:
    """The unsaved text counts, for the question and for the check."""
    editor = session.editor
    uri = editor.open("osiris_connections.yaml")
    await session.command("osiris.doctor", {"uri": uri, "position": _json(editor.at(uri, "good:"))})
    editor.change(uri, editor.texts[uri].replace(f"port: {mariadb.port}", "port: 1", 1))
    (found,) = await session.command("osiris.doctor", {"ids": ["@mysql.good"]})
    assert (found["category"], len(session.asked)) == ("network", 2)
    assert "port: 1;" in session.asked[1]


def _json(position: types.Position) -> dict[str, int]:
    return {"line": position.line, "character": position.character}


@pytest.fixture
def checks(tmp_path: Path) -> Iterator[tuple[Checks, ConnectionsDocument]]:
    """Checks without a client, and a connections file."""
    server = LanguageServer()
    text = FILE.format(port=1)
    path = tmp_path / "osiris_connections.yaml"
    path.write_text(text)
    (tmp_path / ".env").write_text("GOOD_PASSWORD=x\n")
    server.checks = Checks(server, TrustStore(str(tmp_path / "trust")))
    yield server.checks, ConnectionsDocument(str(path), text, Families())
    server.executor.shutdown()


def _result(ok: bool, category: str) -> DoctorResult:
    return DoctorResult("mysql", "good", ok, None, category, "m")  # type: ignore[arg-type]


def test_after_auth_nothing_is_tried_on_its_own(
    checks: tuple[Checks, ConnectionsDocument], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the connection or `.env` changes; otherwise once a minute at most."""
    found, document = checks
    entry = document.connections[0]
    for item in document.connections:
        found.store.trust(document.path, item)
    started: list[str] = []

    def start(work: object) -> None:
        started.append(type(work).__name__)
        work.close()  # type: ignore[attr-defined]

    monkeypatch.setattr(found._server, "soon", start)
    found.live(document, entry)
    found.live(document, entry)
    assert len(started) == 1
    found.remember(document.path, entry, _result(False, "auth"))
    found._tried.clear()
    found.live(document, entry)
    assert len(started) == 1
    dotenv = os.path.join(os.path.dirname(document.path), ".env")
    Path(dotenv).write_text("GOOD_PASSWORD=another\n")
    last = found.last(document.path, entry)
    assert last is not None
    assert last.stale
    found.live(document, entry)
    assert len(started) == 2


def test_a_comment_does_not_make_a_result_stale(
    checks: tuple[Checks, ConnectionsDocument],
) -> None:
    """What counts is what the connection says."""
    found, document = checks
    found.remember(document.path, document.connections[0], _result(True, "ok"))
    for old, new, stale in (
        ("user: reader", "user: reader # ours", False),
        ("user: reader", "user: writer", True),
    ):
        text = document.text.replace(old, new, 1)
        again = ConnectionsDocument(document.path, text, Families())
        last = found.last(document.path, again.connections[0])
        assert last is not None
        assert last.stale is stale


def test_doctor_is_off_over_tcp(checks: tuple[Checks, ConnectionsDocument]) -> None:
    """Whatever the client says of the workspace."""
    found, _ = checks
    assert found.refusal is None
    found._server.trusted = False
    found.trust_workspace(True)
    assert found.refusal == "the doctor is off over `--tcp`"


def test_an_untrusted_workspace_is_known_from_the_start(
    checks: tuple[Checks, ConnectionsDocument],
) -> None:
    """By initializationOptions, until the client says otherwise."""
    found, _ = checks
    found._server.initial_options = {"workspaceTrusted": False, "lint": {"debounce": 0}}
    assert found.refusal == "the doctor is off because this workspace is not trusted"
    found.trust_workspace(True)
    assert found.refusal is None


def test_what_is_cancelled_is_not_remembered(
    checks: tuple[Checks, ConnectionsDocument], monkeypatch: pytest.MonkeyPatch
) -> None:
    """But what was there before is: the good connection answers, the bad one never does."""
    found, document = checks
    answered = threading.Event()

    def check(self: ConnectionDoctor, entry: Connection) -> DoctorResult:
        if entry.alias == "bad":
            answered.wait(10)
        return _result(True, "ok")

    monkeypatch.setattr(ConnectionDoctor, "check", check)
    monkeypatch.setattr(found._server, "listeners", [])  # there is no client to tell
    for item in document.connections:
        found.store.trust(document.path, item)
    targets = found.targets(document, document.connections)

    async def cancel() -> None:
        def stop(count: int) -> None:
            work.cancel()

        work = asyncio.ensure_future(found.run(targets, stop))
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(work, 5)

    asyncio.run(cancel())
    answered.set()
    good, bad = document.connections
    assert found.last(document.path, good) is not None
    assert found.last(document.path, bad) is None


def test_a_file_that_does_not_parse_is_told(checks: tuple[Checks, ConnectionsDocument]) -> None:
    """As a result of the category `config`, which is not remembered."""
    found, document = checks
    text = document.text.replace("    bad:", "    bad: [")
    Path(document.path).write_text(text)
    broken = ConnectionsDocument(document.path, text, Families())
    entry = broken.connections[0]
    found.store.trust(document.path, entry)
    (result,) = asyncio.run(found.run(found.targets(broken, [entry])))
    assert (result.shown_category, result.details["code"]) == ("config", "config.syntax")
    assert found.last(document.path, entry) is None


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("password", "${A}"),
        ("replicas[1].host", "r2"),
        ("headers.X-Key", "${B}"),
        ("user", "ann"),
        ("port", "main"),
        ("", "main"),
    ],
)
def test_the_field_is_found(field: str, expected: str) -> None:
    """Nested, in lists, under an older spelling; else it is the alias."""
    text = (
        "connections:\n  mysql:\n    main:\n      username: ann\n      password: ${A}\n"
        "      replicas: [r1, {host: r2}]\n      headers: {X-Key: '${B}'}\n"
    )
    document = ConnectionsDocument("/x/osiris_connections.yaml", text, Families())
    span = place(document.connections[0], field)
    assert text[span.start : span.end].strip("'") == expected


def test_a_question_brings_in_no_link(checks: tuple[Checks, ConnectionsDocument]) -> None:
    """Editors make links of Markdown in messages; control characters are shown."""
    _, document = checks
    text = document.text.replace("127.0.0.1", '"[ok](command:evil)\\u202e"', 1)
    evil = ConnectionsDocument(document.path, text, Families())
    asked = question(evil.connections[:1])
    assert "](" not in asked
    assert "host: [ok] (command:evil)\\u202e" in asked
