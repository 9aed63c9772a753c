"""Inlay hints in three editors: the default connection, and variables worth a look."""

from typing import Any

import pytest
from lsprotocol import types

from tests.lsp.conftest import CONNECTIONS, PIPELINE, Editor
from tests.lsp.test_code_lens import listen

CANARY = "c4n4ry-p4ss"
WHOLE = types.Range(types.Position(0, 0), types.Position(1000, 0))


@pytest.fixture(autouse=True)
def asked(editor: Editor) -> list[str]:
    """The requests to ask anew that came."""
    return listen(editor)


async def hints(editor: Editor, uri: str, within: types.Range = WHOLE) -> list[tuple[str, str]]:
    """Return the line before each hint and its label."""
    found = await editor.client.text_document_inlay_hint_async(
        types.InlayHintParams(editor.document(uri), within)
    )
    result = []
    for hint in found or ():
        assert CANARY not in str(hint)
        line = types.Range(types.Position(hint.position.line, 0), hint.position)
        assert isinstance(hint.label, str)
        result.append((editor.text(uri, line).strip(), hint.label))
    return result


@pytest.mark.asyncio
async def test_the_default_connection_shows(editor: Editor) -> None:
    """Where a step names only the family, and where it names no connection."""
    text = PIPELINE.replace('"@mysql.default"', "'@mysql' # 😀")
    bare = editor.open("pipelines/orders.yaml", text)
    assert await hints(editor, bare) == [("connection: '@mysql", ".default")]
    text = PIPELINE.replace('      connection: "@mysql.default"\n', "")
    text = text.replace("component: mysql", '"component": mysql')
    unnamed = editor.open("pipelines/other.yaml", text)
    assert await hints(editor, unnamed) == [('"component": mysql.extractor', "@mysql.default")]


@pytest.mark.asyncio
async def test_a_named_connection_has_no_hint(editor: Editor) -> None:
    """What is written needs none, and a family without default has none to show."""
    uri = editor.open("pipelines/orders.yaml")
    assert await hints(editor, uri) == []
    connections = CONNECTIONS.replace("    default:\n", "    main:\n")
    editor.open("osiris_connections.yaml", connections.replace("default: true", "port: 1"))
    editor.change(uri, PIPELINE.replace("@mysql.default", "@mysql"))
    assert await hints(editor, uri) == []


@pytest.mark.asyncio
async def test_variables_say_where_they_are_set(editor: Editor) -> None:
    """Not set, in `.env`, or by their default; those in the environment say nothing."""
    (editor.folder / ".env").write_text(f"REPLICA_PASSWORD={CANARY}\n")
    text = CONNECTIONS.replace("db.example.com", '"😀${NO_SUCH:-x}.${HOME}"')
    uri = editor.open("osiris_connections.yaml", text)
    replica = text.splitlines()[11].partition('"}')[0].strip()
    assert await hints(editor, uri) == [
        ('host: "😀${NO_SUCH:-x}', "default"),
        ("password: ${MYSQL_DEFAULT_PASSWORD}", "not set"),
        (replica, ".env"),
    ]
    first_lines = types.Range(types.Position(0, 0), types.Position(7, 0))
    assert await hints(editor, uri, first_lines) == [('host: "😀${NO_SUCH:-x}', "default")]


@pytest.mark.asyncio
async def test_hints_are_asked_anew(editor: Editor, asked: list[str]) -> None:
    """A new default in the connections file brings a refresh, where the client takes one."""
    workspace: Any = editor.client.capabilities
    support = workspace.workspace.inlay_hint
    uri = editor.open("pipelines/orders.yaml", PIPELINE.replace("@mysql.default", "@mysql"))
    connections = editor.open("osiris_connections.yaml")
    editor.change(connections, CONNECTIONS.replace("    default:\n", "    main:\n"))
    assert await hints(editor, uri) == [('connection: "@mysql', ".main")]
    await editor.settle()
    refreshes = support is not None and support.refresh_support is True
    assert (types.WORKSPACE_INLAY_HINT_REFRESH in asked) == refreshes
