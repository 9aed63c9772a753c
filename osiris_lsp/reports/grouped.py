"""The grouped report: the findings of each file below its name."""

from collections.abc import Sequence
from itertools import groupby
from typing import TextIO

from osiris_lsp.reports import Style, Summary
from osiris_lsp.reports.paint import paint, severity, statistics, tail
from osiris_lsp.reports.record import Record


def write(out: TextIO, records: Sequence[Record], summary: Summary, style: Style) -> None:
    """Write the name of each file, and a line for each of its findings in columns."""
    for path, found in groupby(records, key=lambda record: record.place.path):
        rows = [(f"{item.place.line}:{item.place.column}", item) for item in found]
        places = max(len(place) for place, _ in rows)
        levels = max(len(item.severity) for _, item in rows)
        out.write(f"{paint(path, 'bold', style)}\n")
        for place, item in rows:
            level = severity(item.severity, style) + " " * (levels - len(item.severity))
            rule = paint(f"[{item.rule}]", "dim", style)
            code = paint(item.code, "bold", style)
            out.write(f"  {place:>{places}}  {level}  {code}  {item.message} {rule}\n")
        out.write("\n")
    if style.statistics:
        statistics(out, records, style)
        out.write("\n" if records else "")
    tail(out, records, summary, style)
