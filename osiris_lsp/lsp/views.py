"""A document at one version, as features see it: typed, with its project, in the client's units."""

from collections.abc import Sequence
from functools import cached_property

from lsprotocol import types

from osiris_lsp.documents import Document
from osiris_lsp.engine import Linter
from osiris_lsp.finding import Edit, Finding
from osiris_lsp.project import Project
from osiris_lsp.secret import Sieve, mask_words
from osiris_lsp.text import Encoding, LineIndex, Position, Span


class View:
    """An open document at one version; it never changes, so features may keep it."""

    def __init__(
        self,
        uri: str,
        version: int | None,
        document: Document,
        linter: Linter,
        encoding: Encoding,
    ) -> None:
        self.uri = uri
        self.version = version
        self.document = document
        self.linter = linter
        self.encoding = encoding

    @property
    def project(self) -> Project:
        """The project that the document belongs to."""
        return self.linter.project

    @property
    def text(self) -> str:
        """The text of the document."""
        return self.document.text

    @property
    def lines(self) -> LineIndex:
        """The lines of the text."""
        return self.document.tree.lines

    @cached_property
    def findings(self) -> Sequence[Finding]:
        """The findings of the document in order."""
        return self.linter.lint(self.document, again=True).findings

    @cached_property
    def sieve(self) -> Sieve:
        """What keeps the secrets of the text out of messages."""
        return self.project.sieve(self.document, self.document.secret_spans)

    @cached_property
    def _hidden(self) -> Sequence[str]:
        from osiris_lsp.sensitive import pieces

        return pieces(self.text, self.document.secret_spans)

    def name(self, text: str) -> str:
        """Return a name of the document as it may be shown."""
        return mask_words(text, self._hidden)

    def offset(self, position: types.Position) -> int:
        """Return the offset of a position of the client, clamped into the text."""
        return self.lines.decode(Position(position.line, position.character), self.encoding)

    def span(self, range_: types.Range) -> Span:
        """Return the span of a range of the client."""
        return Span(self.offset(range_.start), self.offset(range_.end))

    def position(self, offset: int) -> types.Position:
        """Return the position of an offset in the units of the client."""
        return types.Position(*self.lines.encode(offset, self.encoding))

    def range(self, span: Span) -> types.Range:
        """Return the range of a span in the units of the client."""
        return types.Range(self.position(span.start), self.position(span.end))

    def edit(self, edit: Edit) -> types.TextEdit:
        """Return an edit of this document in the units of the client."""
        return types.TextEdit(self.range(Span(edit.start, edit.end)), edit.new_text)


class Foreign:
    """Another file, for places in it: definitions, references, related information."""

    def __init__(self, text: str, encoding: Encoding) -> None:
        self._lines = LineIndex(text)
        self._encoding = encoding

    def range(self, span: Span) -> types.Range:
        """Return the range of a span in the units of the client."""
        start, end = (self._lines.encode(at, self._encoding) for at in span)
        return types.Range(types.Position(*start), types.Position(*end))
