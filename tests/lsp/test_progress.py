"""Progress and cancellation: the client's token, both ways to cancel, a check that is abandoned."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.cli.conftest import write
from tests.lsp.conftest import CONNECTIONS, PIPELINE, Editor
from tests.lsp.recording import Session, plain
from tests.services.faults import Fault, black_hole, mute

_CANCELLED = -32800


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trust store of the test's own, and the password that the connection refers to."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("MYSQL_DEFAULT_PASSWORD", "c4n4ry-pw")


@pytest.fixture(params=[black_hole, mute])
def fault(request: pytest.FixtureRequest) -> Iterator[Fault]:
    """A server that does not answer the SYN, and one that accepts and says nothing."""
    with request.param() as found:
        yield found


@pytest.fixture
def patient(editor: Editor, fault: Fault) -> Editor:
    """An editor before a connection to that server, ready to wait for half a minute."""
    text = CONNECTIONS.replace("host: db.example.com", f"host: {fault.host}")
    write(editor.folder, {"osiris_connections.yaml": text.replace("3306", str(fault.port))})
    settings = {"osiris": {"lint": {"debounce": 0}, "doctor": {"timeout": 30}}}
    editor.client.set_configuration(settings)
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))
    return editor


@pytest.fixture
def session(patient: Editor) -> Session:
    """A user who agrees to everything."""
    return Session(patient)


async def _until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.01)


def _kinds(editor: Editor, token: types.ProgressToken) -> list[str]:
    reports: list[Any] = editor.client.progress_reports[token]
    return [type(item).__name__.removeprefix("WorkDoneProgress") for item in reports]


def _ours(editor: Editor) -> types.ProgressToken:
    (token,) = editor.client.progress_reports
    return token


@pytest.mark.asyncio
@pytest.mark.parametrize("given", ["by the client", "by the server"])
@pytest.mark.parametrize("way", ["request", "progress"])
async def test_a_cancelled_check_is_abandoned(
    session: Session, fault: Fault, way: str, given: str
) -> None:
    """At once: the answer is RequestCancelled, the progress ends, the socket is closed."""
    editor, client = session.editor, session.editor.client
    uri = editor.open("osiris_connections.yaml")
    await editor.settle()
    params = types.ExecuteCommandParams("osiris.doctor", [{"ids": ["@mysql.default"]}])
    if given == "by the client":
        params.work_done_token = "mine"
        client.progress_reports["mine"] = []
    protocol: Any = client.protocol
    answer = asyncio.ensure_future(
        protocol.send_request_async("workspace/executeCommand", params, "one")
    )
    await _until(lambda: any(client.progress_reports.values()))
    await _until(lambda: fault.open_connections == 1)
    token = _ours(editor)
    assert (token == "mine") is (given == "by the client")
    if way == "request":
        protocol.notify("$/cancelRequest", types.CancelParams("one"))
    else:
        client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))
    with pytest.raises(JsonRpcException) as caught:
        await asyncio.wait_for(answer, 10)
    assert caught.value.code == _CANCELLED
    assert _kinds(editor, token) == ["Begin", "End"]
    await _until(lambda: fault.open_connections == 0)
    assert "osiris-doctor" not in [item.source for item in await editor.diagnostics(uri)]
    assert "c4n4ry" not in session.traffic


@pytest.mark.asyncio
async def test_a_question_that_nobody_needs_any_more_is_answered_in_vain(
    patient: Editor, fault: Fault
) -> None:
    """A command is cancelled while it asks for consent: the late answer allows nothing."""
    protocol: Any = patient.client.protocol
    asked = asyncio.Event()
    allowed = asyncio.Event()

    @patient.client.feature(types.WINDOW_SHOW_MESSAGE_REQUEST)
    async def ask(params: types.ShowMessageRequestParams) -> types.MessageActionItem:
        """Think for a while, then agree."""
        asked.set()
        await allowed.wait()
        return types.MessageActionItem("Allow")

    params = types.ExecuteCommandParams("osiris.trust", [{"ids": ["@mysql.default"]}])
    answer = asyncio.ensure_future(
        protocol.send_request_async("workspace/executeCommand", params, "one")
    )
    await asyncio.wait_for(asked.wait(), 10)
    protocol.notify("$/cancelRequest", types.CancelParams("one"))
    with pytest.raises(JsonRpcException) as caught:
        await asyncio.wait_for(answer, 10)
    assert caught.value.code == _CANCELLED
    allowed.set()
    await patient.settle()
    command = types.ExecuteCommandParams("osiris.showResolved", [{"id": "@mysql.default"}])
    shown = plain(await patient.client.workspace_execute_command_async(command))
    assert shown["trusted"] is False
    assert fault.accepted == 0


@pytest.mark.asyncio
async def test_doctor_counts(editor: Editor) -> None:
    """It begins, counts and ends, with a token of the server where the client gives none."""
    write(editor.folder, {"a.duckdb": ""})
    await Session(editor).command("osiris.doctor", {"ids": ["@duckdb.local"]})
    token = _ours(editor)
    assert _kinds(editor, token) == ["Begin", "Report", "End"]
    reports: list[Any] = editor.client.progress_reports[token]
    assert reports[1].message == "1/1"


def _references(editor: Editor, uri: str) -> tuple[str, Any]:
    at = editor.at(uri, 'connection: "@mysql.de')
    context = types.ReferenceContext(include_declaration=True)
    return "textDocument/references", types.ReferenceParams(context, editor.document(uri), at)


def _rename(editor: Editor, uri: str) -> tuple[str, Any]:
    at = editor.at(uri, 'connection: "@mysql.de')
    return "textDocument/rename", types.RenameParams(editor.document(uri), at, "main")


def _symbol(editor: Editor, uri: str) -> tuple[str, Any]:
    return "workspace/symbol", types.WorkspaceSymbolParams("orders")


def _workspace(editor: Editor, uri: str) -> tuple[str, Any]:
    return "workspace/diagnostic", types.WorkspaceDiagnosticParams([])


_SEARCHES = [_references, _rename, _symbol, _workspace]


@pytest.fixture
def everything(editor: Editor) -> str:
    """Return a pipeline beside many others, which all count for searches."""
    others = {f"pipelines/p{number}.yaml": PIPELINE for number in range(200)}
    write(editor.folder, others)
    editor.client.set_configuration({"osiris": {"lint": {"scope": "workspace"}}})
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))
    return editor.open("pipelines/orders.yaml")


@pytest.mark.asyncio
@pytest.mark.parametrize("search", _SEARCHES)
async def test_searches_use_the_token_of_the_client(
    editor: Editor, everything: str, search: Callable[[Editor, str], tuple[str, Any]]
) -> None:
    """Once from begin to end; they create no token, and the answer is the same without one."""
    await editor.settle()
    protocol: Any = editor.client.protocol
    method, params = search(editor, everything)
    plain = await protocol.send_request_async(method, params)
    assert dict(editor.client.progress_reports) == {}
    editor.client.progress_reports[7] = []
    params.work_done_token = 7
    assert await protocol.send_request_async(method, params) == plain
    assert _kinds(editor, 7) == ["Begin", "End"]
    assert list(editor.client.progress_reports) == [7]


@pytest.mark.asyncio
@pytest.mark.parametrize("search", _SEARCHES)
@pytest.mark.parametrize("way", ["request", "progress"])
async def test_searches_can_be_cancelled(
    editor: Editor,
    everything: str,
    search: Callable[[Editor, str], tuple[str, Any]],
    way: str,
) -> None:
    """While they run; the next one is answered."""
    await editor.settle()
    protocol: Any = editor.client.protocol
    method, params = search(editor, everything)
    editor.client.progress_reports["a"] = []
    params.work_done_token = "a"
    answer = asyncio.ensure_future(protocol.send_request_async(method, params, "one"))
    if way == "request":
        await _until(lambda: "one" in protocol._request_futures)
        protocol.notify("$/cancelRequest", types.CancelParams("one"))
    else:
        await _until(lambda: bool(editor.client.progress_reports["a"]))
        editor.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams("a"))
    with pytest.raises(JsonRpcException) as caught:
        await asyncio.wait_for(answer, 10)
    assert caught.value.code == _CANCELLED
    assert _kinds(editor, "a") in ([], ["Begin", "End"])
    editor.client.progress_reports["b"] = []
    params.work_done_token = "b"
    assert await protocol.send_request_async(method, params)
