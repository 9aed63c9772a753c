"""A finding as reports show it: 1-based, relative to the current folder, without secrets."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from osiris_lsp.documents import Document
from osiris_lsp.finding import Finding, Fix, Related, Severity
from osiris_lsp.project import Project
from osiris_lsp.secret import Excerpt, Sieve, excerpt, fingerprint, mask
from osiris_lsp.text import LineIndex, Span, printable


class Place(NamedTuple):
    """A range in a file: 1-based, columns in code points, end exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


class Record(NamedTuple):
    """A finding that is fit to be shown.

    `edits` is None where the fix moves text that holds a secret, which no report may show.
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
    return place._asdict()


class Recorder:
    """Turn the findings of documents into records; keeps the lines of related files."""

    def __init__(self, project: Project, folder: str | None = None) -> None:
        self.project = project
        self.folder = folder or os.getcwd()
        self._lines: dict[str, LineIndex] = {}

    def records(self, document: Document, findings: Sequence[Finding]) -> Iterator[Record]:
        """Yield the records of a document's findings in their order."""
        if not findings:
            return
        lines = document.tree.lines
        self._lines[document.path] = lines
        secrets = document.secret_spans
        sieve = Sieve(document.text, secrets)
        seen: dict[tuple[object, ...], int] = {}
        for finding in findings:
            shown = excerpt(lines, finding.span, secrets)
            identity = (finding.code, finding.key_path, " ".join(shown.text.split()))
            seen[identity] = seen.get(identity, -1) + 1
            root = _relative(finding.path, self.project.root)
            yield Record(
                finding.code,
                finding.rule,
                finding.severity,
                sieve.clean(finding.message),
                self._place(finding.path, finding.span),
                finding.key_path,
                finding.source,
                fingerprint(finding.code, root, finding.key_path, shown.text, seen[identity]),
                shown._replace(text=shown.text),
                None if finding.fix is None else sieve.clean(finding.fix.title),
                finding.fix is not None and finding.fix.safe,
                None if finding.fix is None else self._edits(finding.path, finding.fix, sieve),
                tuple(self._related(finding.path, finding.related, sieve)),
            )

    def _place(self, path: str, span: Span) -> Place:
        if path not in self._lines:
            self._lines[path] = LineIndex(self.project.read(path)[0])
        first = self._lines[path].position(span.start)
        last = self._lines[path].position(span.end)
        name = _relative(path, self.folder)
        return Place(name, first.line + 1, first.column + 1, last.line + 1, last.column + 1)

    def shown(self, document: Document, span: Span) -> tuple[Place, Excerpt]:
        """Return the place of a range of a document, and its line with secrets masked."""
        self._lines[document.path] = document.tree.lines
        text = excerpt(document.tree.lines, span, document.secret_spans)
        return self._place(document.path, span), text

    def _edits(self, path: str, fix: Fix, sieve: Sieve) -> tuple[tuple[Place, str], ...] | None:
        if any(sieve.touches(edit.start, edit.end) for edit in fix.edits):
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


def _relative(path: str, folder: str) -> str:
    if path.startswith(folder) and path[len(folder) : len(folder) + 1] == os.sep:
        return printable(path[len(folder) + 1 :].replace(os.sep, "/"))
    try:
        shown = os.path.relpath(path, folder)
    except ValueError:
        shown = path
    return printable(shown.replace(os.sep, "/"))


def masked_text(document: Document) -> str:
    """Return the text of a document with every secret replaced by `***`."""
    return mask(document.text, document.secret_spans)
