"""Go to definition in three editors: references, `needs`, anchors, component specs."""

from pathlib import Path

import pytest
from lsprotocol import types

from tests.cli.conftest import write
from tests.lsp.conftest import CONNECTIONS, PIPELINE, Editor

SPEC = """\
# 😀
name: acme.extractor
version: 1.0.0
modes: [extract]
configSchema: {type: object, properties: {table: {type: string}}}
"""


async def definition(editor: Editor, uri: str, before: str) -> list[tuple[str, str]]:
    """Return file and text of each definition of what stands behind a piece of a file."""
    found = await editor.client.text_document_definition_async(
        types.DefinitionParams(editor.document(uri), editor.at(uri, before))
    )
    places = []
    for item in found if isinstance(found, list) else []:
        if isinstance(item, types.LocationLink):
            target, range_ = item.target_uri, item.target_selection_range
        else:
            assert isinstance(item, types.Location)
            target, range_ = item.uri, item.range
        places.append((Path(target).name, editor.text(target, range_)))
    return places


@pytest.mark.asyncio
@pytest.mark.inventory("S1-CONN004-07")
async def test_a_reference_leads_to_its_alias(editor: Editor) -> None:
    """In a closed file, in an unsaved one, and for `@family` to the default."""
    uri = editor.open("pipelines/orders.yaml")
    expected = [("osiris_connections.yaml", "default")]
    assert await definition(editor, uri, '"@mysql.de') == expected
    editor.change(uri, PIPELINE.replace("@mysql.default", "@mysql # 😀"))
    editor.change(uri, PIPELINE.replace('"@mysql.default"', '"@mysql"'))
    assert await definition(editor, uri, '"@mys') == expected
    connections = editor.open("osiris_connections.yaml")
    editor.change(connections, CONNECTIONS.replace("    default:\n", "    # 😀\n    default:\n"))
    assert await definition(editor, uri, '"@mys') == expected
    editor.change(uri, PIPELINE.replace("@mysql.default", "@mysql.none"))
    assert await definition(editor, uri, '"@mysql.no') == []


@pytest.mark.asyncio
async def test_the_nearest_connections_file_counts(editor: Editor) -> None:
    """A pipeline beside another connections file has the connections of that one."""
    write(editor.folder, {"other/osiris_connections.yaml": CONNECTIONS, "other/p.yaml": PIPELINE})
    uri = editor.open("other/p.yaml")
    found = await editor.client.text_document_definition_async(
        types.DefinitionParams(editor.document(uri), editor.at(uri, "@mysql.default"))
    )
    assert isinstance(found, list)
    (item,) = found
    target = item.target_uri if isinstance(item, types.LocationLink) else item.uri
    assert target == editor.uri("other/osiris_connections.yaml")


@pytest.mark.asyncio
async def test_a_link_spans_the_reference_and_the_connection(editor: Editor) -> None:
    """Where the client takes links: from the whole reference to the whole entry."""
    uri = editor.open("pipelines/orders.yaml")
    found = await editor.client.text_document_definition_async(
        types.DefinitionParams(editor.document(uri), editor.at(uri, "@mysql.d"))
    )
    assert isinstance(found, list)
    (item,) = found
    capabilities = editor.client.capabilities
    assert capabilities is not None
    assert capabilities.text_document is not None
    support = capabilities.text_document.definition
    links = support is not None and bool(support.link_support)
    assert isinstance(item, types.LocationLink) == links
    if isinstance(item, types.LocationLink):
        assert item.origin_selection_range is not None
        assert editor.text(uri, item.origin_selection_range) == "@mysql.default"
        whole = editor.text(item.target_uri, item.target_range)
        assert whole.startswith("default:\n")
        assert whole.endswith("default: true")


@pytest.mark.asyncio
async def test_steps_and_anchors_are_in_the_file(editor: Editor) -> None:
    """`needs`, `inputs` and the tables of a query lead to the step; `*x` leads to `&x`."""
    query = "  - id: sum\n    component: duckdb.processor\n    mode: transform\n"
    query += (
        '    inputs_: &x 1\n    config: {query: "SELECT 1 FROM df_extract_orders"}\n    y: *x\n'
    )
    text = PIPELINE.replace("  - id: write", f"{query}  - id: write")
    text = text.replace("needs: [", "needs: [ # 😀\n      ")
    uri = editor.open("pipelines/orders.yaml", text)
    expected = [("orders.yaml", "extract-orders")]
    assert await definition(editor, uri, "      extract-o") == expected
    assert await definition(editor, uri, "FROM df_ex") == expected
    assert await definition(editor, uri, "- id: extract-o") == expected
    assert await definition(editor, uri, "y: *x") == [("orders.yaml", "x")]
    assert await definition(editor, uri, "mode: trans") == []


@pytest.mark.asyncio
async def test_a_component_leads_to_its_spec(editor: Editor) -> None:
    """Where the project has one; a built-in component has no file."""
    write(editor.folder, {"components/acme/spec.yaml": SPEC})
    uri = editor.open("pipelines/orders.yaml", PIPELINE.replace("mysql.ex", "acme.ex"))
    assert await definition(editor, uri, "acme.") == [("spec.yaml", "acme.extractor")]
    assert await definition(editor, uri, "filesystem.") == []
