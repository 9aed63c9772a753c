"""Symbols of documents and of the workspace in three editors."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from lsprotocol import types

from osiris_lsp.documents import ComponentDocument, ConnectionsDocument
from osiris_lsp.engine import Linter
from osiris_lsp.lsp.symbols import Symbol, matches, shown, symbols
from osiris_lsp.lsp.views import View
from osiris_lsp.project import open_project
from osiris_lsp.specs import Families
from osiris_lsp.text import Span
from tests import corpus
from tests.lsp.conftest import CONNECTIONS, PIPELINE, Editor

Kind = types.SymbolKind


def outline(found: Sequence[types.DocumentSymbol], depth: int = 0) -> Iterator[str]:
    """Yield names with their kinds and details, indented."""
    for item in found:
        yield f"{'  ' * depth}{item.name} {item.kind.name} {item.detail or ''}".rstrip()
        yield from outline(item.children or (), depth + 1)


@pytest.mark.asyncio
async def test_connections_are_below_their_families(editor: Editor) -> None:
    """With fields and without values; ranges are in the units of the client."""
    text = CONNECTIONS.replace("replica: {", "replica: {note: 😀, ")
    uri = editor.open("osiris_connections.yaml", text)
    params = types.DocumentSymbolParams(editor.document(uri))
    found = await editor.client.text_document_document_symbol_async(params)
    tree = [item for item in found or () if isinstance(item, types.DocumentSymbol)]
    assert list(outline(tree)) == [
        "mysql Namespace MySQL",
        "  default Variable default",
        *(f"    {name} Field" for name in ("host", "port", "database", "user", "password")),
        "    default Field",
        "  replica Variable",
        *(f"    {name} Field" for name in ("note", "host", "database", "user", "password")),
        "duckdb Namespace DuckDB",
        "  local Variable",
        "    path Field",
    ]
    replica = (tree[0].children or ())[1]
    password = (replica.children or ())[4]
    assert editor.text(uri, password.range) == 'password: "${REPLICA_PASSWORD}"'
    assert editor.text(uri, password.selection_range) == "password"


@pytest.mark.asyncio
async def test_steps_have_their_config(editor: Editor) -> None:
    """With the component as detail."""
    uri = editor.open("pipelines/orders.yaml")
    params = types.DocumentSymbolParams(editor.document(uri))
    found = await editor.client.text_document_document_symbol_async(params)
    tree = [item for item in found or () if isinstance(item, types.DocumentSymbol)]
    assert list(outline(tree))[:7] == [
        "extract-orders Function mysql.extractor",
        "  id Field",
        "  component Field",
        "  mode Field",
        "  config Object",
        "    connection Field",
        "    table Field",
    ]
    assert editor.text(uri, tree[0].selection_range) == "extract-orders"


@pytest.mark.asyncio
async def test_the_workspace_has_connections_pipelines_and_steps(editor: Editor) -> None:
    """Of files on disk and in editors; a change on disk and in a buffer counts at once."""

    async def search(query: str) -> list[tuple[str, str, str | None]]:
        params = types.WorkspaceSymbolParams(query)
        found = await editor.client.workspace_symbol_async(params)
        return [(item.name, item.kind.name, item.container_name) for item in found or ()]

    assert sorted(await search("")) == [
        ("@duckdb.local", "Variable", "duckdb"),
        ("@mysql.default", "Variable", "mysql"),
        ("@mysql.replica", "Variable", "mysql"),
        ("extract-orders", "Function", "orders"),
        ("orders", "Module", None),
        ("write-orders", "Function", "orders"),
    ]
    assert [item[0] for item in await search("MyDef")] == ["@mysql.default"]
    path = editor.folder / "pipelines" / "orders.yaml"
    path.write_text(PIPELINE.replace("name: orders", "name: sold things"))
    assert await search("sold") == [("sold things", "Module", None)]
    editor.open("pipelines/orders.yaml", PIPELINE.replace("name: orders", "name: bought"))
    assert await search("sold th") == []
    assert await search("bought") == [("bought", "Module", None)]


def nested(found: Sequence[Symbol], text: str, outer: Span) -> int:
    """Check what LSP wants of symbols, and return how many there are."""
    for item in found:
        assert item.name.strip()
        assert outer.start <= item.span.start <= item.key.start
        assert item.key.end <= item.span.end <= outer.end
    return len(found) + sum(nested(item.children, text, item.span) for item in found)


def test_ranges_are_nested(tmp_path: Path) -> None:
    """In all files of the corpus, cut off anywhere, with merges and without names."""
    project = open_project(str(tmp_path))
    merged = (
        "a: &a {h: {u: 1}}\nversion: 1\nconnections:\n  mysql: *a\n  ? ''\n  : {'': {<<: *a}}\n"
    )
    texts = [merged, *(path.read_text() for path in corpus.files())]
    count = 0
    for text in texts:
        for end in range(0, len(text), 97):
            part = text[end:] if end % 2 else text[: len(text) - end]
            document = project.open(str(tmp_path / "osiris_connections.yaml"), part)
            if document is not None:
                count += nested(symbols(document), part, Span(0, len(part)))
    assert count > 1_000


def test_secrets_are_not_in_an_outline(tmp_path: Path) -> None:
    """No value is, wherever it stands."""
    text = CONNECTIONS.replace("${MYSQL_DEFAULT_PASSWORD}", "orange-tractor-9")
    document = ConnectionsDocument(str(tmp_path / "x.yaml"), text, Families())
    assert "orange-tractor-9" not in repr(symbols(document))


def test_clients_without_trees_get_a_list(tmp_path: Path) -> None:
    """With the names of what contains each symbol."""
    project = open_project(str(tmp_path))
    path = tmp_path / "osiris_connections.yaml"
    document = project.open(str(path), CONNECTIONS)
    assert document is not None
    view = View(path.as_uri(), 1, document, Linter(project), "utf-16")
    found = [item for item in shown(view, False) if isinstance(item, types.SymbolInformation)]
    assert [(item.name, item.container_name) for item in found][-3:] == [
        ("duckdb", None),
        ("local", "duckdb"),
        ("path", "local"),
    ]


def test_component_specs_show_their_schema() -> None:
    """Keys with those of their schema below them."""
    text = "name: a.b\nconfigSchema:\n  properties:\n    table: {type: string}\n"
    (name, schema) = symbols(ComponentDocument("/spec.yaml", text))
    assert (name.name, schema.name) == ("name", "configSchema")
    assert [item.name for item in schema.children[0].children] == ["table"]


def test_queries_match_characters_in_order() -> None:
    """In any case; an empty query matches all."""
    assert matches("@mysql.default", "mySDef")
    assert matches("@mysql.default", "")
    assert not matches("@mysql.default", "defmysql")
