"""What was found in single entries of a document, so that after an edit only one is looked at."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import is_
from typing import NamedTuple

from osiris_lsp.assembly import Assembled
from osiris_lsp.documents import AROUND, SKETCH, Document, PipelineDocument
from osiris_lsp.finding import Finding, Fix
from osiris_lsp.text import Span

Check = Callable[[Document], Sequence[Finding]]
"""Run the rules that look at single entries over a document."""


class _Entry(NamedTuple):
    """Findings in a part, with the place and the number that it had then."""

    start: int
    number: int
    findings: Sequence[Finding]


_Known = Mapping[tuple[object, str, int], _Entry]


class Recall:
    """The findings of the parts of one document; it is filled once the rest has come to rest."""

    def __init__(self) -> None:
        # What the findings depend on beside the parts, and the findings; replaced as one.
        self._state: tuple[tuple[object, ...], str, _Known] | None = None
        self._quiet: tuple[object, ...] | None = None

    def of_outlines(self, document: Document, check: Check) -> Sequence[Finding]:
        """Return what a check finds that looks at the outlines of entries only.

        While these are the same, there is nothing where nothing was.
        """
        tree = document.tree
        if not isinstance(tree, Assembled) or not tree.is_regular:
            self._quiet = None
            return check(document)
        outlines = [part.identity.outline for part in tree.parts]
        now = (tree.frame, document.specs, outlines)
        if now == self._quiet:
            return ()
        # A sketch has no places, and more is found in it than where a text is broken.
        if self._quiet is not None and not check(document.narrowed(SKETCH)):
            self._quiet = now
            return ()
        found = check(document)
        self._quiet = None if found or any(part.broken for part in tree.parts) else now
        return found

    def findings(
        self, document: Document, basis: tuple[object, ...], check: Check
    ) -> Sequence[Finding]:
        """Return what a check finds; `basis` is what that depends on beside the document."""
        tree = document.tree
        if not isinstance(tree, Assembled) or not tree.is_regular:
            self._state = None
            return check(document)
        before = self._state
        if before is None or before[1] != tree.frame or not all(map(is_, basis, before[0])):
            self._state = basis, tree.frame, {}
            return check(document)
        found, known = _by_part(document, tree, check, before[2])
        self._state = basis, tree.frame, known
        return found


def _by_part(
    document: Document, tree: Assembled, check: Check, before: _Known
) -> tuple[Sequence[Finding], _Known]:
    """Return the findings, of parts that are known without another look, and those to be kept."""
    known: dict[tuple[object, str, int], _Entry] = {}
    found = [*_around(document, tree, check, before, known)]
    number = 0
    for place, part in enumerate(tree.parts):
        # A connection is judged by its family; messages name a step without an id by its number.
        key = (part.identity, tree.groups[place].name, -1 if part.identity.is_named else number)
        entry = before.get(key)
        if entry is None:
            narrow = document.narrowed(place)
            if isinstance(narrow, PipelineDocument):
                narrow.first = number
            inside = [item for item in check(narrow) if part.start <= item.span.start < part.end]
            entry = _Entry(part.start, number, inside)
            stays = all(
                part.start <= start and end <= part.end for start, end in _all_spans(inside)
            )
            if stays and not narrow.looked_around:
                known[key] = entry
        else:
            entry = _moved(entry, part.start, number)
            known[key] = entry
        found += entry.findings
        number += len(part.entries)
    return found, known


def _around(
    document: Document,
    tree: Assembled,
    check: Check,
    before: _Known,
    known: dict[tuple[object, str, int], _Entry],
) -> Sequence[Finding]:
    """Return the findings around the parts; they are kept where they stand ahead of these."""
    key = (tuple(name for name in dict.fromkeys(group.name for group in tree.groups)), "", AROUND)
    entry = before.get(key)
    if entry is None or not tree.is_ahead(_all_spans(entry.findings)):
        narrow = document.narrowed(AROUND)
        found = [item for item in check(narrow) if tree.part_at(item.span.start) is None]
        entry = _Entry(0, AROUND, found)
        if narrow.looked_around or not tree.is_ahead(_all_spans(found)):
            return found
    known[key] = entry
    return entry.findings


def _all_spans(findings: Sequence[Finding]) -> Iterator[Span]:
    return (span for item in findings for span in _spans(item))


def _spans(finding: Finding) -> Iterator[Span]:
    """Yield all places of the document that a finding names."""
    yield finding.span
    yield from (item.span for item in finding.related if item.path is None)
    edits = finding.fix.edits if finding.fix is not None else ()
    yield from (Span(edit.start, edit.end) for edit in edits if edit.path is None)


def _moved(entry: _Entry, start: int, number: int) -> _Entry:
    if (start, number) == (entry.start, entry.number) or not entry.findings:
        return entry
    by = start - entry.start
    moved = [_moved_finding(item, by, number) for item in entry.findings]
    return _Entry(start, number, moved)


def _moved_finding(finding: Finding, by: int, number: int) -> Finding:
    span, keys, fix = finding.span, finding.key_path, finding.fix
    if len(keys) > 1 and keys[0] == "steps" and isinstance(keys[1], int):
        keys = ("steps", number, *keys[2:])
    if fix is not None:
        edits = tuple(
            edit if edit.path else edit._replace(start=edit.start + by, end=edit.end + by)
            for edit in fix.edits
        )
        fix = Fix(fix.title, fix.safe, edits)
    related = tuple(
        item if item.path else item._replace(span=Span(item.span.start + by, item.span.end + by))
        for item in finding.related
    )
    return finding._replace(
        span=Span(span.start + by, span.end + by), key_path=keys, fix=fix, related=related
    )
