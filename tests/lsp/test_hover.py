"""Hover in three editors: what stands there, its exact range, and never a value of a variable."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import LanguageClient

from osiris_lsp.connectors.result import DoctorResult
from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.lsp.checks import Last
from osiris_lsp.lsp.descriptions import of_connection
from osiris_lsp.lsp.variables import Variables
from osiris_lsp.specs import Families
from tests.lsp.conftest import CONNECTIONS, PIPELINE, SERVER, Editor, capabilities

PIPELINES = "pipelines/orders.yaml"
CANARY = "c4n4ry-p4ss"


async def hover(editor: Editor, uri: str, before: str, shift: int = 0) -> tuple[str, str] | None:
    """Return the text without format and the range as text, right behind a piece of text."""
    position = editor.at(uri, before, shift)
    found = await editor.client.text_document_hover_async(
        types.HoverParams(editor.document(uri), position)
    )
    if found is None:
        return None
    contents: Any = found.contents
    assert found.range is not None
    return contents.value, editor.text(uri, found.range)


@pytest.mark.asyncio
async def test_a_reference_shows_its_connection(editor: Editor) -> None:
    """Where it is defined, fields without secrets, and which variables are set."""
    (editor.folder / ".env").write_text(f"MYSQL_DEFAULT_PASSWORD={CANARY}\n")
    uri = editor.open(PIPELINES, PIPELINE.replace("connection:", "😀: 1\n      connection:"))
    found = await hover(editor, uri, '"@mysql.def')
    assert found is not None
    assert found == (
        "**`@mysql.default`**: MySQL, the default\n\n"
        "Defined in `osiris_connections.yaml:5`\n\n"
        "- `host`: `db.example.com`\n"
        "- `port`: `3306`\n"
        "- `database`: `shop`\n"
        "- `user`: `reader`\n"
        "- `password`: `${MYSQL_DEFAULT_PASSWORD}` (`MYSQL_DEFAULT_PASSWORD` is set in `.env`)",
        "@mysql.default",
    )


@pytest.mark.asyncio
async def test_no_secret_shows(editor: Editor) -> None:
    """Neither one that is written out, nor below a misspelt or unknown name, nor in a DSN."""
    text = CONNECTIONS.replace("${MYSQL_DEFAULT_PASSWORD}", CANARY).replace(
        "      port: 3306\n",
        f"      pasword: {CANARY}2\n      api_token: {CANARY}3\n"
        f"      dsn: mysql://u:{CANARY}4@h/d\n      note: ghp_{'a1' * 18}\n",
    )
    editor.open("osiris_connections.yaml", text)
    uri = editor.open(PIPELINES)
    found = await hover(editor, uri, '"@mysql.def')
    assert found is not None
    assert CANARY not in found[0]
    assert "ghp_" not in found[0]
    assert "- `password`: `***MASKED***`" in found[0]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("value", "before", "expected"),
    [
        ("${HOME}", "${HO", ("`HOME` is set in the environment", "${HOME}")),
        ("a-${IN_FILE}", "${IN", ("`IN_FILE` is set in `.env`", "${IN_FILE}")),
        (
            "😀${EMPTY}",
            "${EM",
            (
                "`EMPTY` is set to an empty value, which counts as **not set**",
                "${EMPTY}",
            ),
        ),
        (
            "${NO_SUCH:-x}",
            "${NO",
            (
                "`NO_SUCH` is **not set**, neither in the environment nor in `.env`; "
                "its default counts",
                "${NO_SUCH:-x}",
            ),
        ),
        (
            "${vault:kv/shop#user}",
            "${va",
            (
                "`kv/shop#user` is read from HashiCorp Vault when the connection is opened",
                "${vault:kv/shop#user}",
            ),
        ),
    ],
)
async def test_a_variable_says_where_it_is_set(
    editor: Editor, value: str, before: str, expected: tuple[str, str]
) -> None:
    """Set or not and from where, never its value."""
    (editor.folder / ".env").write_text(f"IN_FILE={CANARY}\nEMPTY=\n")
    text = CONNECTIONS.replace("db.example.com", f'"{value}"')
    uri = editor.open("osiris_connections.yaml", text)
    assert await hover(editor, uri, before) == expected


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "before", "start", "range_text"),
    [
        ("osiris_connections.yaml", "      por", "**`port`**: integer, default `3306`", "port"),
        ("osiris_connections.yaml", "  mys", "**`mysql`**: MySQL\n", "mysql"),
        ("osiris_connections.yaml", "    repl", "**`@mysql.replica`**: MySQL\n", "replica"),
        ("osiris_connections.yaml", "conne", "**`connections`**: mapping", "connections"),
        (PIPELINES, "oml_v", "**`oml_version`**: text", "oml_version"),
        (PIPELINES, "      tab", "**`table`**: text", "table"),
        (PIPELINES, "mode: re", "**`mode`**: text", "read"),
        (PIPELINES, "mysql.ext", "**`mysql.extractor`**: MySQL extractor", "mysql.extractor"),
        (PIPELINES, "needs: [ext", "**`extract-orders`**: step 1, line 5", "extract-orders"),
        (PIPELINES, "id: ext", "**`extract-orders`**: step 1, line 5", "extract-orders"),
    ],
)
async def test_a_word_is_explained(
    editor: Editor, name: str, before: str, start: str, range_text: str
) -> None:
    """Fields, families, aliases, components, modes and steps."""
    uri = editor.open(name)
    found = await hover(editor, uri, before)
    assert found is not None
    assert (found[0][: len(start)], found[1]) == (start, range_text)


@pytest.mark.asyncio
@pytest.mark.parametrize("before", ["# 😀 or", "table: ord", "./orders", "name: ord", "steps:\n "])
async def test_plain_text_has_none(editor: Editor, before: str) -> None:
    """Comments, values that are no names, and gaps."""
    uri = editor.open(PIPELINES)
    assert await hover(editor, uri, before) is None


@pytest.mark.asyncio
async def test_a_rule_in_a_comment_is_explained(editor: Editor) -> None:
    """The page of the rule, and what a prefix selects; an unknown word has nothing."""
    text = PIPELINE.replace("name: orders", "name: orders # osiris: ignore[OSR217, OSR4, nope] 😀")
    uri = editor.open(PIPELINES, text)
    found = await hover(editor, uri, "ignore[OSR2")
    assert found is not None
    assert (found[0].splitlines()[0], found[1]) == ("# implicit-default (OSR217)", "OSR217")
    assert found[0].endswith("in `osiris-lsp.toml`.\n")
    prefix = await hover(editor, uri, "OSR217, OS")
    assert prefix is not None
    assert (prefix[0].splitlines()[0], prefix[1]) == ("`OSR4` selects 7 rules", "OSR4")
    assert await hover(editor, uri, "OSR4, no") is None


@pytest.mark.asyncio
async def test_text_of_a_project_is_escaped(editor: Editor) -> None:
    """The spec of a component cannot bring a link into a hover."""
    folder = editor.folder / "components" / "mine"
    folder.mkdir(parents=True)
    (folder / "spec.yaml").write_text(
        "name: mine.extractor\nversion: 1.0.0\ntitle: '[t](command:x)'\nmodes: [extract]\n"
        "configSchema:\n  type: object\n  properties:\n"
        "    table: {type: string, description: '<a href=x>`b`</a>'}\n"
    )
    uri = editor.open(PIPELINES, PIPELINE.replace("mysql.extractor", "mine.extractor"))
    component = await hover(editor, uri, "mine.ext")
    key = await hover(editor, uri, "      tab")
    assert component is not None
    assert key is not None
    assert component[0].startswith(r"**`mine.extractor`**: \[t\]\(command\:x\)")
    assert r"\<a href\=x\>\`b\`\<\/a\>" in key[0]


@pytest.mark.asyncio
async def test_a_foreign_file_has_none(editor: Editor) -> None:
    """A file that is not ours is left alone."""
    uri = editor.open("compose.yaml", "services:\n  web: {image: x}\n")
    assert await hover(editor, uri, "serv") is None


@pytest.mark.asyncio
async def test_env_is_read_as_it_is_now(editor: Editor) -> None:
    """A variable that is added to `.env` is seen, also where the client watches no files."""
    uri = editor.open("osiris_connections.yaml")
    before = await hover(editor, uri, "${REPLICA")
    (editor.folder / ".env").write_text("REPLICA_PASSWORD=x\n")
    after = await hover(editor, uri, "${REPLICA")
    assert before == (
        "`REPLICA_PASSWORD` is **not set**, neither in the environment nor in `.env`",
        "${REPLICA_PASSWORD}",
    )
    assert after == ("`REPLICA_PASSWORD` is set in `.env`", "${REPLICA_PASSWORD}")


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (DoctorResult("mysql", "default", True, 12.4, "ok", "ok"), ["ok 12 ms, 2 min ago"]),
        (
            DoctorResult(
                "mysql",
                "default",
                False,
                None,
                "auth",
                "[access](command:x) denied",
                {"remedy": "check `password`"},
            ),
            [
                "failed, auth, 2 min ago",
                r"- \[access\]\(command\:x\) denied",
                r"- check \`password\`",
            ],
        ),
    ],
)
def test_the_last_check_shows(result: DoctorResult, expected: list[str]) -> None:
    """How it went, what was wrong and what to do, with texts of servers escaped."""
    document = ConnectionsDocument("/p/osiris_connections.yaml", CONNECTIONS, Families())
    entry = document.connections[0]
    check = Last(result, 0.0, 125.0, False)
    text = of_connection(document, entry, Variables({}, {}, document), "/p", check)
    shown = text.partition("Doctor: ")[2].splitlines()
    assert [shown[0].replace("\\", ""), *shown[1:]] == expected


@pytest.mark.asyncio
async def test_only_who_asks_gets_a_link(rich_client: LanguageClient, project_folder: Path) -> None:
    """A client that names the command gets a link with an id that says nothing of the file."""
    path = project_folder / "osiris_connections.yaml"
    item = types.TextDocumentItem(path.as_uri(), "yaml", 1, path.read_text())
    rich_client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    line = next(i for i, text in enumerate(item.text.splitlines()) if text == "    default:")
    found = await rich_client.text_document_hover_async(
        types.HoverParams(types.TextDocumentIdentifier(item.uri), types.Position(line, 5))
    )
    assert found is not None
    contents: Any = found.contents
    link = contents.value.rpartition("\n\n")[2]
    pattern = r"\[Run doctor\]\(command:osiris\.doctor\?([%\w]+)\)"
    match = re.fullmatch(pattern, link)
    assert match is not None
    (arguments,) = json.loads(unquote(match[1]))
    assert re.fullmatch("[0-9a-f]{16}", arguments["ids"][0])


@pytest_lsp.fixture(config=SERVER)
async def rich_client(lsp_client: LanguageClient, project_folder: Path) -> AsyncIterator[None]:
    """A session of a client that runs the doctor from a link."""
    able = capabilities("emacs")
    able.experimental = {"commands": {"commands": ["osiris.doctor"]}}
    assert able.text_document is not None
    able.text_document.hover = types.HoverClientCapabilities(
        content_format=[types.MarkupKind.Markdown]
    )

    @lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def registered(params: types.RegistrationParams) -> None:
        """Accept what the server registers."""

    lsp_client.set_configuration({"osiris": {}})
    folder = types.WorkspaceFolder(project_folder.as_uri(), "project")
    await lsp_client.initialize_session(
        types.InitializeParams(capabilities=able, workspace_folders=[folder])
    )
    yield
    await lsp_client.shutdown_session()
