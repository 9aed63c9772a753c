"""Completion: what is offered and written at many places, and in three editors."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lsprotocol import types

from osiris_lsp.engine import Linter
from osiris_lsp.lsp.completion import Abilities, complete
from osiris_lsp.lsp.completion.context import Context
from osiris_lsp.lsp.views import View
from osiris_lsp.project import open_project
from tests.cli.conftest import write
from tests.lsp.conftest import CONNECTIONS, PIPELINE, Editor

SNIPPETS = Abilities(True, True, [types.MarkupKind.Markdown])
HEAD = """\
oml_version: "0.1.0"
name: orders
steps:
  - id: first
    component: mysql.extractor
    mode: read
    config:
"""
FLOW = HEAD.rstrip("\n")
MYSQL = "version: 1\nconnections:\n  mysql:\n    eu:\n"
FILES = {"connections": "osiris_connections.yaml", "pipeline": "pipelines/a.yaml"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with connections."""
    found = tmp_path_factory.mktemp("project")
    write(found, {"osiris_connections.yaml": CONNECTIONS})
    (found / ".git").mkdir()
    return found


def view_of(folder: Path, kind: str, text: str) -> View:
    """Return a document of the project with another text."""
    project = open_project(str(folder), environment={})
    path = os.path.join(folder, FILES[kind])
    document = project.open(path, text, kind="connections" if kind == "connections" else "pipeline")
    assert document is not None
    return View(Path(path).as_uri(), 1, document, Linter(project), "utf-16")


def items_at(
    folder: Path, kind: str, marked: str, client: Abilities = SNIPPETS, asked: bool = True
) -> tuple[View, list[types.CompletionItem]]:
    """Return what is offered at the mark `¦`, in the order of the client."""
    text, offset = marked.replace("¦", "", 1), marked.index("¦")
    view = view_of(folder, kind, text)
    context = Context(text, view.lines, offset)
    found = complete(view, context, client, ["STORED"], asked)
    return view, sorted(found, key=lambda item: item.sort_text or "")


def applied(view: View, item: types.CompletionItem) -> str:
    """Return the text with an item in it."""
    edit: Any = item.text_edit
    start, end = view.span(edit.range)
    return f"{view.text[:start]}{edit.new_text}{view.text[end:]}"


def labels(items: Sequence[types.CompletionItem]) -> list[str]:
    """Return the labels in order."""
    return [item.label for item in items]


WRITTEN = [
    # a reference: open quote, no quote, both quotes, half typed, in brackets, single quotes
    ("pipeline", HEAD + '      connection: "@¦\n', '      connection: "@mysql.default"'),
    ("pipeline", HEAD + "      connection: @¦\n", '      connection: "@mysql.default"'),
    ("pipeline", HEAD + '      connection: "@mysql.¦"\n', '      connection: "@mysql.default"'),
    (
        "pipeline",
        HEAD + '      connection: "@my¦  # x\n',
        '      connection: "@mysql.default"  # x',
    ),
    ("pipeline", FLOW + " {connection: @my¦}\n", '    config: {connection: "@mysql.default"}'),
    (
        "pipeline",
        FLOW + ' {connection: "@m¦, table: x}\n',
        '    config: {connection: "@mysql.default", table: x}',
    ),
    ("pipeline", HEAD + "      connection: '@¦\n", "      connection: '@mysql.default'"),
    ("pipeline", HEAD + "      connection: ¦\n", '      connection: "@mysql.default"'),
    # fields: on an empty line, half typed, in brackets, before a colon that is there
    ("connections", MYSQL + "      ¦\n", "      host: ${1:db.example.com}"),
    ("connections", MYSQL + "      ho¦\n      port: 1\n", "      host: ${1:db.example.com}"),
    ("connections", MYSQL + "      ho¦: x\n", "      host: x"),
    ("connections", MYSQL.replace("eu:\n", "eu: {¦}\n"), "    eu: {host: ${1:db.example.com}}"),
    ("connections", MYSQL.replace("eu:\n", "eu: {ho¦\n"), "    eu: {host: ${1:db.example.com}"),
    (
        "connections",
        MYSQL.replace("eu:\n", "eu: {¦ port: 1}\n"),
        "    eu: {host: ${1:db.example.com}, port: 1}",
    ),
    ("connections", MYSQL.replace("eu:\n", "eu: {¦\n"), "    eu: {host: ${1:db.example.com}"),
    (
        "connections",
        MYSQL.replace("eu:\n", "eu: {\n      port: 1,\n      ¦\n    }\n"),
        "      host: ${1:db.example.com}",
    ),
    # an empty line whose cursor is at the wrong column
    ("connections", MYSQL + "      port: 1\n\n ¦\n", "      host: ${1:db.example.com}"),
    ("connections", MYSQL + "    ¦\n", "      host: ${1:db.example.com}"),
    # variables
    (
        "connections",
        MYSQL + "      password: ${¦\n",
        "      password: ${MYSQL_EU_PASSWORD}",
    ),
    (
        "connections",
        MYSQL + '      password: "${MY¦}"\n',
        '      password: "${MYSQL_EU_PASSWORD}"',
    ),
    (
        "connections",
        MYSQL + '      password: "${¦\n',
        '      password: "${MYSQL_EU_PASSWORD}"',
    ),
    (
        "connections",
        MYSQL.replace("eu:\n", "eu: {password: ${¦}\n"),
        '    eu: {password: "${MYSQL_EU_PASSWORD}"',
    ),
    ("connections", MYSQL + "      password: ¦\n", "      password: ${MYSQL_EU_PASSWORD}"),
    ("connections", MYSQL + "      password: $¦\n", "      password: ${MYSQL_EU_PASSWORD}"),
    # values
    ("connections", MYSQL + "      port: ¦\n", "      port: 3306"),
    ("connections", "version: ¦\nconnections:\n", "version: 1"),
    ("connections", "¦\n", "version: 1"),
    ("pipeline", "ste: 1\n¦\n", 'oml_version: "0.1.0"'),
    ("pipeline", HEAD.replace("mode: read", "mode: ¦"), "    mode: read"),
    ("pipeline", HEAD + "      table: x\n  - id: b\n    needs: [¦]\n", "    needs: [first]"),
    ("pipeline", HEAD + "      table: x\n  - id: b\n    needs: ¦\n", "    needs: [first]"),
    ("pipeline", HEAD + "  - id: b\n    needs:\n      - ¦\n", "      - first"),
    ("pipeline", HEAD + "  - id: b\n    needs:\n      ¦\n", "      - first"),
    ("pipeline", HEAD + "  - ¦\n", "  - id: ${1:extract-orders}"),
    ("pipeline", HEAD + "      table: x\n  ¦\n", "  - id: ${1:extract-orders}"),
    ("pipeline", HEAD + "  - id: b\n    component: mysql.w¦\n", "    component: duckdb.processor"),
]


@pytest.mark.parametrize(("kind", "marked", "line"), WRITTEN)
def test_the_first_item_writes(folder: Path, kind: str, marked: str, line: str) -> None:
    """What was typed is replaced, quotes are added where they lack, indentation is right."""
    view, items = items_at(folder, kind, marked)
    changed = applied(view, items[0]).replace("\\$", "$").replace("\\}", "}")
    assert line in changed.splitlines()


def test_fields_still_missing_come_first(folder: Path) -> None:
    """Needed ones, then what would do instead, then the rest; older spellings never."""
    _, items = items_at(folder, "connections", MYSQL + "      user: x\n      ¦\n")
    assert labels(items)[:4] == ["host", "database", "password", "unix_socket"]
    assert not {"username", "user", "dsn"}.intersection(labels(items))
    assert labels(items)[-3:] == ["default", "alias", "description"]


def test_a_secret_is_a_variable_with_and_without_snippets(folder: Path) -> None:
    """`${FAMILY_ALIAS_FIELD}`, quoted in brackets."""
    marked = MYSQL + "      ¦\n"
    view, items = items_at(folder, "connections", marked)
    snippet = next(item for item in items if item.label == "password")
    assert "password: \\${MYSQL_EU_PASSWORD\\}" in applied(view, snippet)
    assert snippet.insert_text_format == types.InsertTextFormat.Snippet
    view, items = items_at(folder, "connections", marked, Abilities())
    plain = next(item for item in items if item.label == "password")
    assert "      password: ${MYSQL_EU_PASSWORD}\n" in applied(view, plain)
    assert plain.insert_text_format is None
    view, items = items_at(folder, "connections", MYSQL.replace("eu:", "eu: {¦}"), Abilities())
    flow = next(item for item in items if item.label == "password")
    assert '{password: "${MYSQL_EU_PASSWORD}"}' in applied(view, flow)


def test_families_and_the_default_alias(folder: Path) -> None:
    """Families that are not there yet; below a family its `default` with all that it needs."""
    _, items = items_at(folder, "connections", "version: 1\nconnections:\n  mysql: {}\n  ¦\n")
    assert "mysql" not in labels(items)
    assert {"duckdb", "postgres", "supabase"} <= set(labels(items))
    view, items = items_at(folder, "connections", "version: 1\nconnections:\n  mysql:\n    ¦\n")
    assert labels(items) == ["default"]
    assert "default:\n  host: ${1:db.example.com}\n" in applied(view, items[0])
    assert items[0].insert_text_mode == types.InsertTextMode.AdjustIndentation


@pytest.mark.inventory("S1-CONN004-07")
def test_references_show_what_they_mean(folder: Path) -> None:
    """The default first, families that fit next; public fields only."""
    _, items = items_at(folder, "pipeline", HEAD + '      connection: "@¦"\n')
    assert labels(items) == ["@mysql.default", "@mysql", "@mysql.replica", "@duckdb.local"]
    assert items[0].detail == "MySQL · default"
    about = items[0].documentation
    assert isinstance(about, types.MarkupContent)
    assert about.value == "- `host`: `db.example.com`\n- `database`: `shop`"


def test_a_secret_in_a_public_field_is_masked(tmp_path: Path) -> None:
    """A password in a URL or beside a name that says so is not shown with a reference."""
    urls = "    a: {host: 'mysql://u:hunter2secret@db', database: 'x password=hunter2secret'}\n"
    write(
        tmp_path,
        {"osiris_connections.yaml": f"version: 1\nconnections:\n  mysql:\n{urls}"},
    )
    _, items = items_at(tmp_path, "pipeline", HEAD + '      connection: "@¦"\n')
    assert labels(items) == ["@mysql.a"]
    assert "hunter2secret" not in str(items)


def test_nothing_of_a_file_is_markup(tmp_path: Path) -> None:
    """Markdown in a value stands in a code span, as it is written."""
    write(
        tmp_path,
        {"osiris_connections.yaml": MYSQL + "      host: '[x](command:y) `z`'\n"},
    )
    _, items = items_at(tmp_path, "pipeline", HEAD + '      connection: "@¦"\n')
    about = items[0].documentation
    assert isinstance(about, types.MarkupContent)
    assert about.value == "- `host`: `` [x](command:y) `z` ``"


def test_keys_of_a_component_spec(tmp_path: Path) -> None:
    """What the schema of component specs asks for comes first."""
    project = open_project(str(tmp_path), environment={})
    path = str(tmp_path / "components" / "a" / "spec.yaml")
    document = project.open(path, "name: a\n\n", kind="component")
    assert document is not None
    view = View(Path(path).as_uri(), 1, document, Linter(project), "utf-16")
    items = complete(view, Context(view.text, view.lines, 8), SNIPPETS)
    assert labels(sorted(items, key=lambda item: item.sort_text or ""))[0] == "version"


def test_names_of_variables_never_values(folder: Path) -> None:
    """The one for this field, those in `.env`, those that are used."""
    text = MYSQL + "      user: ${READER}\n      password: ${¦\n"
    _, items = items_at(folder, "connections", text)
    assert labels(items) == ["${MYSQL_EU_PASSWORD}", "${STORED}", "${READER}"]
    _, items = items_at(folder, "pipeline", HEAD + "      table: ${¦}\nparams: {day: 1}\n")
    assert "${MYSQL_DEFAULT_PASSWORD}" in labels(items)
    assert "${params.day}" in labels(items)


def test_config_keys_of_the_component(folder: Path) -> None:
    """Without a connection it comes first; with one, what it gives is left out."""
    _, items = items_at(folder, "pipeline", HEAD + "      ¦\n")
    assert labels(items)[:3] == ["connection", "table", "query"]
    given = HEAD + '      connection: "@mysql.default"\n      table: x\n      ¦\n'
    _, items = items_at(folder, "pipeline", given)
    assert not {"host", "password", "query", "table", "connection"}.intersection(labels(items))
    assert "limit" in labels(items)
    text = (
        HEAD
        + "      table: x\n  - id: b\n    component: filesystem.csv_writer\n    config:\n      ¦\n"
    )
    view, items = items_at(folder, "pipeline", text)
    assert labels(items)[0] == "path"
    (connection,) = (item for item in items if item.label == "connection")
    assert "      connection: $0\n" in applied(view, connection)
    merged = "x: &base {table: a}\n" + HEAD + "      <<: *base\n      ¦\n"
    _, items = items_at(folder, "pipeline", merged)
    assert "query" not in labels(items)


def test_components_and_modes_fit_each_other(folder: Path) -> None:
    """Components that can do the mode come first; only modes of the component are offered."""
    text = HEAD + "  - id: b\n    mode: transform\n    component: ¦\n"
    _, items = items_at(folder, "pipeline", text)
    assert labels(items)[0] == "duckdb.processor"
    text = HEAD + "  - id: b\n    component: mysql.writer\n    mode: ¦\n"
    _, items = items_at(folder, "pipeline", text)
    assert labels(items) == ["write"]


def test_step_ids_leave_out_the_step_and_what_is_listed(folder: Path) -> None:
    """The nearest step before comes first."""
    text = HEAD + "  - id: b\n  - id: c\n    needs: [first, ¦]\n  - id: d\n"
    _, items = items_at(folder, "pipeline", text)
    assert labels(items) == ["b", "d"]


def test_comments(folder: Path) -> None:
    """Words of `# osiris:`, then names and codes of rules, those that found something first."""
    _, items = items_at(folder, "pipeline", HEAD + "      table: x # osiris: ¦\n")
    assert labels(items)[:4] == ["ignore", "ignore-file", "off", "on"]
    text = HEAD.replace("mode: read", "mode: reed # osiris: ignore[OSR999, inv¦]")
    view, items = items_at(folder, "pipeline", text)
    assert set(labels(items)[:2]) == {"query-or-table", "invalid-mode"}
    chosen = next(item for item in items if item.label == "invalid-mode")
    assert "# osiris: ignore[OSR999, invalid-mode]" in applied(view, chosen)
    assert "OSR212" in labels(items)
    _, items = items_at(folder, "pipeline", HEAD + "      # ¦\n")
    assert labels(items)[0] == "osiris: ignore"


def test_a_space_is_not_in_the_way(folder: Path) -> None:
    """A space brings up neither other comments nor fields of another indentation."""
    for marked in (HEAD + "      # ¦\n", HEAD + "      table: x\n ¦\n"):
        assert items_at(folder, "pipeline", marked, asked=False)[1] == []
    assert items_at(folder, "pipeline", HEAD + "      ¦\n", asked=False)[1] != []


NOTHING = [
    HEAD + "      query: |\n        select ¦\n",
    HEAD + "      table:¦\n",
    HEAD + '      table: "x"¦\n',
    HEAD + "      table: x  ¦\n",
    HEAD + "  -¦\n",
    HEAD.replace("  - id", " ¦ - id"),
]


@pytest.mark.parametrize("marked", NOTHING)
def test_nothing_is_offered_where_nothing_fits(folder: Path, marked: str) -> None:
    """SQL texts, the place right behind a colon, a quote or a dash."""
    assert items_at(folder, "pipeline", marked)[1] == []


PIECES = ['"', "'", "{", "}", "[", "]", ":", ": ", "- ", " #", "@", "${", "\n", "\r\n", "\r", "\t"]
PIECES += ["  ", "*a", "&a ", "| ", "---\n", "? ", "😀", ",", "<<: *a\n", "# osiris: ignore["]
CHANGES = st.lists(
    st.tuples(st.integers(0, 600), st.integers(0, 12), st.sampled_from(["", *PIECES])), max_size=6
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(kind=st.sampled_from(["connections", "pipeline"]), changes=CHANGES)
def test_no_text_is_too_broken(
    folder: Path, kind: str, changes: list[tuple[int, int, str]]
) -> None:
    """At every seventh offset of broken texts: no error, and ranges of one line with the cursor."""
    text = CONNECTIONS if kind == "connections" else PIPELINE
    for at, size, piece in changes:
        text = text[:at] + piece + text[at + size :]
    view = view_of(folder, kind, text)
    for offset in range(len(changes) % 7, len(text) + 1, 7):
        context = Context(text, view.lines, offset)
        position = view.position(offset)
        for item in complete(view, context, SNIPPETS, ["STORED"]):
            edit: Any = item.text_edit
            assert edit.range.start.line == position.line == edit.range.end.line
            assert edit.range.start.character <= position.character <= edit.range.end.character


@pytest.mark.parametrize("kind", ["connections", "pipeline"])
def test_every_offset_of_whole_documents(folder: Path, kind: str) -> None:
    """At each offset, with and without snippets, nothing that is written out as a secret shows."""
    text = CONNECTIONS if kind == "connections" else PIPELINE
    text = text.replace("${MYSQL_DEFAULT_PASSWORD}", "hunter2secret")
    view = view_of(folder, kind, text)
    for offset in range(len(text) + 1):
        for client in (SNIPPETS, Abilities()):
            found = complete(view, Context(text, view.lines, offset), client)
            assert "hunter2secret" not in str(found)


def test_hostile_texts_take_no_time(folder: Path) -> None:
    """Merges that double, and brackets without end."""
    layers = "".join(
        f"a{n}: &a{n}\n  <<: [*a{n - 1}, *a{n - 1}]\n  k{n}: 1\n" for n in range(1, 60)
    )
    _, items = items_at(folder, "pipeline", f"a0: &a0 {{k: 1}}\n{layers}x:\n  <<: *a59\n  ¦\n")
    assert items == []
    view = view_of(folder, "pipeline", "steps: []\n")
    text = "x: " + "[" * 20_000
    assert Context(text, type(view.lines)(text), len(text)).cursor.places[0].role == "item"


@pytest.fixture(name="editor")
def fixture_editor(editor: Editor) -> Editor:
    """The editor, which accepts refreshes."""
    return editor


async def ask(editor: Editor, uri: str, before: str, trigger: str | None = None) -> list[Any]:
    """Return what the server offers behind a piece of text, in the order of the client."""
    context = None
    if trigger is not None:
        kind = types.CompletionTriggerKind.TriggerCharacter
        context = types.CompletionContext(kind, trigger)
    found: Any = await editor.client.text_document_completion_async(
        types.CompletionParams(editor.document(uri), editor.at(uri, before), context)
    )
    assert found.is_incomplete is False
    return sorted(found.items, key=lambda item: item.sort_text)


@pytest.mark.asyncio
async def test_an_alias_in_a_quote_that_is_open(editor: Editor) -> None:
    """Behind an emoji on the same line, in the units of the client."""
    text = PIPELINE.replace(
        '    config:\n      connection: "@mysql.default"\n      table: orders\n',
        '    config: {table: "😀", connection: "@mysql.\n',
    )
    uri = editor.open("pipelines/orders.yaml", text)
    items = await ask(editor, uri, '"@mysql.', ".")
    assert labels(items) == ["@mysql.default", "@mysql", "@mysql.replica", "@duckdb.local"]
    edit = items[2].text_edit
    assert editor.text(uri, edit.range) == "@mysql."
    assert edit.new_text == '@mysql.replica"'


@pytest.mark.asyncio
async def test_fields_as_the_client_takes_them(editor: Editor) -> None:
    """Snippets and Markdown for those that have them, plain text for the others."""
    uri = editor.open("osiris_connections.yaml", MYSQL + "      description: 😀\n      ho\n")
    items = await ask(editor, uri, "      ho")
    first = items[0]
    capabilities: Any = editor.client.capabilities
    takes = capabilities.text_document.completion.completion_item
    snippets = takes.snippet_support is True
    assert first.label == "host"
    assert first.text_edit.new_text == ("host: ${1:db.example.com}" if snippets else "host: ")
    assert (first.insert_text_format == types.InsertTextFormat.Snippet) == snippets
    assert isinstance(first.documentation, types.MarkupContent if snippets else str)
    assert "host name or IP address" in str(first.documentation)


@pytest.mark.asyncio
async def test_dotenv_gives_names_only(editor: Editor) -> None:
    """The value of a variable never crosses the wire."""
    (editor.folder / ".env").write_text("SHOP_TOKEN=hunter2secret\n")
    uri = editor.open("osiris_connections.yaml", MYSQL + "      # 😀\n      password: ${\n")
    items = await ask(editor, uri, "password: ${", "{")
    assert labels(items)[:2] == ["${MYSQL_EU_PASSWORD}", "${SHOP_TOKEN}"]
    assert "hunter2secret" not in str(items)


@pytest.mark.asyncio
async def test_foreign_yaml_has_no_completion(editor: Editor) -> None:
    """A file that is not ours is left alone."""
    uri = editor.open("compose.yaml", "services:\n  web: {image: x}\n")
    found = await editor.client.text_document_completion_async(
        types.CompletionParams(editor.document(uri), types.Position(1, 2))
    )
    assert found is None
