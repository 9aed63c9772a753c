"""The JSON report: one object with all findings and a summary (DESIGN section 5)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from osiris_lsp.reports import Style, Summary, counts
from osiris_lsp.reports.record import Record
from osiris_lsp.text import printable

SCHEMA_VERSION = 1


def encode(value: object) -> str:
    """Return a value as JSON on one line.

    Control and bidirectional characters are escaped: what a terminal shows is what is meant.
    """
    return printable(json.dumps(value, ensure_ascii=False))


def write(out: TextIO, records: Sequence[Record], summary: Summary, style: Style) -> None:
    """Write the report as one JSON object with a finding per line, which is fast and diffs well."""
    lines = ",\n  ".join(encode(record.as_json()) for record in records)
    findings = f"[\n  {lines}\n ]" if records else "[]"
    counted = encode(totals(records, summary))
    version = f'"schema_version": {SCHEMA_VERSION}'
    out.write(f'{{{version},\n "findings": {findings},\n "summary": {counted}}}\n')


def totals(records: Sequence[Record], summary: Summary) -> Mapping[str, Any]:
    """Return the `summary` object of the report."""
    found = counts(records)
    return {
        "files": summary.files,
        "errors": found["error"],
        "warnings": found["warning"],
        "infos": found["info"],
        "hints": found["hint"],
        "fixable": sum(record.fix is not None for record in records),
        "suppressed": summary.suppressed,
        "baselined": len(summary.known),
    }
