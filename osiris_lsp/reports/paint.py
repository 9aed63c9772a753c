"""Colour, alignment and the closing lines that reports for people share."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from osiris_lsp.reports import Style, Summary, counts
from osiris_lsp.reports.record import Record

_CODES: Final[Mapping[str, str]] = {
    "bold": "1",
    "dim": "2",
    "error": "1;31",
    "warning": "1;33",
    "info": "1;36",
    "hint": "1;35",
    "added": "32",
    "removed": "31",
    "hunk": "36",
    "good": "1;32",
    "frame": "34",
}


def paint(text: str, kind: str, style: Style) -> str:
    """Return a text in a colour, or as it is where there is none."""
    return f"\x1b[{_CODES[kind]}m{text}\x1b[0m" if style.colour else text


def severity(name: str, style: Style) -> str:
    """Return a severity in its colour."""
    return paint(name, name, style)


def statistics(out: TextIO, records: Sequence[Record], style: Style) -> None:
    """Write how often each rule fired, the most frequent first."""
    total = Counter((record.code, record.rule) for record in records)
    fixable = Counter(record.code for record in records if record.fix is not None)
    if total:
        out.write("\n")
    for (code, rule), count in sorted(total.items(), key=lambda item: (-item[1], item[0])):
        note = f" ({fixable[code]} with a fix)" if fixable[code] else ""
        out.write(f"{count:>6}  {paint(code, 'bold', style)}  {rule}{paint(note, 'dim', style)}\n")


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: `1 file`, `2 files`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def tail(out: TextIO, records: Sequence[Record], summary: Summary, style: Style) -> None:
    """Write the closing line: what was found in how many files, and what can be fixed."""
    found = counts(records)
    parts = [paint(plural(count, name), name, style) for name, count in found.items() if count]
    files = plural(summary.files, "file")
    extra = f", {summary.suppressed} suppressed" if summary.suppressed else ""
    extra += f", {len(summary.known)} in the baseline" if summary.known else ""
    fixed = f"{plural(summary.fixed, 'finding')} fixed. " if summary.fixed else ""
    if not summary.files and not records:
        out.write("no Osiris files found\n")
        return
    if not parts:
        out.write(f"{fixed}{paint('no findings', 'good', style)} in {files}{extra}\n")
        return
    out.write(f"{fixed}{', '.join(parts)} in {files}{extra}\n")
    safe = sum(record.fix is not None and record.fix_safe for record in records)
    unsafe = sum(record.fix is not None and not record.fix_safe for record in records)
    if safe:
        out.write(f"{safe} fixable with `--fix`")
        out.write(f", {unsafe} more with `--unsafe-fixes`\n" if unsafe else "\n")
    elif unsafe:
        out.write(f"{unsafe} fixable with `--fix --unsafe-fixes`\n")
