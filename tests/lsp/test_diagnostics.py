"""Diagnostics in three editors: pushed and pulled, in their units, with what depends on them."""

from typing import Any

import pytest
from lsprotocol import types

from tests.lsp.conftest import CONNECTIONS, PIPELINE, Editor
from tests.lsp.test_code_lens import listen


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
async def test_an_edit_of_a_pipeline_reaches_the_connections(editor: Editor) -> None:
    """Where it uses other connections than before; any other edit asks for nothing."""
    asked = listen(editor)
    connections = editor.open("osiris_connections.yaml")
    pipeline = editor.open("pipelines/orders.yaml")

    async def unused() -> list[str]:
        found = await editor.diagnostics(connections)
        return [item.message.split("`")[1] for item in found if item.code == "OSR118"]

    assert await unused() == ["@mysql.replica", "@duckdb.local"]
    await editor.settle()
    asked.clear()
    editor.change(pipeline, PIPELINE.replace("table: orders", "table: items"))
    await editor.settle()
    assert asked == []
    editor.change(pipeline, PIPELINE.replace("@mysql.default", "@mysql.replica"))
    await editor.settle()
    workspace: Any = editor.client.capabilities
    support = workspace.workspace.diagnostics
    refreshes = support is not None and support.refresh_support is True
    assert (types.WORKSPACE_DIAGNOSTIC_REFRESH in asked) == refreshes
    assert await unused() == ["@mysql.default", "@duckdb.local"]


@pytest.mark.asyncio
async def test_foreign_yaml_has_none(editor: Editor) -> None:
    """A file that is not ours is left alone."""
    uri = editor.open("compose.yaml", "services:\n  web: {image: x}\n")
    if editor.pulls:
        assert await editor.diagnostics(uri) == []
