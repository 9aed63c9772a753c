"""Rename in three editors: aliases across files, steps, anchors, and what is refused."""

from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from osiris_lsp.text import LineIndex, Position
from tests.cli.conftest import write
from tests.lsp.conftest import CONNECTIONS, PIPELINE, Editor

OTHER = """\
# 😀
oml_version: "0.1.0"
name: other
steps:
  - {id: two, component: mysql.extractor, config: {connection: '@mysql.default', a: "😀"}}
  - {id: bare, component: mysql.extractor, config: {connection: "@mysql"}}
  - {id: local, component: duckdb.processor, config: {connection: "@duckdb.default"}}
"""

QUERY = """\
oml_version: "0.1.0"
name: sums
steps:
  - id: extract-orders # 😀
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.default", table: orders}
  - id: sum
    component: duckdb.processor
    mode: transform
    needs: ["extract-orders"]
    config:
      query: |
        -- 😀
        SELECT * FROM df_extract_orders
"""


async def rename(editor: Editor, uri: str, before: str, new: str) -> dict[str, str]:
    """Return the texts of the files after a rename of what stands behind a piece of a file."""
    found = await editor.client.text_document_rename_async(
        types.RenameParams(editor.document(uri), editor.at(uri, before), new)
    )
    assert found is not None
    edits: dict[str, list[types.TextEdit | types.AnnotatedTextEdit | types.SnippetTextEdit]] = {}
    for change in found.document_changes or ():
        assert isinstance(change, types.TextDocumentEdit)
        target = change.text_document.uri
        assert change.text_document.version == editor.versions.get(target)
        edits[target] = list(change.edits)
    for target, items in (found.changes or {}).items():
        edits[target] = list(items)
    return {Path(target).name: edited(editor, target, items) for target, items in edits.items()}


def edited(
    editor: Editor,
    uri: str,
    edits: list[types.TextEdit | types.AnnotatedTextEdit | types.SnippetTextEdit],
) -> str:
    """Return the text of a file after edits in the units of the client."""
    text = editor.texts.get(uri) or Path(uri.removeprefix("file://")).read_text()
    lines = LineIndex(text)
    spans = []
    for item in edits:
        assert isinstance(item, types.TextEdit | types.AnnotatedTextEdit)
        start, end = (
            lines.decode(Position(at.line, at.character), editor.encoding)
            for at in (item.range.start, item.range.end)
        )
        spans.append((start, end, item.new_text))
    for start, end, new in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text


async def prepare(editor: Editor, uri: str, before: str) -> tuple[str, str] | None:
    """Return the text in the range of a rename, and the placeholder."""
    found = await editor.client.text_document_prepare_rename_async(
        types.PrepareRenameParams(editor.document(uri), editor.at(uri, before))
    )
    if found is None:
        return None
    assert isinstance(found, types.PrepareRenamePlaceholder)
    return editor.text(uri, found.range), found.placeholder


async def refused(editor: Editor, uri: str, before: str, new: str | None = None) -> str:
    """Return the message with which a rename, or its preparation, is refused."""
    with pytest.raises(JsonRpcException) as caught:
        if new is None:
            await prepare(editor, uri, before)
        else:
            await rename(editor, uri, before, new)
    assert caught.value.code == types.LSPErrorCodes.RequestFailed
    return caught.value.message


@pytest.mark.asyncio
async def test_an_alias_changes_in_all_files(editor: Editor) -> None:
    """In closed files as on disk, in open ones as in the editor; bare references stay."""
    write(editor.folder, {"pipelines/other.yaml": OTHER})
    uri = editor.open("pipelines/orders.yaml", PIPELINE.replace("# 😀", "# 😀 unsaved"))
    expected = {
        "osiris_connections.yaml": CONNECTIONS.replace("    default:\n", "    main:\n"),
        "orders.yaml": editor.texts[uri].replace("@mysql.default", "@mysql.main"),
        "other.yaml": OTHER.replace("@mysql.default", "@mysql.main"),
    }
    assert await prepare(editor, uri, '"@mysql.de') == ("default", "default")
    assert await rename(editor, uri, '"@mysql.de', "main") == expected
    connections = editor.open("osiris_connections.yaml")
    assert await prepare(editor, connections, "mysql:\n    defa") == ("default", "default")
    assert await rename(editor, connections, "mysql:\n    def", "main") == expected
    assert await rename(editor, connections, "mysql:\n    def", "default") == {}


@pytest.mark.asyncio
async def test_an_alias_that_yaml_reads_otherwise_is_quoted(editor: Editor) -> None:
    """`no` is a truth value in YAML 1.1."""
    connections = editor.open("osiris_connections.yaml")
    assert await rename(editor, connections, "    replica", "no") == {
        "osiris_connections.yaml": CONNECTIONS.replace("    replica:", '    "no":')
    }


@pytest.mark.asyncio
async def test_a_new_alias_must_be_one(editor: Editor) -> None:
    """CONN-004, and not the name of another connection of the family."""
    uri = editor.open("pipelines/orders.yaml")
    for new in ("Main", "a-b", "", "1a", "a\n", "a.b"):
        message = await refused(editor, uri, '"@mysql.de', new)
        assert "cannot be an alias; use lower-case letters, digits and `_`" in message
    assert await refused(editor, uri, '"@mysql.de', "replica") == (
        "`@mysql.replica` is defined in osiris_connections.yaml already; take another name"
    )


@pytest.mark.asyncio
async def test_the_default_by_name_keeps_its_name(editor: Editor) -> None:
    """Where nothing but its name makes it the default, `@family` would lose its meaning."""
    write(editor.folder, {"pipelines/other.yaml": OTHER})
    text = CONNECTIONS.replace("      default: true\n", "")
    connections = editor.open("osiris_connections.yaml", text)
    assert await refused(editor, connections, "mysql:\n    def", "main") == (
        "1 step takes `@mysql.default` as the default because of its name; set `default: true` on "
        "it in osiris_connections.yaml first"
    )


@pytest.mark.asyncio
async def test_what_cannot_be_renamed(editor: Editor) -> None:
    """Families, variables, components and what is not defined, each with a reason."""
    connections = editor.open("osiris_connections.yaml")
    pipeline = editor.open("pipelines/orders.yaml")
    family = "`mysql` is a family of connections, which Osiris gives its name; rename an alias "
    assert (await refused(editor, connections, "  mys")).startswith(family)
    assert (await refused(editor, pipeline, '"@my')).startswith(family)
    assert "variable of the environment" in await refused(editor, connections, '"${REP')
    assert "name of a component" in await refused(editor, pipeline, "component: mysql.")
    editor.change(pipeline, PIPELINE.replace("@mysql.default", "@mysql.none"))
    assert await refused(editor, pipeline, "@mysql.n") == (
        "`@mysql.none` is not defined in osiris_connections.yaml; define it first"
    )
    editor.change(pipeline, PIPELINE.replace("@mysql.default", "@mysql"))
    assert await refused(editor, pipeline, '"@mys') == (
        "`@mysql` has no alias; rename `default` where it is defined"
    )
    editor.change(pipeline, PIPELINE.replace("[extract", "[none"))
    assert await refused(editor, pipeline, "[no") == (
        "there is no step `none-orders` in this pipeline; add it first"
    )
    assert await prepare(editor, pipeline, "oml_ver") is None
    assert await refused(editor, pipeline, "oml_ver", "x") == (
        "there is nothing here that can be renamed"
    )


@pytest.mark.asyncio
async def test_a_file_that_does_not_parse_holds_a_rename_up(editor: Editor) -> None:
    """Where it names the alias in a part that the tree lacks; behind that part it is a use."""
    connections = editor.open("osiris_connections.yaml")
    broken = PIPELINE[: PIPELINE.index("extract-orders]")]
    behind = broken + '\n  - id: last\n    config: {connection: "@mysql.replica"}\n'
    write(editor.folder, {"pipelines/broken.yaml": behind})
    changed = await rename(editor, connections, "    replica", "second")
    assert changed["broken.yaml"] == behind.replace("@mysql.replica", "@mysql.second")
    write(editor.folder, {"pipelines/broken.yaml": broken + '{a: "@mysql.replica", b\n'})
    assert await refused(editor, connections, "    replica", "second") == (
        "pipelines/broken.yaml does not parse, so that not every use can be found; repair it first"
    )
    assert "osiris_connections.yaml" in await rename(editor, connections, "    local", "here")


@pytest.mark.asyncio
async def test_a_step_changes_with_those_that_need_it(editor: Editor) -> None:
    """`needs` follows in its quotes; the tables of queries after a question, or with a warning."""
    uri = editor.open("pipelines/sums.yaml", QUERY)
    assert await prepare(editor, uri, '["extr') == ("extract-orders", "extract-orders")
    expected = QUERY.replace("extract-orders", "read.it")
    capabilities = editor.client.capabilities
    assert capabilities is not None
    assert capabilities.text_document is not None
    support = capabilities.text_document.rename
    if support is not None and support.honors_change_annotations:
        expected = expected.replace("df_extract_orders", "df_read_it")
    assert await rename(editor, uri, "- id: extract", "read.it") == {"sums.yaml": expected}
    if "df_extract" in expected:
        assert [message.message for message in editor.client.messages] == [
            "pipelines/sums.yaml:15: the query reads `df_extract_orders`, which is now "
            "`df_read_it`; change it there"
        ]
    # The table stays the same.
    assert await rename(editor, uri, "- id: extract", "extract_orders") == {
        "sums.yaml": QUERY.replace("extract-orders", "extract_orders")
    }
    assert await refused(editor, uri, "FROM df_ex") == (
        "rename `extract-orders` where the id of the step is written"
    )


@pytest.mark.asyncio
async def test_a_new_id_must_be_one(editor: Editor) -> None:
    """With characters of an id, its own, and with a table of its own."""
    uri = editor.open("pipelines/orders.yaml")
    for new in ("a b", "", "-a", "ä", "a\n"):
        assert "cannot be the id of a step" in await refused(editor, uri, "id: extr", new)
    assert await refused(editor, uri, "id: extr", "write-orders") == (
        "there is a step `write-orders` already; take another id"
    )
    assert await refused(editor, uri, "id: extr", "write_orders") == (
        "`write_orders` and `write-orders` would be the same table `df_write_orders`"
    )
    editor.change(uri, PIPELINE.replace("id: write-orders", "id: extract-orders"))
    assert await refused(editor, uri, "needs: [extr", "x") == (
        "2 steps have the id `extract-orders`; give each an id of its own first"
    )


@pytest.mark.asyncio
async def test_an_anchor_changes_with_its_aliases(editor: Editor) -> None:
    """From either, and not to the name of another one."""
    text = CONNECTIONS.replace("default:\n", "default: &😀\n", 1).replace("&😀", "&x")
    text = text.replace("local:\n", "local: &y\n") + "  sqlite: {'😀': {<<: *x}}\n"
    uri = editor.open("osiris_connections.yaml", text)
    expected = {"osiris_connections.yaml": text.replace("&x", "&base").replace("*x", "*base")}
    assert await prepare(editor, uri, "<<: *") == ("x", "x")
    assert await rename(editor, uri, "<<: *", "base") == expected
    assert await rename(editor, uri, "&x", "base") == expected
    assert await refused(editor, uri, "&x", "y") == (
        "there is an anchor `&y` already; take another name"
    )
    assert "cannot be an anchor" in await refused(editor, uri, "&x", "a b")
