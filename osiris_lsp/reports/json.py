"""The JSON report: one object with all findings and a summary (DESIGN section 5)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from osiris_lsp.reports import Style, Summary, counts
from osiris_lsp.reports.record import Record

SCHEMA_VERSION = 1


def write(out: TextIO, records: Sequence[Record], summary: Summary, style: Style) -> None:
    """Write the report as one JSON object."""
    data = {
        "schema_version": SCHEMA_VERSION,
        "findings": [record.as_json() for record in records],
        "summary": totals(records, summary),
    }
    out.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


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
        "baselined": summary.baselined,
    }
