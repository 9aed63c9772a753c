"""Highlight in three editors: the places of a name in one document."""

import pytest
from lsprotocol import types

from tests.lsp.conftest import CONNECTIONS, PIPELINE, Editor

READ, WRITE = types.DocumentHighlightKind.Read, types.DocumentHighlightKind.Write


async def highlights(
    editor: Editor, uri: str, before: str
) -> list[tuple[int, str, types.DocumentHighlightKind | None]]:
    """Return line, text and kind of what is highlighted behind a piece of a file."""
    found = await editor.client.text_document_document_highlight_async(
        types.DocumentHighlightParams(editor.document(uri), editor.at(uri, before))
    )
    return [
        (item.range.start.line, editor.text(uri, item.range), item.kind) for item in found or ()
    ]


@pytest.mark.asyncio
async def test_a_step_and_those_that_need_it(editor: Editor) -> None:
    """Its id is written, the rest reads."""
    uri = editor.open("pipelines/orders.yaml", PIPELINE.replace("needs:", "needs: # 😀\n     "))
    expected = [(4, "extract-orders", WRITE), (14, "extract-orders", READ)]
    assert await highlights(editor, uri, "[extract") == expected
    assert await highlights(editor, uri, "id: extract") == expected


@pytest.mark.asyncio
async def test_a_connection(editor: Editor) -> None:
    """Only what is in this document: the alias here, its uses there."""
    connections = editor.open("osiris_connections.yaml")
    assert await highlights(editor, connections, "    repl") == [(11, "replica", WRITE)]
    text = PIPELINE.replace("filesystem.csv_writer", "mysql.extractor")
    text = text.replace("path: ./orders.csv", "{connection: '@mysql.default'}")
    pipeline = editor.open("pipelines/orders.yaml", text)
    assert await highlights(editor, pipeline, '"@mysql.d') == [
        (8, "default", READ),
        (15, "default", READ),
    ]


@pytest.mark.asyncio
async def test_an_anchor_and_a_variable(editor: Editor) -> None:
    """Without `&`, `*`, `${` and `}`."""
    text = CONNECTIONS.replace("default:\n", "default: &x\n", 1) + "  sqlite: {one: {<<: *x}}\n"
    uri = editor.open("osiris_connections.yaml", text)
    assert await highlights(editor, uri, "&") == [(4, "x", WRITE), (15, "x", READ)]
    assert await highlights(editor, uri, '"${REPL') == [(11, "REPLICA_PASSWORD", READ)]
    assert await highlights(editor, uri, "version: ") == []
