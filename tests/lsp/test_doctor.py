"""Checks as a user sees them: in hovers, lenses and diagnostics, with consent and without."""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from lsprotocol import types

from tests.cli.conftest import write
from tests.lsp.conftest import Editor
from tests.lsp.raw import Raw
from tests.lsp.recording import Session
from tests.services.faults import Fault, black_hole, closes, mute

CONNECTIONS = """\
version: 1
connections:
  duckdb:
    local: {{description: "😀", path: ./local.duckdb}}
  mysql:
    slow: {{description: "😀", host: 127.0.0.1, port: {port}, database: shop, user: reader, \
password: "${{SLOW_PASSWORD}}"}}
"""

FILE = "osiris_connections.yaml"


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trust store of the test's own, and the password that the connection refers to."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("SLOW_PASSWORD", "c4n4ry-pw")


@pytest.fixture(params=[black_hole, mute])
def fault(request: pytest.FixtureRequest) -> Iterator[Fault]:
    """A server that does not answer the SYN, and one that accepts and says nothing."""
    with request.param() as found:
        yield found


def _configure(editor: Editor, on_hover: str, timeout: float) -> None:
    doctor = {"onHover": on_hover, "timeout": timeout}
    editor.client.set_configuration({"osiris": {"lint": {"debounce": 0}, "doctor": doctor}})
    editor.client.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))


def _open(editor: Editor, port: int = 1) -> str:
    write(editor.folder, {FILE: CONNECTIONS.format(port=port)})
    return editor.open(FILE)


async def _hover(editor: Editor, uri: str, before: str) -> str:
    params = types.HoverParams(editor.document(uri), editor.at(uri, before))
    found = await asyncio.wait_for(editor.client.text_document_hover_async(params), 10)
    assert found is not None
    assert not isinstance(found.contents, str | list)
    return str(getattr(found.contents, "value", found.contents)).replace("\\", "")  # as it is shown


async def _until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.01)


async def _failed(editor: Editor, uri: str) -> list[tuple[str, str]]:
    """Return text and code of the diagnostics of failed checks."""
    return [
        (editor.text(uri, item.range), str(item.code))
        for item in await editor.diagnostics(uri)
        if item.source == "osiris-doctor"
    ]


async def _lens(editor: Editor, uri: str, alias: str) -> str:
    """Return the title of the lens that runs the doctor on a connection."""
    found = await editor.client.text_document_code_lens_async(
        types.CodeLensParams(editor.document(uri))
    )
    (title,) = (
        item.command.title
        for item in found or ()
        if item.command is not None and item.command.command == "osiris.doctor"
        and editor.text(uri, item.range) == alias
    )  # fmt: skip
    return title


@pytest.mark.asyncio
async def test_a_live_hover_does_not_wait_for_its_check(editor: Editor, fault: Fault) -> None:
    """It is answered while the check goes on in the background, which is asked for once only."""
    _configure(editor, "live", 60)
    uri = _open(editor, fault.port)
    session = Session(editor)
    await session.command("osiris.trust", {"ids": ["@mysql.slow"]})
    assert len(session.asked) == 1
    for _ in range(3):
        assert "SLOW_PASSWORD" in await _hover(editor, uri, "    slo")
    await _until(lambda: fault.open_connections == 1)
    assert len(session.asked) == 1
    assert await _failed(editor, uri) == []
    assert "c4n4ry" not in session.traffic


@pytest.mark.asyncio
async def test_a_live_hover_shows_the_result_when_it_is_there(editor: Editor) -> None:
    """Beside the lens and the diagnostic; none of them was asked for."""
    _configure(editor, "live", 5)
    uri = _open(editor)
    await Session(editor).command("osiris.trust", {"ids": ["@mysql.slow"]})
    assert "failed" not in await _hover(editor, uri, "    slo")
    async with asyncio.timeout(10):
        while not await _failed(editor, uri):
            await asyncio.sleep(0.05)
    assert "failed, network" in await _hover(editor, uri, "    slo")
    assert "failed, network" in await _lens(editor, uri, "slow")


@pytest.mark.asyncio
@pytest.mark.parametrize("mode", ["off", "cached", "live"])
async def test_no_hover_checks_what_is_not_trusted(editor: Editor, mode: str) -> None:
    """Nor does it ask, whatever the setting."""
    with mute() as fault:
        _configure(editor, mode, 1)
        uri = _open(editor, fault.port)
        session = Session(editor)
        await _hover(editor, uri, "    slo")
        # What a hover starts shows once a later command has gone the same way.
        results = await session.command("osiris.doctor", {"ids": ["@duckdb.local"]})
        assert results[0]["category"] != "config"
        assert fault.accepted == 0
        assert "mysql" not in "".join(session.asked)


@pytest.mark.asyncio
@pytest.mark.parametrize(("mode", "shows"), [("off", False), ("cached", True)])
async def test_a_cached_hover_shows_the_last_check(editor: Editor, mode: str, shows: bool) -> None:
    """And makes none; `off` shows none either."""
    with closes() as fault:
        _configure(editor, mode, 5)
        uri = _open(editor, fault.port)
        await Session(editor).command("osiris.doctor", {"ids": ["@mysql.slow"]})
        await _until(lambda: fault.accepted == 1)
        for _ in range(2):
            assert ("failed, network" in await _hover(editor, uri, "    slo")) is shows
        await editor.settle()
        assert fault.accepted == 1


@pytest.mark.asyncio
async def test_a_failed_check_is_marked_until_it_succeeds(editor: Editor) -> None:
    """A file that is no database, then a folder, then a good one: the connection stays."""
    uri = _open(editor)
    session = Session(editor)
    path = editor.folder / "local.duckdb"
    asked = {"ids": ["@duckdb.local"]}
    path.write_bytes(b"no database" * 1000)
    await session.command("osiris.doctor", asked)
    ((text, first),) = await _failed(editor, uri)
    assert text == "./local.duckdb"
    assert "failed" in await _lens(editor, uri, "local")
    path.unlink()
    path.mkdir()
    await session.command("osiris.doctor", asked)
    ((text, second),) = await _failed(editor, uri)
    assert text == "./local.duckdb"
    assert second != first
    path.rmdir()
    duckdb.connect(str(path)).close()
    (result,) = await session.command("osiris.doctor", asked)
    assert result["ok"] is True
    assert await _failed(editor, uri) == []
    assert "ok " in await _lens(editor, uri, "local")
    assert "ok " in await _hover(editor, uri, "    loc")


@pytest.mark.asyncio
async def test_a_failed_check_is_gone_when_the_connection_changes(editor: Editor) -> None:
    """It comes back with the old text, and another connection that changes leaves it alone."""
    uri = _open(editor)
    await Session(editor).command("osiris.doctor", {"ids": ["@mysql.slow"]})
    marked = [("1", "tcp.refused")]
    assert await _failed(editor, uri) == marked
    text = editor.texts[uri]
    editor.change(uri, text.replace("./local", "./other"))
    assert await _failed(editor, uri) == marked
    editor.change(uri, text.replace("port: 1,", "port: 2,"))
    assert await _failed(editor, uri) == []
    editor.change(uri, text)
    assert await _failed(editor, uri) == marked


@pytest.mark.asyncio
@pytest.mark.parametrize("answer", ["Not now", None])
async def test_who_does_not_agree_is_asked_again(editor: Editor, answer: str | None) -> None:
    """A refusal and a closed prompt: nothing is checked, marked or remembered."""
    with mute() as fault:
        uri = _open(editor, fault.port)
        session = Session(editor)
        session.answer = answer
        for count in (1, 2):
            (result,) = await session.command("osiris.doctor", {"ids": ["@mysql.slow"]})
            assert result["details"]["code"] == "config.not_trusted"
            assert len(session.asked) == count
        assert fault.accepted == 0
        assert await _failed(editor, uri) == []
        assert await _lens(editor, uri, "slow") == "run doctor"


class _Mute(Raw):
    """A client that answers every request of the server with an error."""

    def send(self, message: Any) -> None:
        """Send a message."""
        if "result" in message:
            message = {"id": message["id"], "error": {"code": -32601, "message": "no such method"}}
        super().send(message)


def test_a_client_that_cannot_ask_has_not_agreed(tmp_path: Path) -> None:
    """It answers the question with an error; the command says why there was no check."""
    with mute() as fault:
        write(tmp_path, {FILE: CONNECTIONS.format(port=fault.port)})
        client = _Mute(tmp_path)
        try:
            client.initialize(capabilities={"window": {"workDoneProgress": True}})
            run = {"command": "osiris.doctor", "arguments": [{"ids": ["@mysql.slow"]}]}
            (result,) = client.request("workspace/executeCommand", run)["result"]
            assert result["details"]["code"] == "config.not_trusted"
            assert "osiris connections trust @mysql.slow" in result["details"]["remedy"]
            assert fault.accepted == 0
            assert client.end() == (0, "")
        finally:
            client.kill()


@pytest.mark.asyncio
async def test_an_untrusted_workspace_has_no_check_and_no_offer(editor: Editor) -> None:
    """Trusted connections included: live hovers, lenses, actions and commands."""
    _configure(editor, "live", 1)
    with mute() as fault:
        uri = _open(editor, fault.port)
        session = Session(editor)
        await session.command("osiris.trust", {"ids": ["@mysql.slow"]})
        editor.client.protocol.notify("osiris/workspaceTrusted", {"trusted": False})
        await _hover(editor, uri, "    slo")
        (result,) = await session.command("osiris.doctor", {"ids": ["@mysql.slow"]})
        assert "not trusted" in result["details"]["cause"]
        place = editor.at(uri, "    slo")
        found: Any = await editor.client.text_document_code_action_async(
            types.CodeActionParams(
                editor.document(uri), types.Range(place, place), types.CodeActionContext([])
            )
        )
        assert not any("octor" in item.title or "Trust" in item.title for item in found or ())
        assert (len(session.asked), fault.accepted) == (1, 0)


class _Tcp:
    """A client over TCP, one request at a time."""

    def __init__(self, port: int) -> None:
        end = time.monotonic() + 20
        while True:
            try:
                self._socket = socket.create_connection(("127.0.0.1", port), 20)
                break
            except ConnectionRefusedError:
                assert time.monotonic() < end, "the server does not listen"
                time.sleep(0.05)
        self._file = self._socket.makefile("rb")
        self.asked: list[str] = []

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def send(self, **message: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def request(self, method: str, params: Any) -> Any:
        self.send(id=1, method=method, params=params)
        while True:
            size = 0
            while (line := self._file.readline()).strip():
                name, _, value = line.partition(b":")
                size = int(value) if name.lower() == b"content-length" else size
            assert line, "the server has hung up"
            message = json.loads(self._file.read(size))
            if "method" in message:
                self.asked.append(message["method"])
            else:
                return message["result"]


def test_the_doctor_refuses_over_tcp(tmp_path: Path) -> None:
    """Whatever the client says of the workspace: no question, no connection."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    with mute() as fault:
        write(tmp_path, {FILE: CONNECTIONS.format(port=fault.port)})
        command = [sys.executable, "-m", "osiris_lsp", "server", "--tcp", f"127.0.0.1:{port}"]
        with subprocess.Popen(command, cwd=tmp_path) as process:
            client = _Tcp(port)
            try:
                initial: dict[str, Any] = {
                    "processId": None,
                    "rootUri": tmp_path.as_uri(),
                    "capabilities": {"window": {"showMessage": {}}},
                    "initializationOptions": {"workspaceTrusted": True},
                }
                client.request("initialize", initial)
                client.send(method="initialized", params={})
                client.send(method="osiris/workspaceTrusted", params={"trusted": True})
                run = {"command": "osiris.doctor", "arguments": [{"ids": ["@mysql.slow"]}]}
                (result,) = client.request("workspace/executeCommand", run)
                assert result["details"]["cause"] == "the doctor is off over `--tcp`"
                assert fault.accepted == 0
                assert "window/showMessageRequest" not in client.asked
            finally:
                client.close()
                process.kill()
