"""The findings by file, with the lines around each."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from osiris_lsp.reports import counts
from osiris_lsp.reports.html.markup import anchor, badge, inline, text
from osiris_lsp.reports.paint import plural
from osiris_lsp.reports.record import Record, Silenced


def section(records: Sequence[Record]) -> Iterator[str]:
    """Yield the findings, with a choice of severities where there are several."""
    if not records:
        yield '<p class="good">Nothing to report.</p>\n'
        return
    found = [(name, count) for name, count in counts(records).items() if count]
    if len(found) > 1:
        yield '<fieldset class="choice"><legend>Show</legend>\n'
        for name, count in found:
            box = f'<input type="checkbox" id="show-{name}" checked>'
            yield f"<label>{box} {plural(count, name)}</label>\n"
        yield "</fieldset>\n"
    for path, group in groupby(records, key=lambda record: record.place.path):
        listed = list(group)
        number = f'<span class="count">{plural(len(listed), "finding")}</span>'
        yield f'<div class="file">\n<h3><span class="path">{text(path)}</span> {number}</h3>\n'
        for record in listed:
            yield from _finding(record)
        yield "</div>\n"


def _finding(record: Record) -> Iterator[str]:
    place = record.place
    yield f'<article class="finding {record.severity}" id="{anchor(record)}">\n'
    yield f"<h4>{badge(record.severity)} {inline(record.message)}</h4>\n"
    rule = f'<a href="#rule-{record.rule}">{record.code} {record.rule}</a>'
    source = f", {text(record.source)}" if record.source else ""
    yield f'<p class="where">line {place.line}, column {place.column} · {rule}{source}</p>\n'
    yield from _excerpt(record)
    notes = []
    if record.fix is not None:
        how = "--fix" if record.fix_safe else "--fix --unsafe-fixes"
        notes.append(f"<li><b>Fix</b> {inline(record.fix)} <code>{how}</code></li>")
    for other, message in record.related:
        where = f"{other.path}:{other.line}:{other.column}"
        notes.append(f"<li><b>See</b> <code>{text(where)}</code> {inline(message)}</li>")
    if notes:
        yield f'<ul class="notes">{"".join(notes)}</ul>\n'
    yield "</article>\n"


def _excerpt(record: Record) -> Iterator[str]:
    line, shown = record.place.line, record.excerpt
    if not (shown.text.strip() or record.before or record.after):
        return
    yield '<pre class="excerpt">'
    for number, around in enumerate(record.before, line - len(record.before)):
        yield _line(number, text(around))
    marked = text(shown.text[shown.start : shown.end])
    marked = f"<mark>{marked}</mark>" if marked else ""
    body = text(shown.text[: shown.start]) + marked + text(shown.text[shown.end :])
    yield _line(line, body, " hit")
    for number, around in enumerate(record.after, line + 1):
        yield _line(number, text(around), " hit" if number <= record.place.end_line else "")
    yield "</pre>\n"


def _line(number: int, body: str, kind: str = "") -> str:
    return (
        f'<span class="line{kind}"><span class="number">{number}</span><code>{body}</code></span>'
    )


def suppressed(silenced: Sequence[Silenced]) -> Iterator[str]:
    """Yield what comments silence, with the reasons that they give."""
    yield '<ul class="places card">\n'
    for record, reason in silenced:
        where = f"{record.place.path}:{record.place.line}"
        given = text(reason) if reason else '<span class="muted">no reason given</span>'
        yield (
            f"<li>{badge(record.severity)} <code>{text(where)}</code> {record.code} "
            f"{record.rule}: {given}</li>\n"
        )
    yield "</ul>\n"
