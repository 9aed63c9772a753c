"""Commands: secrets to `.env`, consent, resolved connections, explanations, progress."""

import stat
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.engine import Linter
from osiris_lsp.lsp.moves import literal_at, move_of
from osiris_lsp.lsp.views import View
from osiris_lsp.project import Project
from tests.cli.conftest import write
from tests.lsp.conftest import CONNECTIONS, Editor
from tests.lsp.recording import Session

CANARY = "c4n4ry-tractor-9"
AMBIENT = "c4n4ry-ambient-7"

SECRET = CONNECTIONS.replace("password: ${MYSQL_DEFAULT_PASSWORD}", f"password: {CANARY} # 😀")


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trust store of the test's own, and variables that a stranger would like to have."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", AMBIENT)
    monkeypatch.setenv("DB_HOST", "c4n4ry-host-5")


@pytest.fixture
def session(editor: Editor) -> Session:
    """A user before the project."""
    return Session(editor)


def _json(position: types.Position) -> dict[str, int]:
    return {"line": position.line, "character": position.character}


def _place(session: Session, uri: str, before: str) -> dict[str, Any]:
    return {"uri": uri, "position": _json(session.editor.at(uri, before))}


async def _refused(session: Session, command: str, *arguments: Any) -> str:
    with pytest.raises(JsonRpcException) as caught:
        await session.command(command, *arguments)
    return caught.value.message


@pytest.mark.asyncio
@pytest.mark.inventory("S1-CONN002-01")
async def test_a_secret_moves_without_crossing_the_wire(session: Session) -> None:
    """The server writes `.env`; the edit holds only the variable; it must be changed as well."""
    editor = session.editor
    write(editor.folder, {"osiris_connections.yaml": SECRET})
    uri = editor.open("osiris_connections.yaml")
    at = _place(session, uri, "password: c4n4ry")
    done = await session.command("osiris.moveSecretToEnv", at)
    assert done["variable"] == "MYSQL_DEFAULT_PASSWORD"
    assert "change it at its source" in done["message"]
    env = editor.folder / ".env"
    assert env.read_text() == f"MYSQL_DEFAULT_PASSWORD={CANARY}\n"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert ".env" in (editor.folder / ".gitignore").read_text()
    assert session.edited(uri) == SECRET.replace(CANARY, "${MYSQL_DEFAULT_PASSWORD}")
    assert CANARY not in session.traffic
    editor.change(uri, session.edited(uri))
    assert "OSR301" not in [item.code for item in await editor.diagnostics(uri)]


@pytest.mark.asyncio
async def test_what_the_editor_refuses_leaves_no_trace(session: Session) -> None:
    """The line is taken out of `.env` again; what stood there before stays."""
    editor = session.editor
    session.applies = False
    write(editor.folder, {"osiris_connections.yaml": SECRET, ".env": "# mine\nA=1\n"})
    uri = editor.open("osiris_connections.yaml")
    at = _place(session, uri, "password: c4n4ry")
    assert "did not apply the edit" in await _refused(session, "osiris.moveSecretToEnv", at)
    assert (editor.folder / ".env").read_text() == "# mine\nA=1\n"
    assert len(session.edits) == 1
    assert CANARY not in session.traffic


@pytest.mark.asyncio
async def test_an_env_that_is_being_edited_is_left_alone(session: Session) -> None:
    """Unsaved changes, another value in `.env` or in the environment: nothing is written."""
    editor = session.editor
    write(editor.folder, {"osiris_connections.yaml": SECRET, ".env": "A=1\n"})
    uri = editor.open("osiris_connections.yaml")
    at = _place(session, uri, "password: c4n4ry")
    env = editor.open(".env", "A=1\nB=2\n")
    assert "unsaved changes" in await _refused(session, "osiris.moveSecretToEnv", at)
    editor.change(env, "A=1\n")
    (editor.folder / ".env").write_text("MYSQL_DEFAULT_PASSWORD=other\n")
    editor.change(env, "MYSQL_DEFAULT_PASSWORD=other\n")
    message = await _refused(session, "osiris.moveSecretToEnv", at)
    assert "another value" in message
    assert (editor.folder / ".env").read_text() == "MYSQL_DEFAULT_PASSWORD=other\n"
    assert session.edits == []
    assert CANARY not in session.traffic
    assert "no secret here" in await _refused(
        session, "osiris.moveSecretToEnv", _place(session, uri, "host: db.")
    )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("stored", "variable"), [("", "MYSQL_DEFAULT_PASSWORD_2"), (CANARY, "MYSQL_DEFAULT_PASSWORD")]
)
async def test_a_variable_that_another_file_expects_is_not_filled(
    session: Session, stored: str, variable: str
) -> None:
    """Unless it has that very value already; unsaved text counts."""
    editor = session.editor
    env = f"MYSQL_DEFAULT_PASSWORD={stored}\n"
    write(editor.folder, {"osiris_connections.yaml": SECRET, ".env": env, "pipelines/a.yaml": ""})
    editor.open("pipelines/a.yaml", "name: ${MYSQL_DEFAULT_PASSWORD}\nx: [\n")
    uri = editor.open("osiris_connections.yaml")
    at = _place(session, uri, "password: c4n4ry")
    assert (await session.command("osiris.moveSecretToEnv", at))["variable"] == variable
    assert session.edited(uri) == SECRET.replace(CANARY, f"${{{variable}}}")
    added = "" if stored else f"{variable}={CANARY}\n"
    assert (editor.folder / ".env").read_text() == env + added
    assert CANARY not in session.traffic


@pytest.mark.parametrize(
    ("written", "secret", "left"),
    [
        ("{mysql: {a: {host: h, password: c4n4ry-9}}}", "c4n4ry-9",
         '{mysql: {a: {host: h, password: "${MYSQL_A_PASSWORD}"}}}'),
        ("\n  mysql:\n    a:\n      dsn: mysql://u:c4n4ry-9@h/db", "c4n4ry-9",
         "\n  mysql:\n    a:\n      dsn: mysql://u:${MYSQL_A_PASSWORD}@h/db"),
        ("\n  mysql:\n    a:\n      password: 'c4n4ry it''s 1'", "c4n4ry it's 1",
         "\n  mysql:\n    a:\n      password: '${MYSQL_A_PASSWORD}'"),
        ('\n  mysql:\n    a:\n      password: "c4n4ry\\u0041"', "c4n4ryA",
         '\n  mysql:\n    a:\n      password: "${MYSQL_A_PASSWORD}"'),
        ("\n  api:\n    a:\n      headers:\n        Authorization: Bearer c4n4ry-tractor-99",
         "c4n4ry-tractor-99",
         "\n  api:\n    a:\n      headers:\n        Authorization: "
         "Bearer ${API_A_HEADERS_AUTHORIZATION}"),
    ],
)  # fmt: skip
def test_a_secret_moves_out_of_any_style(
    tmp_path: Path, written: str, secret: str, left: str
) -> None:
    """Flow mappings, addresses, quotes and escapes keep their form."""
    text = f"version: 1\nconnections: {written}\n"
    path = str(tmp_path / "osiris_connections.yaml")
    project = Project(str(tmp_path))
    document = ConnectionsDocument(path, text, project.families)
    view = View("u", 1, document, Linter(project), "utf-16")
    found = literal_at(view, text.index("c4n4ry"))
    assert found.secret.reveal() == secret
    for edit in reversed(move_of(view, found, found.variable)):
        assert "c4n4ry" not in edit.new_text
        text = text[: edit.start] + edit.new_text + text[edit.end :]
    assert text == f"version: 1\nconnections: {left}\n"


@pytest.mark.parametrize("written", ["|\n        c4n4ry\n        more", "'c4n4ry\n\n        x'"])
def test_a_secret_over_lines_moves_or_stays(tmp_path: Path, written: str) -> None:
    """What cannot be replaced for sure is left to the user."""
    text = f"connections:\n  mysql:\n    a:\n      password: {written}\n"
    project = Project(str(tmp_path))
    document = ConnectionsDocument(str(tmp_path / "x.yaml"), text, project.families)
    view = View("u", 1, document, Linter(project), "utf-16")
    found = literal_at(view, text.index("c4n4ry"))
    try:
        (edit,) = move_of(view, found, found.variable)
    except JsonRpcException as error:
        assert "do it by hand" in error.message
        return
    after = text[: edit.start] + edit.new_text + text[edit.end :]
    assert "c4n4ry" not in after
    assert "${MYSQL_A_PASSWORD}" in after


@pytest.mark.asyncio
async def test_a_resolved_connection_gives_away_nothing(session: Session) -> None:
    """Values of variables show with consent only, secret ones and secret names never."""
    editor = session.editor
    text = CONNECTIONS.replace("host: db.example.com", "host: ${DB_HOST}").replace(
        "database: shop\n", "database: ${AWS_SECRET_ACCESS_KEY}\n", 1
    )
    uri = editor.open("osiris_connections.yaml", text)
    shown = await session.command("osiris.showResolved", {"id": "@mysql.default"})
    values = {field["name"]: field["value"] for field in shown["fields"]}
    assert values == {
        "host": "***MASKED***",
        "port": "3306",
        "database": "***MASKED***",
        "user": "reader",
        "password": "${MYSQL_DEFAULT_PASSWORD}",
    }
    assert "c4n4ry" not in session.traffic
    at = _place(session, uri, "mysql:\n    default")
    (trusted,) = await session.command("osiris.trust", at)
    assert (trusted["alias"], trusted["trusted"]) == ("default", True)
    assert "host: ${DB_HOST}" in session.asked[0]
    assert "reads ${AWS_SECRET_ACCESS_KEY}, ${DB_HOST}" in session.asked[0]
    shown = await session.command("osiris.showResolved", {"id": trusted["id"]})
    values = {field["name"]: field["value"] for field in shown["fields"]}
    assert values["host"] == "c4n4ry-host-5"
    assert values["database"] == "***MASKED***"
    assert AMBIENT not in session.traffic


@pytest.mark.asyncio
async def test_explanations_and_debug_information(session: Session) -> None:
    """A rule's page by code or name; what helps with a bug, without text, paths or values."""
    editor = session.editor
    editor.open("osiris_connections.yaml", SECRET)
    told = await session.command("osiris.explainRule", {"rule": "OSR219"})
    assert told["rule"] == "unknown-alias"
    assert told["markdown"].startswith("# unknown-alias (OSR219)\n")
    message = await _refused(session, "osiris.explainRule", {"rule": "unknown-alas"})
    assert message == "`unknown-alas` is no rule; did you mean `unknown-alias`?"
    found = await session.command("osiris.debugInformation")
    assert found["encoding"] == editor.encoding
    assert found["counts"]["ours"] == {"connections": 1}
    assert found["settings"]["debounce"] == 0
    assert "textDocument" in found["capabilities"]["client"]
    assert "pygls" in found["versions"]
    for text in (CANARY, AMBIENT, str(editor.folder), "db.example.com"):
        assert text not in str(found)
    assert CANARY not in session.traffic


@pytest.mark.asyncio
async def test_a_wrong_call_is_told_what_is_wrong(session: Session) -> None:
    """As an error that the client may show."""
    for command, argument, message in (
        ("osiris.doctor", {"ids": ["@mysql.nope"]}, "there is no connection `@mysql.nope`"),
        ("osiris.doctor", {"ids": "x"}, "must be a list of ids"),
        ("osiris.doctor", {"uri": "file:///nowhere.yaml"}, "is not open"),
        ("osiris.doctor", "x", "takes one object"),
        ("osiris.showResolved", {}, "`id` is missing"),
    ):
        assert message in await _refused(session, command, argument)
    assert session.asked == []
