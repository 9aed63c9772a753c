"""Code actions in three editors: lazily where the client resolves, at once where it does not."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from osiris_lsp.cli import main
from osiris_lsp.engine import Linter
from osiris_lsp.finding import Edit, Finding
from osiris_lsp.lsp.changes import (
    edited_pieces,
    edits_of,
    fix_all,
    ignore,
    ignore_file,
    public,
)
from osiris_lsp.lsp.code_actions import FIX_ALL
from osiris_lsp.lsp.views import View
from osiris_lsp.project import open_project
from osiris_lsp.ruledoc import read
from osiris_lsp.rules import RULES, load
from osiris_lsp.text import Span
from tests.cli.conftest import write
from tests.lsp.conftest import CONNECTIONS, PIPELINE, Editor, apply

MISSPELT = PIPELINE.replace('"@mysql.default"', '"@mysql.defualt" # 😀')
SECRET = "orange-tractor-9"


@pytest.fixture
def editor(editor: Editor) -> Editor:
    """An editor that tells commands from actions; lsprotocol takes an action with one for one."""
    converter = editor.client.protocol._converter

    def structure(data: Any, _: Any) -> Any:
        kind = types.Command if isinstance(data.get("command"), str) else types.CodeAction
        return converter.structure(data, kind)

    converter.register_structure_hook(types.Command | types.CodeAction, structure)
    return editor


async def actions(
    editor: Editor,
    uri: str,
    at: str,
    only: Sequence[str] | None = None,
    shown: Sequence[types.Diagnostic] = (),
) -> dict[str, types.CodeAction]:
    """Return the actions right behind a piece of text, by title."""
    place = editor.at(uri, at)
    context = types.CodeActionContext(list(shown), None if only is None else list(only))
    params = types.CodeActionParams(editor.document(uri), types.Range(place, place), context)
    found: Any = await editor.client.text_document_code_action_async(params)
    return {item.title: item for item in found or ()}


async def edited(editor: Editor, action: types.CodeAction) -> str:
    """Return the text that an action gives, after resolving it where there is no edit yet."""
    if action.edit is None:
        action = await editor.client.code_action_resolve_async(action)
    edit: Any = action.edit
    if edit.document_changes:
        (change,) = edit.document_changes
        uri, edits = change.text_document.uri, change.edits
        assert change.text_document.version == editor.versions[uri]
    else:
        ((uri, edits),) = edit.changes.items()
    return apply(editor.texts[uri], edits, editor.encoding)


@pytest.mark.asyncio
@pytest.mark.inventory("S1-CONN004-07")
async def test_a_fix_is_offered_with_its_diagnostic(editor: Editor) -> None:
    """The action names the diagnostic of the client, and its edit is at the right characters."""
    uri = editor.open("pipelines/orders.yaml", MISSPELT)
    (diagnostic,) = await editor.diagnostics(uri)
    found = await actions(editor, uri, "@mysql.def", shown=[diagnostic])
    fix = found["Change to `@mysql.default`"]
    assert (fix.kind, fix.is_preferred) == ("quickfix", None)
    assert [item.code for item in fix.diagnostics or ()] == ["OSR219"]
    assert await edited(editor, fix) == MISSPELT.replace("defualt", "default")


@pytest.mark.asyncio
@pytest.mark.inventory("S1-CONN004-04", "S1-CONN004-05", "S1-CONN004-06")
@pytest.mark.parametrize("reference", ["mysql.default", "@MySQL.Default", "@mysql-default"])
async def test_a_wrong_reference_is_mended(editor: Editor, reference: str) -> None:
    """The `@` is added, capitals and the hyphen go, where that leads to an alias that exists."""
    wrong, at = PIPELINE.replace("@mysql.default", reference), f'connection: "{reference[:6]}'
    uri = editor.open("pipelines/orders.yaml", wrong)
    fix = (await actions(editor, uri, at))["Change to `@mysql.default`"]
    assert await edited(editor, fix) == PIPELINE
    editor.change(uri, wrong.replace("efault", "efect"))
    assert "Change to `@mysql.defect`" not in await actions(editor, uri, at)


@pytest.mark.asyncio
async def test_an_old_action_is_made_anew(editor: Editor) -> None:
    """Lines that came in before it move the edit; where the finding is gone, there is an error."""
    uri = editor.open("pipelines/orders.yaml", MISSPELT)
    fix = (await actions(editor, uri, "@mysql.def"))["Change to `@mysql.default`"]
    if fix.edit is not None:
        assert fix.data is None
        return
    moved = "# 😀\n" + MISSPELT
    editor.change(uri, moved)
    assert await edited(editor, fix) == moved.replace("defualt", "default")
    editor.change(uri, PIPELINE)
    with pytest.raises(Exception, match="has changed"):
        await editor.client.code_action_resolve_async(fix)


@pytest.mark.asyncio
async def test_fix_all_gives_the_text_of_the_command_line(editor: Editor) -> None:
    """Only safe fixes, over several rounds, and only when that kind is asked for."""
    text = (
        CONNECTIONS.replace("user: reader\n      p", "username: reader\n      p")
        .replace("port: 3306", "port: 3306 # 😀\n      nothing: 1")
        .replace("mysql:\n", "mysql: # osiris: ignore[OSR100]\n")
    )
    uri = editor.open("osiris_connections.yaml", text)
    found = await actions(editor, uri, "host: db.example.com", only=["source.fixAll"])
    assert [item.kind for item in found.values()] == [FIX_ALL]
    (action,) = found.values()
    path = editor.folder / "osiris_connections.yaml"
    path.write_text(text)
    subprocess.run(
        [sys.executable, "-m", "osiris_lsp", "lint", "--fix", str(path)],
        check=False,
        capture_output=True,
    )
    fixed = path.read_text()
    assert "username" not in fixed
    assert await edited(editor, action) == fixed
    assert await actions(editor, uri, "host: db.example.com", only=["source.organizeImports"]) == {}
    fixes = (await actions(editor, uri, "usern", only=["quickfix"])).values()
    assert [item.title for item in fixes if item.is_preferred] == ["Rename to `user`"]


@pytest.mark.asyncio
async def test_a_comment_silences_the_finding(editor: Editor) -> None:
    """At the end of the line, above it where a comment stands, once for the file."""
    uri = editor.open("pipelines/orders.yaml", MISSPELT)
    found = await actions(editor, uri, "@mysql.def")
    here = found["Ignore this here: # osiris: ignore[OSR219]"]
    above = '      # osiris: ignore[OSR219]\n      connection: "@mysql.defualt"'
    assert await edited(editor, here) == MISSPELT.replace(above.partition("\n")[2], above)
    whole = found["Ignore this in the file: # osiris: ignore-file[OSR219]"]
    silenced = await edited(editor, whole)
    assert silenced == f"# osiris: ignore-file[OSR219]\n{MISSPELT}"
    plain = MISSPELT.replace(" # 😀\n      t", "\n      t")
    editor.change(uri, plain)
    here = (await actions(editor, uri, "@mysql.def"))[here.title]
    silenced = await edited(editor, here)
    assert silenced == plain.replace('ualt"', 'ualt"  # osiris: ignore[OSR219]')
    editor.change(uri, silenced)
    assert await editor.diagnostics(uri) == []


@pytest.mark.asyncio
@pytest.mark.inventory("S1-CONN002-01")
async def test_a_secret_is_moved_by_a_command(editor: Editor) -> None:
    """The command gets the place; nothing that the server answers holds the secret."""
    text = CONNECTIONS.replace("${MYSQL_DEFAULT_PASSWORD}", f"{SECRET} # 😀")
    uri = editor.open("osiris_connections.yaml", text)
    place = editor.at(uri, "password: ora")
    context = types.CodeActionContext([])
    params = types.CodeActionParams(editor.document(uri), types.Range(place, place), context)
    found: Any = await editor.client.text_document_code_action_async(params)
    (action,) = [item for item in found if item.title == "Move this secret to .env"]
    arguments: Any = action.command.arguments
    assert action.command.command == "osiris.moveSecretToEnv"
    assert arguments[0]["uri"] == uri
    start = editor.at(uri, "password: ora", -3)
    assert arguments[0]["position"] == {"line": start.line, "character": start.character}
    assert SECRET not in repr(found)


@pytest.mark.asyncio
@pytest.mark.inventory("S1-CONN007-03")
async def test_missing_fields_are_added_from_anywhere_in_the_connection(editor: Editor) -> None:
    """As variables; the commands for the connection stand beside it."""
    text = CONNECTIONS.replace("      user: reader\n", "").replace(
        "      password: ${MYSQL_DEFAULT_PASSWORD}\n", ""
    )
    uri = editor.open("osiris_connections.yaml", text)
    found = await actions(editor, uri, "port: 33")
    add = found["Add the missing fields of `@mysql.default`"]
    assert add.kind == "refactor.rewrite"
    after = await edited(editor, add)
    fields = "user: ${MYSQL_DEFAULT_USER}\n      password: ${MYSQL_DEFAULT_PASSWORD}\n"
    assert after == text.replace("default: true\n", f"default: true\n      {fields}")
    commands = [item.command.command for item in found.values() if item.command is not None]
    assert commands == ["osiris.doctor", "osiris.trust"]


@pytest.mark.asyncio
async def test_foreign_files_have_none(editor: Editor) -> None:
    """A file that is not ours, and a place without findings."""
    uri = editor.open("compose.yaml", "services:\n  web: {image: x}\n")
    assert await actions(editor, uri, "image") == {}
    uri = editor.open("pipelines/orders.yaml")
    assert await actions(editor, uri, "name: ord") == {}


def examples(folder: Path) -> Iterator[View]:
    """Write the examples of all rules into folders of their own, and yield their documents."""
    for name in RULES:
        write(folder / name, dict(read(load(name)).example))
    for path in sorted(folder.rglob("*.y*ml")):
        top = folder / path.relative_to(folder).parts[0]
        project = open_project(str(path.parent), fallback=str(top))
        document = project.open(str(path))
        if document is not None and document.input_problem is None:
            yield View(path.as_uri(), 1, document, Linter(project), "utf-16")


def after(view: View, edits: Sequence[Edit]) -> str:
    """Return the text of a document after edits of it."""
    return replaced(view.text, edits)


def replaced(text: str, edits: Sequence[Edit]) -> str:
    """Return a text after edits in their order, none of which overlap."""
    for edit in reversed(edits):
        text = text[: edit.start] + edit.new_text + text[edit.end :]
    return text


def test_fix_all_is_the_fix_of_the_command_line_for_every_rule(tmp_path: Path) -> None:
    """For the example of every rule."""
    views = list(examples(tmp_path))
    made = {view.document.path: after(view, fix_all(view)) for view in views}
    for name in RULES:
        main(["lint", "--fix", str(tmp_path / name)])
    fixed = {path: Path(path).read_bytes().decode() for path in made}
    assert made == fixed
    assert sum(made[view.document.path] != view.text for view in views) >= 8


@given(st.text("ab\n", max_size=12), st.lists(st.lists(st.tuples(*[st.integers(0, 12)] * 3))))
def test_edits_of_several_rounds_are_edits_of_the_first_text(
    text: str, rounds: list[list[tuple[int, int, int]]]
) -> None:
    """Whatever the rounds insert, replace and delete, also what an earlier one wrote."""
    pieces: list[Span | str] = [Span(0, len(text))]
    now = text
    for numbers in rounds:
        edits: list[Edit] = []
        for start, length, new in sorted(numbers):
            at = min(start, len(now))
            if not edits or at > edits[-1].end:
                edits.append(Edit(at, min(at + length, len(now)), "xyz"[: new % 4]))
        pieces = edited_pieces(pieces, edits)
        now = replaced(now, edits)
    assert replaced(text, list(edits_of(pieces, len(text)))) == now


def test_every_finding_can_be_silenced(tmp_path: Path) -> None:
    """By a comment beside it and by one for the file, and no other finding goes or comes."""
    wrong = []
    for view in examples(tmp_path):
        for finding in view.findings:
            for edit in (ignore(view, finding), ignore_file(view, finding)):
                assert edit is not None, (finding.rule, view.text)
                path = view.document.path
                text = after(view, [edit])
                project = view.project.overlaid(path, text)
                document = project.open(path)
                assert document is not None
                left = [item.rule for item in Linter(project).lint(document).findings]
                before = [item.rule for item in view.findings if item.rule != finding.rule]
                if sorted(set(left) - {finding.rule}) != sorted(set(before)):
                    wrong.append((finding.rule, text, left))
                if left.count(finding.rule) >= [i.rule for i in view.findings].count(finding.rule):
                    wrong.append((finding.rule, text, left))
    assert wrong == []


SILENCED = [
    # in a block scalar: above its key
    ("      query: |\r\n        SELECT 😀\r\n", "SELECT", "      {0}\r\n"),
    # at the head of one: above it
    ("      query: |\r\n        SELECT 1\r\n", "|", "      {0}\r\n"),
    # in a text that goes on in the next line: above its key
    ("      query: 'SELECT\r\n        😀, x'\r\n", "SELECT", "      {0}\r\n"),
    # beside another comment: above the line
    ("      table: orders # 😀\r\n", "orders #", "      {0}\r\n"),
    # in a flow mapping: behind the line
    ("      x: {a: 1,\r\n        b: 2}\r\n", "a: 1", "  {0}"),
    # in a comment of ours: one more rule
    ("      table: o  # osiris: ignore[OSR1]\r\n", "o  #", ", OSR219"),
]


@pytest.mark.parametrize(("lines", "at", "written"), SILENCED)
def test_a_comment_goes_where_it_is_none_of_a_value(
    tmp_path: Path, lines: str, at: str, written: str
) -> None:
    """With the line breaks of the file."""
    path = tmp_path / "orders.yaml"
    table = "      table: orders\r\n"
    text = MISSPELT.replace("\n", "\r\n").replace(table, lines)
    project = open_project(str(tmp_path))
    document = project.open(str(path), text)
    assert document is not None
    view = View(path.as_uri(), 1, document, Linter(project), "utf-16")
    finding = Finding("OSR219", "x", "error", "", str(path), Span(0, 0), (), None, (), "")
    start = text.index(at, text.index(lines))
    edit = ignore(view, finding._replace(span=Span(start, start + 1)))
    assert edit is not None
    assert edit.new_text == written.format("# osiris: ignore[OSR219]")
    begun = text.index(lines)
    above = written.endswith("\n")
    assert edit.start == begun if above else begun < edit.start < begun + len(lines)


def test_no_edit_writes_a_secret(tmp_path: Path) -> None:
    """What an edit keeps of a secret is left where it stands; else there is no edit."""
    path = tmp_path / "osiris_connections.yaml"
    path.write_text(CONNECTIONS.replace("${MYSQL_DEFAULT_PASSWORD}", SECRET))
    project = open_project(str(tmp_path))
    document = project.open(str(path))
    assert document is not None
    view = View(path.as_uri(), 1, document, Linter(project), "utf-16")
    start = view.text.index(SECRET)
    end = start + len(SECRET)
    quoted = public(view, [Edit(start, end, f'"{SECRET}"')])
    assert quoted == (Edit(start, start, '"'), Edit(end, end, '"'))
    assert public(view, [Edit(start, end, SECRET[::-1] + SECRET)]) is not None
    assert public(view, [Edit(0, end, "x" * 3000 + SECRET)]) is None
    assert public(view, [Edit(start, end, "")]) == (Edit(start, end, ""),)
