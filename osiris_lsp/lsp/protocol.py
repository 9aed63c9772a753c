"""The wire: what pygls leaves open about errors, order and texts (NOTES-pygls)."""

from collections.abc import Generator, Sequence
from contextvars import ContextVar, copy_context
from itertools import pairwise
from typing import Any, Final

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams, JsonRpcInvalidRequest
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.workspace import TextDocument, Workspace

from osiris_lsp.text import Encoding, LineIndex, Position

_BEFORE_INITIALIZE = -32002
_PARSE_ERROR = -32700
_INVALID_REQUEST = -32600
_INVALID_PARAMS = -32602
_INTERNAL = -32603

COMMAND_TOKEN: Final[ContextVar[types.ProgressToken | None]] = ContextVar("token", default=None)
"""The token with which the client watches the command that runs, where it gave one."""


class Protocol(LanguageServerProtocol):
    """The protocol of pygls, except that every request is answered and no error tells too much."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Read a message, or an object in one; a request that is malformed is answered."""
        method = data.get("method") if "jsonrpc" in data else None
        if isinstance(method, str) and method not in types.METHOD_TO_TYPES:
            data = {"params": None, **data}  # pygls takes no unknown method without parameters
        if method is not None and not isinstance(data.get("id", ""), int | str):
            self._refuse(None, _INVALID_REQUEST, "the id of a request is a number or a string")
            raise JsonRpcInvalidRequest
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            if "id" in data and "method" in data:
                is_about_params = isinstance(error, JsonRpcInvalidParams)
                code = _INVALID_PARAMS if is_about_params else _INVALID_REQUEST
                self._refuse(data["id"], code, "this request is malformed")
            raise

    def handle_message(self, message: Any) -> None:
        """Handle a message; what is none is answered too, and what comes after `shutdown`."""
        if not hasattr(message, "jsonrpc") or message.jsonrpc != self.VERSION:
            given = message.get("id") if isinstance(message, dict) else None
            self._refuse(given, _INVALID_REQUEST, "this is no message of JSON-RPC 2.0")
        elif self._shutdown and hasattr(message, "id") and hasattr(message, "method"):
            self._refuse(message.id, _INVALID_REQUEST, "the server is shutting down")
        else:
            copy_context().run(self._dispatch, message)

    def _dispatch(self, message: Any) -> None:
        """Pass a message on; pygls asks for its kind in a way that is slow before Python 3.12."""
        method = getattr(message, "method", None)
        if self._shutdown and method != types.EXIT:
            return
        if method is None:
            result, error = getattr(message, "result", None), getattr(message, "error", None)
            self._handle_response(message.id, result, error)
        elif hasattr(message, "id"):
            self._handle_request(message.id, method, message.params)
        else:
            self._handle_notification(method, message.params)

    def tell(self, method: str, params: dict[str, Any]) -> None:
        """Send a notification whose parameters are in the form of the wire already."""
        self._send_data({"jsonrpc": self.VERSION, "method": method, "params": params})

    def plain(self, item: Any) -> Any:
        """Return an object of lsprotocol in the form of the wire."""
        return self._converter.unstructure(item)

    def refuse_text(self) -> None:
        """Answer what is no JSON at all."""
        self._refuse(None, _PARSE_ERROR, "this is no JSON")

    def _refuse(self, msg_id: Any, code: int, message: str) -> None:
        known = msg_id if isinstance(msg_id, int | str) else None
        error = {"code": code, "message": message}
        # lsprotocol leaves out an id of null, which JSON-RPC asks for.
        self._send_data({"jsonrpc": self.VERSION, "id": known, "error": error})

    def _handle_request(self, msg_id: Any, method_name: str, params: Any) -> None:
        is_first = method_name == types.INITIALIZE
        if self._workspace is None and not is_first:
            self._refuse(msg_id, _BEFORE_INITIALIZE, "the server is not initialized yet")
        elif self._workspace is not None and is_first:
            self._refuse(msg_id, _INVALID_REQUEST, "the server is initialized already")
        else:
            super()._handle_request(msg_id, method_name, params)

    def _handle_notification(self, method_name: str, params: Any) -> None:
        if self._workspace is not None or method_name == types.EXIT:
            super()._handle_notification(method_name, params)

    def _execute_handler(self, msg_id: Any, *arguments: Any, **more: Any) -> None:
        super()._execute_handler(msg_id, *arguments, **more)
        future = self._request_futures.get(msg_id)
        if future is not None:
            future.add_done_callback(lambda done: self._drop(msg_id, done))

    def _drop(self, msg_id: Any, done: Any) -> None:
        """Forget what has ended: pygls keeps for ever what notifications have started."""
        if not done.cancelled():  # at the end pygls cancels all of them in a loop over them
            self._request_futures.pop(msg_id, None)

    def _handle_response(self, msg_id: Any, result: Any = None, error: Any = None) -> None:
        future = self._request_futures.get(msg_id)
        if future is not None and future.cancelled():
            # Who asked was cancelled meanwhile, and pygls would fail at the answer (#621).
            self._request_futures.pop(msg_id)
            return
        super()._handle_response(msg_id, result, error)

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(
        self, params: types.InitializeParams
    ) -> Generator[Any, Any, types.InitializeResult]:
        """Say hello; commands take the client's token for their progress."""
        result = yield from super().lsp_initialize(params)
        commands = result.capabilities.execute_command_provider
        if commands is not None:
            commands.work_done_progress = True
        return result

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]  # a generator in pygls
        self, params: types.ExecuteCommandParams
    ) -> Any:
        """Run a command as a task, which a client can cancel: pygls answers and lets it run on."""
        handler = self.fm.commands.get(params.command)
        if handler is None:
            raise JsonRpcInvalidParams("there is no such command")
        COMMAND_TOKEN.set(params.work_done_token)
        return await handler(*(params.arguments or ()))

    def _send_response(self, msg_id: Any, result: Any = None, error: Any = None) -> None:
        if error is not None:
            # Texts of exceptions and tracebacks may hold text of a file, which may be a secret.
            error.data = None
            if error.code == _INTERNAL and not isinstance(error, Told):
                error = types.ResponseError(_INTERNAL, "internal error; see the log of the server")
        elif isinstance(result, dict):  # in the form of the wire already
            self._result_types.pop(msg_id, None)
            self._send_data({"jsonrpc": self.VERSION, "id": msg_id, "result": result})
            return
        super()._send_response(msg_id, result, error)


class Told(types.ResponseError):
    """An internal error whose message is ours and safe to show."""


class Text(TextDocument):
    r"""An open document whose lines end with `\r\n`, `\n` and `\r` only, as LSP 3.17 says."""

    encoding: Encoding = "utf-16"

    _index: LineIndex | None = None

    @property
    def index(self) -> LineIndex:
        """The lines of the text as it is now."""
        if self._index is None or self._index.text is not self.source:
            self._index = LineIndex(self.source)
        return self._index

    @property
    def lines(self) -> Sequence[str]:
        """The lines with their ends."""
        index = self.index
        bounds = [*index.starts, len(index.text)]
        return [index.text[start:end] for start, end in pairwise(bounds)]

    def apply_change(self, change: types.TextDocumentContentChangeEvent) -> None:
        """Replace a range, or everything."""
        if isinstance(change, types.TextDocumentContentChangeWholeDocument):
            self._source = change.text
            return
        index = self.index
        start, end = (
            index.decode(Position(at.line, at.character), self.encoding)
            for at in (change.range.start, change.range.end)
        )
        self._index = index.edited(start, max(start, end), change.text)
        self._source = self._index.text


class Texts(Workspace):
    """The open documents of a client."""

    encoding: Encoding = "utf-16"

    def _create_text_document(
        self,
        doc_uri: str,
        source: str | None = None,
        version: int | None = None,
        language_id: str | None = None,
    ) -> Text:
        text = Text(doc_uri, source=source, version=version, language_id=language_id)
        text.encoding = self.encoding
        return text
