"""A document at one version, as features see it: typed, with its project, in the client's units."""

from collections.abc import Sequence

from lsprotocol import types

from osiris_lsp.baseline import Baseline
from osiris_lsp.documents import Document
from osiris_lsp.engine import Linter
from osiris_lsp.finding import Edit, Finding
from osiris_lsp.project import Project
from osiris_lsp.properties import cached_property
from osiris_lsp.reports.record import fingerprints
from osiris_lsp.secret import Sieve, excerpt, mask_words
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
        baseline: Baseline | None = None,
        before: "View | None" = None,
    ) -> None:
        self.uri = uri
        self.version = version
        self.document = document
        self.linter = linter
        self.encoding = encoding
        self._baseline = baseline
        # Of the version before, for what was cleaned with the same secrets.
        self._sieve = before.__dict__.get("sieve") if before is not None else None

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
    def new(self) -> Sequence[Finding]:
        """The findings that the baseline of the settings does not know: those to be shown."""
        baseline, findings = self._baseline, self.findings
        if baseline is None or not findings:
            return findings
        secrets = self.document.masked_spans
        excerpts = [excerpt(self.lines, finding.span, secrets) for finding in findings]
        marks = fingerprints(self.project, findings, excerpts)
        path = self.document.path
        return [
            finding
            for finding, mark in zip(findings, marks, strict=True)
            if not baseline.knows(self.project, path, mark)
        ]

    @cached_property
    def sieve(self) -> Sieve:
        """What keeps the secrets of the text out of messages."""
        made = self.project.sieve(self.document, self.document.secret_spans)
        if self._sieve is not None:
            made.follow(self._sieve)
            self._sieve = None
        return made

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
        self.lines = LineIndex(text)
        self._encoding = encoding

    def range(self, span: Span) -> types.Range:
        """Return the range of a span in the units of the client."""
        start, end = (self.lines.encode(at, self._encoding) for at in span)
        return types.Range(types.Position(*start), types.Position(*end))
