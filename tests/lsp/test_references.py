"""Find references in three editors: across pipelines, with and without the declaration."""

from pathlib import Path

import pytest
from lsprotocol import types

from osiris_lsp.engine import Linter
from osiris_lsp.lsp.occurrences import name_at, places
from osiris_lsp.lsp.views import View
from osiris_lsp.project import Project
from tests.cli.conftest import write
from tests.lsp.conftest import CONNECTIONS, PIPELINE, Editor

OTHER = """\
# 😀
oml_version: "0.1.0"
name: other
params: {source: {default: "@mysql.replica"}}
steps:
  - {id: bare, component: mysql.extractor, mode: read, config: {connection: "@mysql", table: a}}
  - {id: none, component: mysql.extractor, mode: read, config: {table: a}}
  - {id: two, component: mysql.extractor, mode: read, config: {connection: '@mysql.replica'}}
  - {id: local, component: duckdb.processor, config: {connection: "@duckdb.default"}}
"""


async def references(
    editor: Editor, uri: str, before: str, declaration: bool = False
) -> list[tuple[str, int, str]]:
    """Return file, line and text of each reference to what stands behind a piece of a file."""
    found = await editor.client.text_document_references_async(
        types.ReferenceParams(
            types.ReferenceContext(declaration), editor.document(uri), editor.at(uri, before)
        )
    )
    return sorted(
        (Path(item.uri).name, item.range.start.line, editor.text(item.uri, item.range))
        for item in found or ()
    )


@pytest.mark.asyncio
async def test_an_alias_has_uses_in_all_pipelines(editor: Editor) -> None:
    """From its definition and from a use: by name, as the default, and where nothing is said."""
    write(
        editor.folder,
        {
            "pipelines/other.yaml": OTHER,
            "nested/osiris_connections.yaml": CONNECTIONS,
            "nested/p.yaml": PIPELINE,
            "compose.yaml": "services: {web: {image: '@mysql.default'}}\n",
        },
    )
    connections = editor.open("osiris_connections.yaml")
    pipeline = editor.open("pipelines/orders.yaml")
    uses = [
        ("orders.yaml", 8, "default"),
        ("other.yaml", 5, "@mysql"),
        ("other.yaml", 6, "mysql.extractor"),
    ]
    definition = ("osiris_connections.yaml", 4, "default")
    assert await references(editor, connections, "mysql:\n    def") == uses
    assert await references(editor, pipeline, "@mysql.", True) == sorted([*uses, definition])
    assert await references(editor, connections, "    repl") == [
        ("other.yaml", 3, "replica"),
        ("other.yaml", 7, "replica"),
    ]


@pytest.mark.asyncio
async def test_unsaved_text_wins(editor: Editor) -> None:
    """A reference that has been typed counts, one that has been removed does not."""
    connections = editor.open("osiris_connections.yaml")
    pipeline = editor.open("pipelines/orders.yaml")
    editor.change(pipeline, PIPELINE.replace("@mysql.default", "@mysql.replica"))
    assert await references(editor, connections, "mysql:\n    def") == []
    assert await references(editor, connections, "    replica") == [("orders.yaml", 8, "replica")]


@pytest.mark.asyncio
async def test_a_family_has_the_references_of_its_connections(editor: Editor) -> None:
    """Whatever their alias."""
    write(editor.folder, {"pipelines/other.yaml": OTHER})
    connections = editor.open("osiris_connections.yaml")
    found = await references(editor, connections, "  mysql")
    assert [(file, line) for file, line, _ in found] == [
        ("orders.yaml", 8),
        ("other.yaml", 3),
        ("other.yaml", 5),
        ("other.yaml", 6),
        ("other.yaml", 7),
    ]


@pytest.mark.asyncio
async def test_names_of_one_file(editor: Editor) -> None:
    """Steps, anchors and variables are named in their own file."""
    pipeline = editor.open("pipelines/orders.yaml")
    assert await references(editor, pipeline, "id: extract-or", True) == [
        ("orders.yaml", 4, "extract-orders"),
        ("orders.yaml", 13, "extract-orders"),
    ]
    text = CONNECTIONS.replace("default:\n", "default: &x\n", 1) + "  sqlite: {one: {<<: *x}}\n"
    text += '  postgres: {one: {password: "${REPLICA_PASSWORD}"}}\n'
    connections = editor.open("osiris_connections.yaml", text)
    assert await references(editor, connections, "<<: *x") == [("osiris_connections.yaml", 15, "x")]
    assert await references(editor, connections, "{password: ") == []
    assert await references(editor, connections, '{one: {password: "${R') == [
        ("osiris_connections.yaml", 11, "REPLICA_PASSWORD"),
        ("osiris_connections.yaml", 16, "REPLICA_PASSWORD"),
    ]


@pytest.mark.asyncio
async def test_a_component_has_its_steps(editor: Editor) -> None:
    """In all pipelines, built-in components too."""
    write(editor.folder, {"pipelines/other.yaml": OTHER})
    pipeline = editor.open("pipelines/orders.yaml")
    found = await references(editor, pipeline, "component: mysql.")
    assert [(file, line) for file, line, _ in found] == [
        ("orders.yaml", 5),
        ("other.yaml", 5),
        ("other.yaml", 6),
        ("other.yaml", 7),
    ]


@pytest.mark.asyncio
async def test_nothing_stands_there(editor: Editor) -> None:
    """Keys, comments and foreign files have no references."""
    pipeline = editor.open("pipelines/orders.yaml")
    assert await references(editor, pipeline, "# 😀 or") == []
    assert await references(editor, pipeline, "oml_ver") == []
    foreign = editor.open("compose.yaml", "services: {web: {image: '@mysql.default'}}\n")
    assert await references(editor, foreign, "@mysql.d") == []


def test_a_name_is_one_of_its_own_places(project_folder: Path) -> None:
    """At every offset of a text, sound or cut off there: what is renamed is what was meant."""
    project = Project(str(project_folder))
    names = 0
    for file, text in (("osiris_connections.yaml", CONNECTIONS), ("p.yaml", OTHER)):
        for offset in range(len(text)):
            for shown in (text, text[:offset]):
                document = project.open(str(project_folder / file), shown)
                if document is None:
                    continue
                view = View("file:///x", 1, document, Linter(project), "utf-16")
                name = name_at(view, offset)
                if name is None or name.words[-1] not in shown[slice(*name.span)]:
                    continue
                names += 1
                if document.is_broken(0, len(shown)):
                    continue
                found = [place for place in places(view, name) if place.span == name.span]
                assert len(found) == 1, (offset, name)
    assert names > 200
