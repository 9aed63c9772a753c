"""Every feature in three editors, each position behind an emoji on the same line."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from lsprotocol import types
from pytest_lsp import LspSpecificationWarning

from osiris_lsp.lsp import FEATURES
from tests.cli.conftest import write
from tests.lsp.conftest import Editor, apply
from tests.lsp.recording import Session

CONNECTIONS = """\
version: 1
connections: {mysql: {main: {description: "😀", host: 127.0.0.1, port: 1, database: shop, \
user: reader, password: "${MAIN_PASSWORD}", default: true}}}
"""

PIPELINE = """\
oml_version: "0.1.0"
name: orders
steps:
  - {name: "😀", id: one, component: mysql.extractor, mode: read, \
config: {connection: "@mysql.main", table: "a${params.day}"}}
  - {name: "😀", id: two, component: filesystem.csv_writer, mode: write, needs: [one], \
config: {path: ./a.csv}}
"""

FILES: Final = ("osiris_connections.yaml", "pipelines/orders.yaml")


class Case:
    """An editor with both files open, and what a test asks of them."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        self.client = editor.client
        self.session = Session(editor)
        self.connections, self.pipeline = (editor.open(name) for name in FILES)

    def place(self, uri: str, before: str) -> dict[str, Any]:
        """Return the parameters that name the place behind a piece of text."""
        return {"text_document": self.editor.document(uri), "position": self.at(uri, before)}

    def at(self, uri: str, before: str) -> types.Position:
        """Return the position behind a piece of text, with an emoji before it on its line."""
        text = self.editor.texts[uri]
        end = text.index(before) + len(before)
        assert "😀" in text[:end].rpartition("\n")[2]
        return self.editor.at(uri, before)

    def texts(self, uri: str, ranges: Sequence[types.Range]) -> list[str]:
        """Return the texts of ranges."""
        return [self.editor.text(uri, item) for item in ranges]

    def whole(self, uri: str) -> types.Range:
        """Return the range of all of a file."""
        return types.Range(
            types.Position(0, 0), types.Position(self.editor.texts[uri].count("\n"), 0)
        )


async def _sync(case: Case) -> None:
    """An incremental edit replaces just these characters."""
    editor = case.editor
    start, end = case.at(case.pipeline, '"@mysql.'), case.at(case.pipeline, '"@mysql.main')
    change = types.TextDocumentContentChangePartial(types.Range(start, end), "none")
    identifier = types.VersionedTextDocumentIdentifier(2, case.pipeline)
    case.client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))
    editor.texts[case.pipeline] = PIPELINE.replace("@mysql.main", "@mysql.none")
    (found,) = await editor.diagnostics(case.pipeline)
    assert "`none`" in found.message or "@mysql.none" in found.message
    assert editor.text(case.pipeline, found.range) == '"@mysql.none"'


async def _diagnostics(case: Case) -> None:
    """A finding stands at its characters."""
    case.editor.change(case.pipeline, PIPELINE.replace("needs: [one]", "needs: [oen]"))
    found = await case.editor.diagnostics(case.pipeline)
    assert "oen" in case.texts(case.pipeline, [item.range for item in found])


async def _settings(case: Case) -> None:
    """A bad setting is said once; there is no place in it."""
    bad = types.DidChangeConfigurationParams({"osiris": {"lint": {"scope": "😀"}}})
    for _ in range(2):
        case.client.workspace_did_change_configuration(bad)
    await case.editor.settle()
    said = [item.message for item in case.client.log_messages]
    assert said == ["`osiris.lint.scope` must be one of openFiles, workspace"]


async def _hover(case: Case) -> None:
    """The range is that of the reference."""
    found = await case.client.text_document_hover_async(
        types.HoverParams(**case.place(case.pipeline, '"@mysql.ma'))
    )
    assert found is not None
    assert found.range is not None
    assert case.editor.text(case.pipeline, found.range) == "@mysql.main"


async def _completion(case: Case) -> None:
    """What is typed so far is replaced, and no more."""
    case.editor.change(case.pipeline, PIPELINE.replace("needs: [one]", "needs: [on]"))
    found: Any = await case.client.text_document_completion_async(
        types.CompletionParams(**case.place(case.pipeline, "needs: [on"))
    )
    (item,) = (item for item in found.items if item.label == "one")
    assert case.editor.text(case.pipeline, item.text_edit.range) == "on"


async def _definition(case: Case) -> None:
    """The alias in the connections file."""
    found: Any = await case.client.text_document_definition_async(
        types.DefinitionParams(**case.place(case.pipeline, '"@mysql.ma'))
    )
    (item,) = found
    uri = getattr(item, "target_uri", None) or item.uri
    range_ = getattr(item, "target_selection_range", None) or item.range
    assert (uri, case.editor.text(uri, range_)) == (case.connections, "main")


async def _references(case: Case) -> None:
    """Where a step is defined and where it is needed."""
    context = types.ReferenceContext(include_declaration=True)
    place = case.place(case.pipeline, "id: on")
    found = await case.client.text_document_references_async(
        types.ReferenceParams(context=context, **place)
    )
    assert case.texts(case.pipeline, [item.range for item in found or ()]) == ["one", "one"]


async def _rename(case: Case) -> None:
    """A new name of an alias, in both files."""
    place = case.place(case.pipeline, '"@mysql.ma')
    prepared: Any = await case.client.text_document_prepare_rename_async(
        types.PrepareRenameParams(**place)
    )
    assert case.editor.text(case.pipeline, prepared.range) == "main"
    edit: Any = await case.client.text_document_rename_async(
        types.RenameParams(new_name="other", **place)
    )
    changes = {item.text_document.uri: item.edits for item in edit.document_changes or ()}
    changes = changes or edit.changes
    for uri, before, old, new in (
        (case.connections, CONNECTIONS, "{main:", "{other:"),
        (case.pipeline, PIPELINE, "@mysql.main", "@mysql.other"),
    ):
        assert apply(before, changes[uri], case.editor.encoding) == before.replace(old, new)


async def _highlight(case: Case) -> None:
    """A step and its use."""
    found = await case.client.text_document_document_highlight_async(
        types.DocumentHighlightParams(**case.place(case.pipeline, "needs: [on"))
    )
    assert case.texts(case.pipeline, [item.range for item in found or ()]) == ["one", "one"]


async def _symbols(case: Case) -> None:
    """Fields of connections in the outline, and connections in the workspace."""
    outline: Any = await case.client.text_document_document_symbol_async(
        types.DocumentSymbolParams(case.editor.document(case.connections))
    )
    main = outline[0].children[0]
    assert case.texts(case.connections, [main.selection_range]) == ["main"]
    user = next(item for item in main.children if item.name == "user")
    assert case.texts(case.connections, [user.range, user.selection_range]) == [
        "user: reader",
        "user",
    ]
    found: Any = await case.client.workspace_symbol_async(types.WorkspaceSymbolParams("one"))
    (one,) = (item for item in found if item.name == "one")
    assert case.editor.text(case.pipeline, one.location.range) == "one"


async def _folding(case: Case) -> None:
    """A mapping in brackets folds from behind its bracket, where the editor folds characters."""
    text = PIPELINE.replace("config: {path: ./a.csv}", "config: {\n      path: ./a.csv\n    }")
    case.editor.change(case.pipeline, text)
    found = await case.client.text_document_folding_range_async(
        types.FoldingRangeParams(case.editor.document(case.pipeline))
    )
    line = case.at(case.pipeline, "needs: [one], config: {").line
    folded = [item for item in found or () if item.start_line == line]
    assert folded
    for item in folded:
        if item.start_character is not None:
            before = types.Range(
                types.Position(line, 0), types.Position(line, item.start_character)
            )
            assert case.editor.text(case.pipeline, before)[-1:] in "{["


async def _selection(case: Case) -> None:
    """A word, then its pair, then more."""
    position = case.at(case.pipeline, "id: on")
    found = await case.client.text_document_selection_range_async(
        types.SelectionRangeParams(case.editor.document(case.pipeline), [position])
    )
    assert found
    chain: list[types.Range] = []
    item: types.SelectionRange | None = found[0]
    while item is not None:
        chain.append(item.range)
        item = item.parent
    assert case.texts(case.pipeline, chain)[:2] == ["one", "id: one"]


async def _semantic_tokens(case: Case) -> None:
    """The parts of a reference and of a parameter."""
    found: Any = await case.client.text_document_semantic_tokens_full_async(
        types.SemanticTokensParams(case.editor.document(case.pipeline))
    )
    line = character = 0
    ranges = []
    for at in range(0, len(found.data), 5):
        lines, characters, length = found.data[at : at + 3]
        character = characters if lines else character + characters
        line += lines
        start, end = types.Position(line, character), types.Position(line, character + length)
        ranges.append(types.Range(start, end))
    texts = case.texts(case.pipeline, ranges)
    assert texts == ["@mysql", "main", "${params.", "day", "}"]


async def _links(case: Case) -> None:
    """A path that is there."""
    (case.editor.folder / "a.csv").touch()
    found = await case.client.text_document_document_link_async(
        types.DocumentLinkParams(case.editor.document(case.pipeline))
    )
    assert "./a.csv" in case.texts(case.pipeline, [item.range for item in found or ()])


async def _code_actions(case: Case) -> None:
    """A fix edits just what is wrong; clients without literals have no edits of their own."""
    wrong = PIPELINE.replace("@mysql.main", "@mysql.mian")
    case.editor.change(case.pipeline, wrong)
    place = case.at(case.pipeline, '"@mysql.mi')
    params = types.CodeActionParams(
        case.editor.document(case.pipeline),
        types.Range(place, place),
        types.CodeActionContext([], [types.CodeActionKind.QuickFix]),
    )
    found: Any = await case.client.text_document_code_action_async(params)
    (action,) = (item for item in found if item.title == "Change to `@mysql.main`")
    if action.edit is None:
        action = await case.client.code_action_resolve_async(action)
    edits = [edit for item in action.edit.document_changes or () for edit in item.edits]
    edits = edits or action.edit.changes[case.pipeline]
    assert apply(wrong, edits, case.editor.encoding) == PIPELINE


async def _code_lens(case: Case) -> None:
    """Above each alias."""
    found = await case.client.text_document_code_lens_async(
        types.CodeLensParams(case.editor.document(case.connections))
    )
    assert set(case.texts(case.connections, [item.range for item in found or ()])) == {"main"}


async def _inlay_hints(case: Case) -> None:
    """Right behind a reference that names a family only."""
    case.editor.change(case.pipeline, PIPELINE.replace("@mysql.main", "@mysql"))
    found = await case.client.text_document_inlay_hint_async(
        types.InlayHintParams(case.editor.document(case.pipeline), case.whole(case.pipeline))
    )
    (hint,) = found or ()
    assert (hint.label, hint.position) == (".main", case.at(case.pipeline, '"@mysql'))


async def _checks(case: Case) -> None:
    """A failed check marks the field."""
    (result,) = await case.session.command("osiris.doctor")
    assert result["ok"] is False
    found = await case.editor.diagnostics(case.connections)
    (failed,) = (item for item in found if item.source == "osiris-doctor")
    assert case.editor.text(case.connections, failed.range) == "1"


async def _commands(case: Case) -> None:
    """A secret moves out of its place."""
    text = CONNECTIONS.replace("${MAIN_PASSWORD}", "c4n4ry-tractor-9")
    write(case.editor.folder, {FILES[0]: text})
    case.editor.change(case.connections, text)
    position = case.at(case.connections, 'password: "c4n4ry')
    place = {"line": position.line, "character": position.character}
    await case.session.command(
        "osiris.moveSecretToEnv", {"uri": case.connections, "position": place}
    )
    moved = text.replace("c4n4ry-tractor-9", "${MYSQL_MAIN_PASSWORD}")
    assert case.session.edited(case.connections) == moved


async def _requests(case: Case) -> None:
    """Connections and their uses, with their places."""
    converter = case.client.protocol._converter
    (found,) = await case.session.request("osiris/connections", {})
    range_ = converter.structure(found["range"], types.Range)
    assert case.editor.text(case.connections, range_) == "main"
    (use,) = await case.session.request("osiris/usages", {"id": found["id"]})
    range_ = converter.structure(use["range"], types.Range)
    assert case.editor.text(case.pipeline, range_) == '"@mysql.main"'


CASES: Final[dict[str, Callable[[Case], Awaitable[None]]]] = {
    "sync": _sync,
    "diagnostics": _diagnostics,
    "settings": _settings,
    "hover": _hover,
    "completion": _completion,
    "definition": _definition,
    "references": _references,
    "rename": _rename,
    "highlight": _highlight,
    "symbols": _symbols,
    "folding": _folding,
    "selection": _selection,
    "semantic_tokens": _semantic_tokens,
    "links": _links,
    "code_actions": _code_actions,
    "code_lens": _code_lens,
    "inlay_hints": _inlay_hints,
    "checks": _checks,
    "commands": _commands,
    "requests": _requests,
}


@pytest.mark.asyncio
@pytest.mark.parametrize("feature", FEATURES)
async def test_a_feature_counts_as_its_editor_does(feature: str, editor: Editor) -> None:
    """In UTF-16, UTF-8 or code points; a feature without a case fails."""
    write(editor.folder, dict(zip(FILES, (CONNECTIONS, PIPELINE), strict=True)))
    await CASES[feature](Case(editor))


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trust store of the test's own, and the password that the connection refers to."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("MAIN_PASSWORD", "c4n4ry-pw")


def test_every_feature_has_a_file_of_tests() -> None:
    """Beside the case above; what opens, changes and closes is tested in all of them."""
    here = Path(__file__).parent
    files = {path.stem.removeprefix("test_") for path in here.glob("test_*.py")}
    assert set(FEATURES) - files == {"sync"}
    assert set(CASES) == set(FEATURES)


@pytest.mark.asyncio
async def test_a_breach_of_the_protocol_is_an_error(editor: Editor) -> None:
    """What pytest-lsp warns of fails a test: here, progress that nobody has begun."""
    with pytest.raises(LspSpecificationWarning):
        unknown = types.ProgressParams("nobody", {"kind": "end"})
        editor.client.protocol.fm.features[types.PROGRESS](unknown)
