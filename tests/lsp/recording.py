"""Everything that a server sends to a client, and a client that answers as a user would."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsprotocol import types

from osiris_lsp.text import LineIndex, Position
from tests.lsp.conftest import Editor


class Session:
    """A user before an editor: `asked` is what the server asked, `answer` what the user says.

    `applies` says whether the editor makes the edits that the server sends.
    """

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        self.answer: str | None = "Allow"
        self.applies = True
        self.asked: list[str] = []
        self.edits: list[types.ApplyWorkspaceEditParams] = []
        self.notified: list[str] = []
        self.received: list[str] = []
        client = editor.client
        structure: Callable[[Any], Any] = client.protocol.structure_message

        def record(data: dict[str, Any]) -> Any:
            self.received.append(str(data))
            if "method" in data and "id" not in data:
                self.notified.append(data["method"])
            return structure(data)

        client.protocol.structure_message = record  # type: ignore[method-assign]

        @client.feature(types.WINDOW_SHOW_MESSAGE_REQUEST)
        def asked(params: types.ShowMessageRequestParams) -> types.MessageActionItem | None:
            """Answer a question."""
            self.asked.append(params.message)
            return None if self.answer is None else types.MessageActionItem(self.answer)

        @client.feature(types.WORKSPACE_APPLY_EDIT)
        def apply(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
            """Make an edit, or refuse it."""
            self.edits.append(params)
            return types.ApplyWorkspaceEditResult(applied=self.applies)

        def refreshed(params: None) -> None:
            """Request nothing anew."""

        for method in (types.WORKSPACE_CODE_LENS_REFRESH, types.WORKSPACE_INLAY_HINT_REFRESH):
            if method not in client.protocol.fm.features:
                client.feature(method)(refreshed)

    @property
    def traffic(self) -> str:
        """All that was received so far."""
        return "\n".join(self.received)

    async def command(self, name: str, *arguments: Any) -> Any:
        """Run a command of the server."""
        return await self.editor.client.workspace_execute_command_async(
            types.ExecuteCommandParams(name, list(arguments))
        )

    async def request(self, method: str, params: Any = None) -> Any:
        """Send a request of ours, and return the answer as plain values."""
        protocol: Any = self.editor.client.protocol
        return plain(await protocol.send_request_async(method, params))

    def edited(self, uri: str) -> str:
        """Return the text of a file after the last edit that the server has sent."""
        edit = self.edits[-1].edit
        found: list[Any] = []
        for change in edit.document_changes or ():
            if isinstance(change, types.TextDocumentEdit) and change.text_document.uri == uri:
                found += change.edits
        found += (edit.changes or {}).get(uri, [])
        path = Path(uri.removeprefix("file://"))
        text = self.editor.texts.get(uri) or (path.read_text() if path.exists() else "")
        lines = LineIndex(text)
        for item in reversed(found):
            start, end = (
                lines.decode(Position(at.line, at.character), self.editor.encoding)
                for at in (item.range.start, item.range.end)
            )
            text = text[:start] + item.new_text + text[end:]
        return text


def plain(data: Any) -> Any:
    """Return an answer as plain values: pygls makes named tuples of unknown objects."""
    if hasattr(data, "_asdict"):
        return {key: plain(value) for key, value in data._asdict().items()}
    if isinstance(data, dict):
        return {key: plain(value) for key, value in data.items()}
    return [plain(item) for item in data] if isinstance(data, list | tuple) else data
