"""The wire: what pygls leaves open about errors, order and texts (NOTES-pygls)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol
from pygls.workspace import TextDocument, Workspace

from osiris_lsp.text import Encoding, LineIndex, Position

_BEFORE_INITIALIZE = -32002
_INTERNAL = -32603


class Protocol(LanguageServerProtocol):
    """The protocol of pygls, except that every request is answered and no error tells too much."""

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Read a message; a request with malformed parameters is answered with -32602."""
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            if "id" in data and "method" in data:
                self._send_response(data["id"], error=error.to_response_error())
            raise

    def _handle_request(self, msg_id: Any, method_name: str, params: Any) -> None:
        if self._workspace is None and method_name != types.INITIALIZE:
            error = types.ResponseError(_BEFORE_INITIALIZE, "the server is not initialized yet")
            self._send_response(msg_id, error=error)
            return
        super()._handle_request(msg_id, method_name, params)

    def _send_response(self, msg_id: Any, result: Any = None, error: Any = None) -> None:
        if error is not None:
            # Texts of exceptions and tracebacks may hold text of a file, which may be a secret.
            error.data = None
            if error.code == _INTERNAL and not isinstance(error, Told):
                error = types.ResponseError(_INTERNAL, "internal error; see the log of the server")
        super()._send_response(msg_id, result, error)


class Told(types.ResponseError):
    """An internal error whose message is ours and safe to show."""


class Text(TextDocument):
    r"""An open document whose lines end with `\r\n`, `\n` and `\r` only, as LSP 3.17 says."""

    encoding: Encoding = "utf-16"

    @property
    def lines(self) -> Sequence[str]:
        """The lines with their ends."""
        index = LineIndex(self.source)
        bounds = [*index.starts, len(index.text)]
        return [index.text[start:end] for start, end in pairwise(bounds)]

    def apply_change(self, change: types.TextDocumentContentChangeEvent) -> None:
        """Replace a range, or everything."""
        if isinstance(change, types.TextDocumentContentChangeWholeDocument):
            self._source = change.text
            return
        index = LineIndex(self.source)
        start, end = (
            index.decode(Position(at.line, at.character), self.encoding)
            for at in (change.range.start, change.range.end)
        )
        self._source = index.text[:start] + change.text + index.text[max(start, end) :]


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
