"""The Checkstyle report: findings by file, for tools that read the XML of Checkstyle."""

from collections.abc import Sequence
from itertools import groupby
from typing import TextIO

from osiris_lsp.reports import Style, Summary
from osiris_lsp.reports.record import Record
from osiris_lsp.reports.xml import attribute


def write(out: TextIO, records: Sequence[Record], summary: Summary, style: Style) -> None:
    """Write an element per file with an `error` element per finding."""
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n<checkstyle version="4.3">\n')
    for path, found in groupby(records, key=lambda record: record.place.path):
        out.write(f"  <file name={attribute(path)}>\n")
        for record in found:
            out.write(f"    <error {_attributes(record)}/>\n")
        out.write("  </file>\n")
    out.write("</checkstyle>\n")


def _attributes(record: Record) -> str:
    severity = "info" if record.severity == "hint" else record.severity
    return (
        f'line="{record.place.line}" column="{record.place.column}" severity="{severity}" '
        f"message={attribute(f'{record.code}: {record.message}')} "
        f"source={attribute(f'osiris-lsp.{record.rule}')}"
    )
