"""Diagnostics in three editors: pushed and pulled, in their units, with what depends on them."""

import pytest
from lsprotocol import types

from tests.lsp.conftest import CONNECTIONS, PIPELINE, Editor


@pytest.mark.asyncio
async def test_a_finding_is_at_its_characters(editor: Editor) -> None:
    """In the unit of the client, behind an emoji, with the fix in `data`."""
    text = PIPELINE.replace('"@mysql.default"', '"@mysql.defualt" # 😀')
    uri = editor.open("pipelines/orders.yaml", text)
    (found,) = await editor.diagnostics(uri)
    assert (found.code, found.source) == ("OSR219", "osiris")
    assert editor.text(uri, found.range) == '"@mysql.defualt"'
    assert found.severity == types.DiagnosticSeverity.Error
    assert found.code_description is not None
    assert found.code_description.href.endswith("/rules/unknown-alias.md")


@pytest.mark.asyncio
async def test_an_edit_of_the_connections_reaches_the_pipeline(editor: Editor) -> None:
    """An unsaved alias counts; the pipeline is shown anew."""
    pipeline = editor.open("pipelines/orders.yaml")
    assert await editor.diagnostics(pipeline) == []
    connections = editor.open("osiris_connections.yaml")
    editor.change(connections, CONNECTIONS.replace("    default:\n", "    main:\n"))
    found = await editor.diagnostics(pipeline)
    assert [item.code for item in found] == ["OSR219"]


@pytest.mark.asyncio
async def test_foreign_yaml_has_none(editor: Editor) -> None:
    """A file that is not ours is left alone."""
    uri = editor.open("compose.yaml", "services:\n  web: {image: x}\n")
    if editor.pulls:
        assert await editor.diagnostics(uri) == []
