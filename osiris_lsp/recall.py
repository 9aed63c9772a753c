"""What was found in single entries of a document, so that after an edit only one is looked at."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from operator import is_
from typing import NamedTuple

from osiris_lsp.assembly import Assembled
from osiris_lsp.documents import AROUND, Document, PipelineDocument
from osiris_lsp.finding import Finding, Fix
from osiris_lsp.text import Span

Check = Callable[[Document], Sequence[Finding]]
"""Run the rules that look at single entries over a document."""

OutlineCheck = Callable[[Document, Collection[str] | None], Sequence[Finding]]
"""Run the rules that look at outlines over a document: all of them, or some by name."""


class _Entry(NamedTuple):
    """Findings in a part, with the place and the number that it had then.

    `outlines` are those of all parts, where the findings depend on them.
    """

    start: int
    number: int
    findings: Sequence[Finding]
    outlines: Sequence[object] | None = None


_Known = Mapping[tuple[object, str, int], _Entry]


class _Outlined(NamedTuple):
    """What the rules found that look at outlines, while these are the same.

    `identities` are those of the `parts` that are touched; `starts` says where all parts began
    then, None where findings cannot be moved with them.
    """

    outlines: tuple[object, ...]
    rules: Collection[str]
    parts: Sequence[int]
    identities: Sequence[object] = ()
    starts: Sequence[int] | None = None
    findings: Sequence[Finding] = ()


class Recall:
    """The findings of the parts of one document; it is filled once the rest has come to rest."""

    def __init__(self) -> None:
        # What the findings depend on beside the parts, and the findings; replaced as one.
        self._state: tuple[tuple[object, ...], str, _Known] | None = None
        self._outlined: _Outlined | None = None

    def of_outlines(self, document: Document, check: OutlineCheck) -> Sequence[Finding]:
        """Return what a check finds that looks at the outlines of entries only.

        A sketch tells which rules find something, and where. More is found in it than in the text
        where that is broken, so these rules look again, at a tree with the right places there.
        """
        tree = document.tree
        if not isinstance(tree, Assembled) or not tree.is_regular:
            self._outlined = None
            return check(document, None)
        outlines = (tree.frame, document.specs, tree.outlines)
        known = self._outlined
        if known is None or known.outlines != outlines:
            found = check(document.sketched(), None)
            starts = [span.start for item in found for span in _spans(item)]
            known = _Outlined(outlines, {item.rule for item in found}, tree.touched(starts))
        if known.rules:
            known = _looked_again(document, tree, known, check)
        self._outlined = known
        return known.findings

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
    groups, firsts = tree.groups, tree.firsts
    for place, part in enumerate(tree.parts):
        # A connection is judged by its family; messages name a step without an id by its number.
        identity, number = part.identity, firsts[place]
        key = (identity, groups[place].name, -1 if identity.is_named else number)
        entry = before.get(key)
        if entry is None or (entry.outlines is not None and entry.outlines != tree.outlines):
            narrow = document.narrowed(place)
            inside = [item for item in check(narrow) if part.start <= item.span.start < part.end]
            outlines = tree.outlines if narrow.looked_at_outlines else None
            entry = _Entry(part.start, number, inside, outlines)
            stays = all(
                part.start <= start and end <= part.end for start, end in _all_spans(inside)
            )
            if stays and not narrow.looked_around:
                known[key] = entry
        else:
            if entry.findings:
                entry = _moved(entry, part.start, number)
            known[key] = entry
        if entry.findings:
            found += entry.findings
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
        looked = narrow.looked_around or narrow.looked_at_outlines
        if looked or not tree.is_ahead(_all_spans(found)):
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


def _looked_again(
    document: Document, tree: Assembled, known: _Outlined, check: OutlineCheck
) -> _Outlined:
    """Return what is known with the findings in their places."""
    if not isinstance(document, PipelineDocument):
        # In connections files another entry may be repaired than the one that is named.
        return known._replace(findings=check(document, known.rules))
    findings = _carried(known, tree)
    if findings is None:
        findings = check(document.sketched(known.parts), known.rules)
    is_fixed = all(
        tree.part_at(span.start) is not None or tree.is_ahead([span])
        for span in _all_spans(findings)
    )
    return known._replace(
        identities=[tree.parts[number].identity for number in known.parts],
        starts=[part.start for part in tree.parts] if is_fixed else None,
        findings=findings,
    )


def _carried(known: _Outlined, tree: Assembled) -> Sequence[Finding] | None:
    """Return findings of an earlier tree as they are in this one, or None where they may differ."""
    starts = known.starts
    identities = [tree.parts[number].identity for number in known.parts]
    if starts is None or not all(map(is_, identities, known.identities)):
        return None

    def move(offset: int) -> int:
        number = bisect_right(starts, offset) - 1
        return offset if number < 0 else offset - starts[number] + tree.parts[number].start

    return [_moved_finding(item, move) for item in known.findings]


def _moved(entry: _Entry, start: int, number: int) -> _Entry:
    if (start, number) == (entry.start, entry.number):
        return entry
    by = start - entry.start
    moved = [_moved_finding(item, by.__add__, number) for item in entry.findings]
    return _Entry(start, number, moved, entry.outlines)


def _moved_finding(
    finding: Finding, move: Callable[[int], int], number: int | None = None
) -> Finding:
    """Return a finding with other offsets, and maybe in a step of another number."""
    keys, fix = finding.key_path, finding.fix
    if number is not None and len(keys) > 1 and keys[0] == "steps" and isinstance(keys[1], int):
        keys = ("steps", number, *keys[2:])
    if fix is not None:
        edits = tuple(
            edit if edit.path else edit._replace(start=move(edit.start), end=move(edit.end))
            for edit in fix.edits
        )
        fix = Fix(fix.title, fix.safe, edits)
    related = tuple(
        item if item.path else item._replace(span=Span(*map(move, item.span)))
        for item in finding.related
    )
    span = Span(*map(move, finding.span))
    return finding._replace(span=span, key_path=keys, fix=fix, related=related)
