"""The concise report: one line per finding, as editors and grep like it."""

from collections.abc import Sequence
from typing import TextIO

from osiris_lsp.reports import Style, Summary
from osiris_lsp.reports.paint import paint, severity, statistics, tail
from osiris_lsp.reports.record import Record


def write(out: TextIO, records: Sequence[Record], summary: Summary, style: Style) -> None:
    """Write `path:line:column: severity CODE message [rule]` for each finding."""
    for record in records:
        place = f"{record.place.path}:{record.place.line}:{record.place.column}"
        rule = paint(f"[{record.rule}]", "dim", style)
        code = paint(record.code, "bold", style)
        level = severity(record.severity, style)
        out.write(f"{paint(place, 'bold', style)}: {level} {code} {record.message} {rule}\n")
    if style.statistics:
        statistics(out, records, style)
    tail(out, records, summary, style)
