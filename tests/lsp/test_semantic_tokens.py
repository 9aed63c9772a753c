"""Semantic tokens in three editors: all, of a range, and what has changed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from osiris_lsp.documents import Document
from osiris_lsp.lsp.semantic_tokens import MODIFIERS, TYPES, changes, tokens
from tests.lsp.conftest import CONNECTIONS, PIPELINE, Editor

TEXT = PIPELINE.replace(
    "      table: orders", "      table: 😀 ${params.table}  # osiris: ignore[OSR2, OSR110] why"
)


def read(editor: Editor, uri: str, data: Any) -> list[tuple[str, str]]:
    """Return the texts of tokens with their types."""
    found = []
    line = character = 0
    for at in range(0, len(data), 5):
        lines, characters, length, kind, _ = data[at : at + 5]
        character = characters if lines else character + characters
        line += lines
        start, end = types.Position(line, character), types.Position(line, character + length)
        found.append((editor.text(uri, types.Range(start, end)), TYPES[kind]))
    return found


@pytest.mark.asyncio
async def test_references_variables_and_comments_have_tokens(editor: Editor) -> None:
    """At their characters, in the units of the client."""
    uri = editor.open("pipelines/orders.yaml", TEXT)
    params = types.SemanticTokensParams(editor.document(uri))
    found = await editor.client.text_document_semantic_tokens_full_async(params)
    assert found is not None
    expected = [
        ("@mysql", "namespace"),
        ("default", "variable"),
        ("${params.", "macro"),
        ("table", "parameter"),
        ("}", "macro"),
        ("osiris: ignore", "keyword"),
        ("OSR2", "enumMember"),
        ("OSR110", "enumMember"),
    ]
    assert read(editor, uri, found.data) == expected
    line = editor.at(uri, "table: ").line
    range_ = types.Range(types.Position(line, 0), types.Position(line + 1, 0))
    ranged = types.SemanticTokensRangeParams(editor.document(uri), range_)
    part = await editor.client.text_document_semantic_tokens_range_async(ranged)
    assert part is not None
    assert read(editor, uri, part.data) == expected[2:]


@pytest.mark.asyncio
async def test_a_delta_gives_what_a_fresh_request_does(editor: Editor) -> None:
    """From the last result on; from an unknown one there are all tokens."""
    uri = editor.open("osiris_connections.yaml")
    document = editor.document(uri)
    client = editor.client
    full = types.SemanticTokensParams(document)
    first = await client.text_document_semantic_tokens_full_async(full)
    assert first is not None and first.result_id is not None
    text = CONNECTIONS.replace("port: 3306", "port: ${MYSQL_PORT:-3306}")
    editor.change(uri, text)
    asked = types.SemanticTokensDeltaParams(document, first.result_id)
    delta: Any = await client.text_document_semantic_tokens_full_delta_async(asked)
    data = list(first.data)
    for edit in delta.edits:
        data[edit.start : edit.start + edit.delete_count] = edit.data or []
    assert [item for item, kind in read(editor, uri, data) if kind == "variable"] == [
        "MYSQL_PORT",
        "MYSQL_DEFAULT_PASSWORD",
        "REPLICA_PASSWORD",
    ]
    same = types.SemanticTokensDeltaParams(document, delta.result_id)
    unchanged: Any = await client.text_document_semantic_tokens_full_delta_async(same)
    assert list(unchanged.edits) == []
    old: Any = await client.text_document_semantic_tokens_full_delta_async(asked)
    assert list(old.data) == data


def test_anchors_block_scalars_and_escapes() -> None:
    """Variables are found where they stand as read, and nowhere else."""
    text = (
        "a: &x ${A}\nb: *x\n${K}: |  # ${NOT}\n  $${B} ${B:-c}\n\n  ${B}\n"
        'd: "\\x24{E} ${F}${vault:g#h}"\ne: ${x y}\n# osiris: off\n# osiris: on\n'
    )
    found = [
        (text[slice(*item.span)], TYPES[item.type], item.modifiers)
        for item in tokens(Document("/x.yaml", text))
    ]
    assert [item[:2] for item in found] == [
        ("&x", "type"),
        ("${", "macro"),
        ("A", "variable"),
        ("}", "macro"),
        ("*x", "type"),
        ("${", "macro"),
        ("B", "variable"),
        (":-c}", "macro"),
        ("${", "macro"),
        ("B", "variable"),
        ("}", "macro"),
        ("${", "macro"),
        ("F", "variable"),
        ("}", "macro"),
        ("${", "macro"),
        ("vault", "variable"),
        (":g#h}", "macro"),
        ("osiris: off", "keyword"),
        ("osiris: on", "keyword"),
    ]
    assert found[0][2] == 1 << MODIFIERS.index("declaration")


@given(st.lists(st.integers(0, 2)), st.lists(st.integers(0, 2)))
def test_changes_lead_from_the_old_tokens_to_the_new(old: list[int], new: list[int]) -> None:
    """Whatever they are."""
    data = list(old)
    for edit in changes(old, new):
        data[edit.start : edit.start + edit.delete_count] = edit.data or []
    assert data == new
