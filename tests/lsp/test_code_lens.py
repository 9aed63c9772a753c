"""Code lenses in three editors: uses of each connection, and its last check."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import LanguageClient

from osiris_lsp.connectors.result import DoctorResult
from osiris_lsp.lsp.checks import Last
from osiris_lsp.lsp.health import ago, said
from tests.lsp.conftest import CONNECTIONS, PIPELINE, SERVER, Editor, capabilities


def listen(editor: Editor) -> list[str]:
    """Return the list to which requests to ask anew are added as they come."""
    asked: list[str] = []
    features = editor.client.protocol.fm.features

    def take(method: str) -> None:
        def taken(params: None) -> None:
            asked.append(method)

        features.pop(method, None)
        editor.client.feature(method)(taken)

    take(types.WORKSPACE_CODE_LENS_REFRESH)
    take(types.WORKSPACE_INLAY_HINT_REFRESH)
    take(types.WORKSPACE_DIAGNOSTIC_REFRESH)
    return asked


async def lenses(editor: Editor, uri: str) -> list[types.CodeLens]:
    """Return the lenses of a file."""
    found = await editor.client.text_document_code_lens_async(
        types.CodeLensParams(editor.document(uri))
    )
    return list(found or ())


async def shown(editor: Editor, uri: str) -> list[tuple[str, str]]:
    """Return the text below each lens and its title."""
    return [
        (editor.text(uri, lens.range), lens.command.title)
        for lens in await lenses(editor, uri)
        if lens.command is not None
    ]


@pytest.mark.asyncio
async def test_each_alias_has_its_uses_and_the_doctor(editor: Editor) -> None:
    """Uses by name and by default count, of unsaved text too, once for each pipeline."""
    editor.open("pipelines/orders.yaml", PIPELINE.replace("@mysql.default", "@mysql"))
    other = PIPELINE.replace("@mysql.default", "@mysql.replica") + (
        "  - {id: x, component: mysql.extractor, config: {connection: '@mysql.replica'}}\n"
        "  - {id: y, component: mysql.extractor, config: {table: t}}\n"
    )
    (editor.folder / "pipelines/other.yaml").write_text(other)
    listen(editor)
    uri = editor.open("osiris_connections.yaml")
    assert await shown(editor, uri) == [
        ("default", "2 pipelines use this"),
        ("default", "run doctor"),
        ("replica", "1 pipeline uses this"),
        ("replica", "run doctor"),
        ("local", "no pipeline uses this"),
        ("local", "run doctor"),
    ]


@pytest.mark.asyncio
async def test_the_doctor_lens_names_its_connection(editor: Editor) -> None:
    """The command has the reference and the file; the other lens has none here."""
    listen(editor)
    uri = editor.open("osiris_connections.yaml", CONNECTIONS.replace("  mysql:", "  mariadb:"))
    uses, doctor, *_ = await lenses(editor, uri)
    assert uses.command == types.Command("1 pipeline uses this", "")
    assert doctor.command is not None
    assert doctor.command.command == "osiris.doctor"
    (argument,) = doctor.command.arguments or ()
    plain: Any = argument
    asked = plain if isinstance(plain, dict) else plain._asdict()
    assert asked == {"ids": ["@mariadb.default"], "uri": uri}


@pytest.mark.asyncio
async def test_pipelines_have_none(editor: Editor) -> None:
    """Lenses are for connections."""
    uri = editor.open("pipelines/orders.yaml")
    assert await lenses(editor, uri) == []


@pytest.mark.asyncio
async def test_lenses_are_asked_anew(editor: Editor) -> None:
    """An edit of a pipeline that changes which connections it uses brings a refresh."""
    asked = listen(editor)
    workspace: Any = editor.client.capabilities
    support = workspace.workspace.code_lens
    refreshes = support is not None and support.refresh_support is True
    editor.open("osiris_connections.yaml")
    pipeline = editor.open("pipelines/orders.yaml")
    await editor.settle()
    asked.clear()
    editor.change(pipeline, PIPELINE.replace("table: orders", "table: items"))
    await editor.settle()
    assert asked == []
    editor.change(pipeline, PIPELINE.replace("@mysql.default", "@mysql.replica"))
    await editor.settle()
    assert (types.WORKSPACE_CODE_LENS_REFRESH in asked) == refreshes


@pytest_lsp.fixture(config=SERVER)
async def rich_client(lsp_client: LanguageClient, project_folder: Path) -> AsyncIterator[None]:
    """A session of a client that can show references by a command."""
    able = capabilities("emacs")
    able.experimental = {"commands": {"commands": ["editor.action.showReferences"]}}

    @lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def registered(params: types.RegistrationParams) -> None:
        """Accept what the server registers."""

    lsp_client.set_configuration({"osiris": {}})
    folder = types.WorkspaceFolder(project_folder.as_uri(), "project")
    await lsp_client.initialize_session(
        types.InitializeParams(capabilities=able, workspace_folders=[folder])
    )
    yield
    await lsp_client.shutdown_session()


@pytest.mark.asyncio
async def test_a_client_that_can_shows_the_uses(
    rich_client: LanguageClient, project_folder: Path
) -> None:
    """The lens is resolved to a command with the places of the uses."""
    editor = Editor(rich_client, project_folder, "utf-32")
    listen(editor)
    uri = editor.open("osiris_connections.yaml")
    lens = (await lenses(editor, uri))[0]
    assert lens.command is None
    resolved = await rich_client.code_lens_resolve_async(lens)
    assert resolved.command is not None
    assert resolved.command.command == "editor.action.showReferences"
    assert resolved.command.title == "1 pipeline uses this"
    places: Any = (resolved.command.arguments or ())[2]
    assert [place["uri"] for place in places] == [editor.uri("pipelines/orders.yaml")]
    assert places[0]["range"]["start"] == {"line": 8, "character": 26}


@pytest.mark.parametrize(
    ("ok", "age", "stale", "expected"),
    [
        (True, 125.0, False, "ok 12 ms, 2 min ago"),
        (True, 3.0, True, "ok 12 ms, just now, changed since"),
        (False, 45.0, False, "failed, auth, 45 s ago"),
    ],
)
def test_a_check_in_words(ok: bool, age: float, stale: bool, expected: str) -> None:
    """How it went, how long ago, and whether it still holds."""
    latency = 12.3 if ok else None
    result = DoctorResult("mysql", "a", ok, latency, "ok" if ok else "auth", "said")
    assert said(Last(result, 0.0, age, stale)) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "just now"), (59, "59 s ago"), (7200, "2 h ago"), (2e5, "2 d ago")],
)
def test_ages(seconds: float, expected: str) -> None:
    """The largest unit that fits."""
    assert ago(seconds) == expected
