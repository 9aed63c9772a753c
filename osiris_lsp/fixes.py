"""Apply fixes to texts and files: no overlap, no YAML that does not parse, nothing half-written."""

import os
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from osiris_lsp.files import replace
from osiris_lsp.finding import Edit, Finding
from osiris_lsp.project import read_file
from osiris_lsp.syntax import parse

ROUNDS: Final = 10
"""How often fixes may bring out new fixes."""


class Applied(NamedTuple):
    """A text after fixes, and the findings whose fixes are in it."""

    text: str
    fixed: Sequence[Finding]


def applicable(findings: Iterable[Finding], unsafe: bool) -> list[Finding]:
    """Return the findings that have a fix which may be applied."""
    return [item for item in findings if item.fix is not None and (item.fix.safe or unsafe)]


def apply(text: str, findings: Sequence[Finding], path: str) -> Applied:
    """Apply the fixes of findings to the text of a file, as many as do not overlap.

    A fix that would leave YAML which does not parse, where it parsed before, is left out.
    """
    chosen: list[tuple[Finding, list[Edit]]] = []
    taken: list[Edit] = []
    for finding in findings:
        if finding.fix is None or any(edit.path not in (None, path) for edit in finding.fix.edits):
            continue
        edits = [edit for edit in finding.fix.edits if edit not in taken]
        if any(_overlap(edit, other) for edit in edits for other in taken):
            continue
        chosen.append((finding, edits))
        taken.extend(edits)
    result = spliced(text, taken)
    if taken and _breaks(text, result):
        return _one_by_one(text, chosen)
    return Applied(result, tuple(finding for finding, _ in chosen))


def _one_by_one(text: str, chosen: Sequence[tuple[Finding, list[Edit]]]) -> Applied:
    kept: list[tuple[Finding, list[Edit]]] = []
    for item in chosen:
        tried = [*kept, item]
        edits = [edit for _, edits in tried for edit in edits]
        if not _breaks(text, spliced(text, edits)):
            kept = tried
    edits = [edit for _, edits in kept for edit in edits]
    return Applied(spliced(text, edits), tuple(finding for finding, _ in kept))


def _breaks(before: str, after: str) -> bool:
    """Tell whether edits brought syntax problems into a text."""
    return len(parse(after).problems) > len(parse(before).problems)


def _overlap(a: Edit, b: Edit) -> bool:
    if a.start == a.end == b.start == b.end:
        return True
    return a.start < b.end and b.start < a.end


def spliced(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits that do not overlap."""
    pieces = []
    at = 0
    for edit in sorted(edits, key=lambda item: (item.start, item.end)):
        pieces.append(text[at : edit.start])
        pieces.append(edit.new_text)
        at = edit.end
    pieces.append(text[at:])
    return "".join(pieces)


class ChangedMeanwhileError(OSError):
    """The file on disk is not the one that was linted."""


def write(path: str, before: str, after: str) -> None:
    """Replace a file's text atomically; mode, line endings and byte order mark stay.

    `before` is the text that was linted. Raises ChangedMeanwhileError when the file holds another
    one by now, and OSError when it cannot be written.
    """
    target = os.path.realpath(path)
    current, problem = read_file(target)
    if problem is not None or current != before:
        raise ChangedMeanwhileError(f"{path} changed while it was being fixed; run again")
    with open(target, "rb") as file:
        mark = b"\xef\xbb\xbf" if file.read(3) == b"\xef\xbb\xbf" else b""
    status = os.stat(target)
    if not os.access(target, os.W_OK):
        raise PermissionError(13, "Permission denied", path)

    def still() -> None:
        if read_file(target)[0] != before:
            raise ChangedMeanwhileError(f"{path} changed while it was being fixed; run again")

    replace(target, mark + after.encode("utf-8"), status.st_mode & 0o7777, still=still)
