"""The findings by rule, with what the rules mean."""

from collections.abc import Iterator, Sequence

from osiris_lsp import ruledoc
from osiris_lsp.finding import SEVERITIES
from osiris_lsp.reports.html.markup import anchor, badge, inline, text
from osiris_lsp.reports.paint import plural
from osiris_lsp.reports.record import Record
from osiris_lsp.rules import RULES, load


def section(records: Sequence[Record]) -> Iterator[str]:
    """Yield the rules that found something, the most frequent first."""
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record.rule, []).append(record)
    for name, listed in sorted(found.items(), key=lambda item: (-len(item[1]), item[1][0].code)):
        entry = RULES[name]
        doc = ruledoc.read(load(name))
        worst = min((record.severity for record in listed), key=SEVERITIES.index)
        yield f'<details class="card">\n<summary>{badge(worst)} '
        yield f"<b>{entry.code} {name}</b> "
        yield f'<span class="count">{plural(len(listed), "finding")}</span></summary>\n'
        # A link to what is inside opens the details; one to the details themselves would not.
        yield f'<p id="rule-{name}">{inline(doc.summary)}</p>\n'
        for paragraph in doc.why.split("\n\n"):
            yield f"<p>{inline(' '.join(paragraph.split()))}</p>\n" if paragraph else ""
        if doc.fix:
            yield f"<p><b>Fix:</b> {inline(doc.fix)}</p>\n"
        yield '<ul class="places">\n'
        for record in listed:
            where = f"{record.place.path}:{record.place.line}:{record.place.column}"
            yield f'<li><a href="#{anchor(record)}">{text(where)}</a></li>\n'
        yield f'</ul>\n<p class="muted">Silence one: <code># osiris: ignore[{entry.code}] reason'
        yield "</code> at the end of the line</p>\n</details>\n"
