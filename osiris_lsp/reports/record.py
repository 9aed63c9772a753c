"""A finding as reports show it: 1-based, relative to the current folder, without secrets."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from osiris_lsp.discovery import shown_path
from osiris_lsp.finding import Finding, Fix, Related, Severity
from osiris_lsp.project import Project
from osiris_lsp.secret import Excerpt, Sieve, excerpt, fingerprint, mask, merged
from osiris_lsp.text import LineIndex, Span, printable

if TYPE_CHECKING:
    from osiris_lsp.documents import Document
    from osiris_lsp.suppressions import Suppression


class Place(NamedTuple):
    """A range in a file: 1-based, columns in code points, end exclusive.

    `byte` and `end_byte` are the columns in bytes of UTF-8.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    byte: int
    end_byte: int


class Record(NamedTuple):
    """A finding that is fit to be shown.

    `edits` is None where the fix moves text that holds a secret, which no report may show. `before`
    and `after` are the lines around the excerpt, for reports that ask for details.
    """

    code: str
    rule: str
    severity: Severity
    message: str
    place: Place
    key_path: tuple[str | int, ...]
    source: str
    fingerprint: str
    excerpt: Excerpt
    fix: str | None
    fix_safe: bool
    edits: tuple[tuple[Place, str], ...] | None
    related: tuple[tuple[Place, str], ...]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def as_json(self) -> Mapping[str, Any]:
        """Return the finding as DESIGN section 5 describes it."""
        fix = None
        if self.fix is not None:
            fix = {
                "title": self.fix,
                "safe": self.fix_safe,
                "edits": [{**_json(place), "new_text": text} for place, text in self.edits or ()],
            }
        return {
            "code": self.code,
            "rule": self.rule,
            "severity": self.severity,
            "message": self.message,
            **_json(self.place),
            "key_path": list(self.key_path),
            "fix": fix,
            "related": [{**_json(place), "message": text} for place, text in self.related],
            "source": self.source,
            "fingerprint": self.fingerprint,
        }


def _json(place: Place) -> Mapping[str, Any]:
    return {name: getattr(place, name) for name in Place._fields[:5]}


class Silenced(NamedTuple):
    """A finding that a comment silences, and the reason that it gives, if any."""

    record: Record
    reason: str


_AROUND: Final = 2
"""Lines shown before and after a finding."""

_MOST: Final = 8
"""Lines of a long finding that are shown."""


class Recorder:
    """Turn the findings of documents into records; keeps the lines of related files.

    `detailed` adds the lines around each finding; `hidden` are secrets that a file had before it
    was changed, and may have once more.
    """

    def __init__(
        self,
        project: Project,
        folder: str | None = None,
        detailed: bool = False,
        hidden: Sequence[str] = (),
    ) -> None:
        self.project = project
        self.hidden = hidden
        self.folder = folder or os.getcwd()
        self.detailed = detailed
        self._lines: dict[str, LineIndex] = {}

    def records(self, document: "Document", findings: Sequence[Finding]) -> Iterator[Record]:
        """Yield the records of a document's findings in their order."""
        if not findings:
            return
        lines = document.tree.lines
        self._lines[document.path] = lines
        secrets = self._masked(document)
        sieve = self.project.sieve(document, secrets)
        excerpts = [excerpt(lines, finding.span, secrets) for finding in findings]
        marks = fingerprints(self.project, findings, excerpts)
        for finding, shown, identity in zip(findings, excerpts, marks, strict=True):
            yield Record(
                finding.code,
                finding.rule,
                finding.severity,
                sieve.clean(finding.message),
                self._place(finding.path, finding.span),
                tuple(
                    key if isinstance(key, int) else sieve.clean(key) for key in finding.key_path
                ),
                finding.source,
                identity,
                shown._replace(text=shown.text),
                None if finding.fix is None else sieve.clean(finding.fix.title),
                finding.fix is not None and finding.fix.safe,
                None if finding.fix is None else self._edits(finding.path, finding.fix, sieve),
                tuple(self._related(finding.path, finding.related, sieve)),
                *(self._around(lines, finding.span, secrets) if self.detailed else ()),
            )

    def silenced(
        self, document: "Document", suppressed: "Sequence[tuple[Finding, Suppression]]"
    ) -> Iterator[Silenced]:
        """Yield the records of findings that comments silence, with the reasons given there."""
        secrets = self._masked(document) if suppressed else ()
        records = self.records(document, [finding for finding, _ in suppressed])
        for record, (_, comment) in zip(records, suppressed, strict=True):
            start, end = comment.reason
            reason = mask(document.text[start:end], secrets, start)
            yield Silenced(record, printable(" ".join(reason.split())))

    def _masked(self, document: "Document") -> Sequence[Span]:
        if not any(word in document.text for word in self.hidden):
            return document.masked_spans
        from osiris_lsp.sensitive import occurrences  # needed only after a repair

        return merged([*document.masked_spans, *occurrences(document.text, self.hidden)])

    def _around(
        self, lines: LineIndex, span: Span, secrets: Sequence[Span]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the lines before the first line of a range and after it, secrets masked."""
        first, last = lines.position(span.start).line, lines.position(span.end).line
        until = min(last + _AROUND, first + _MOST, len(lines) - 1)

        def shown(numbers: range) -> tuple[str, ...]:
            spans = (Span(*lines.line_span(number)) for number in numbers)
            return tuple(excerpt(lines, Span(at.start, at.start), secrets).text for at in spans)

        return shown(range(max(first - _AROUND, 0), first)), shown(range(first + 1, until + 1))

    def _place(self, path: str, span: Span) -> Place:
        if path not in self._lines:
            self._lines[path] = LineIndex(self.project.read(path)[0])
        lines = self._lines[path]
        (line, column), (end_line, end_column) = map(lines.position, span)
        byte, end_byte = (lines.encode(offset, "utf-8").column for offset in span)
        return Place(
            shown_path(path, self.folder),
            line + 1,
            column + 1,
            end_line + 1,
            end_column + 1,
            byte + 1,
            end_byte + 1,
        )

    def shown(self, document: "Document", span: Span) -> tuple[Place, Excerpt]:
        """Return the place of a range of a document, and its line with secrets masked."""
        self._lines[document.path] = document.tree.lines
        text = excerpt(document.tree.lines, span, document.masked_spans)
        return self._place(document.path, span), text

    def _edits(self, path: str, fix: Fix, sieve: Sieve) -> tuple[tuple[Place, str], ...] | None:
        if any(sieve.shows(edit.start, edit.end, edit.new_text) for edit in fix.edits):
            return None
        return tuple(
            (self._place(edit.path or path, Span(edit.start, edit.end)), edit.new_text)
            for edit in fix.edits
        )

    def _related(
        self, path: str, related: Sequence[Related], sieve: Sieve
    ) -> Iterator[tuple[Place, str]]:
        for item in related:
            yield self._place(item.path or path, item.span), sieve.clean(item.message)


def fingerprints(
    project: Project, findings: Sequence[Finding], excerpts: Sequence[Excerpt]
) -> Iterator[str]:
    """Yield the fingerprints of the findings of a document, whose lines are in `excerpts`."""
    seen: dict[tuple[object, ...], int] = {}
    for finding, shown in zip(findings, excerpts, strict=True):
        line = " ".join(shown.text.split())
        identity = (finding.code, finding.key_path, line)
        seen[identity] = ordinal = seen.get(identity, -1) + 1
        path = shown_path(finding.path, project.root)
        yield fingerprint(finding.code, path, finding.key_path, line, ordinal)


def masked_text(document: "Document") -> str:
    """Return the text of a document with every secret replaced by `***`."""
    return mask(document.text, document.masked_spans)
