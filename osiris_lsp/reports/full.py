"""The full report: each finding with its line, a caret range, the remedy and the rule."""

from collections.abc import Iterator, Sequence
from typing import TextIO

from osiris_lsp.reports import Style, Summary
from osiris_lsp.reports.paint import paint, severity, statistics, tail
from osiris_lsp.reports.record import Place, Record
from osiris_lsp.secret import Excerpt
from osiris_lsp.text import printable, width


def write(out: TextIO, records: Sequence[Record], summary: Summary, style: Style) -> None:
    """Write every finding as a block, then the closing lines."""
    for record in records:
        out.write("\n".join(_block(record, style)) + "\n\n")
    if style.statistics:
        statistics(out, records, style)
        out.write("\n" if records else "")
    tail(out, records, summary, style)


def _block(record: Record, style: Style) -> Iterator[str]:
    place = record.place
    head = paint(f"{place.path}:{place.line}:{place.column}", "bold", style)
    level = severity(f"{record.severity}", style)
    yield f"{head}: {level} {paint(record.code, 'bold', style)} {record.message}"
    yield from frame(place, record.excerpt, record.severity, style)
    gutter = " " * (len(str(place.line)) + 1)
    equals = paint("=", "frame", style)
    for other, message in record.related:
        yield f"{gutter} {equals} see {other.path}:{other.line}:{other.column}: {message}"
    if record.fix is not None:
        flag = "" if record.fix_safe else " --unsafe-fixes"
        how = paint(f"(--fix{flag})", "dim", style)
        yield f"{gutter} {equals} fix: {record.fix[:1].lower()}{record.fix[1:]} {how}"
    source = f", {record.source}" if record.source else ""
    rule = paint(f"{record.rule}{source}", "dim", style)
    yield f"{gutter} {equals} rule: {rule}"


def frame(place: Place, shown: Excerpt, kind: str, style: Style) -> Iterator[str]:
    """Yield the line of a place with its number, and carets below it; nothing for an empty line."""
    number = str(place.line)
    bar = paint("|", "frame", style)
    gutter = " " * (len(number) + 1)
    if place.end_line > place.line or place.end_column > place.column or shown.text.strip():
        text, lead, marks = _window(shown, style.width - len(number) - 4)
        yield f"{gutter} {bar}"
        yield f" {paint(number, 'frame', style)} {bar} {text}"
        caret = paint("^" * marks, kind, style)
        more = paint(" …", "dim", style) if place.end_line > place.line else ""
        yield f"{gutter} {bar} {' ' * lead}{caret}{more}"


def _window(excerpt: Excerpt, room: int) -> tuple[str, int, int]:
    """Return the shown part of a line, the columns before the caret and the caret's length."""
    room = max(room, 40)
    text, start, end = excerpt
    before, inside, after = text[:start], text[start:end], text[end:]
    before, inside, after = (_flat(piece) for piece in (before, inside, after))
    if width(before) + width(inside) + width(after) > room:
        if width(before) > room // 3:
            before = "…" + before[-(room // 3) :]
        inside = inside if width(inside) <= room // 2 else inside[: room // 2] + "…"
        left = max(room - width(before) - width(inside), 0)
        after = after if width(after) <= left else after[: max(left - 1, 0)] + "…"
    return before + inside + after, width(before), max(width(inside), 1)


def _flat(text: str) -> str:
    return printable(text.replace("\t", "    "))
