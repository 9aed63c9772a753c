"""The Reviewdog Diagnostic Format: one JSON object with all findings."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TextIO

from osiris_lsp.reports import Style, Summary
from osiris_lsp.reports.json import encode
from osiris_lsp.reports.record import Place, Record

_SEVERITIES: Final = {"error": "ERROR", "warning": "WARNING", "info": "INFO", "hint": "INFO"}


def write(out: TextIO, records: Sequence[Record], summary: Summary, style: Style) -> None:
    """Write the object with a diagnostic per line; columns are bytes of UTF-8, as it wants them."""
    lines = ",\n  ".join(encode(_diagnostic(record)) for record in records)
    diagnostics = f"[\n  {lines}\n ]" if records else "[]"
    out.write(f'{{"source": {{"name": "osiris-lsp"}},\n "diagnostics": {diagnostics}}}\n')


def _diagnostic(record: Record) -> Mapping[str, Any]:
    found: dict[str, Any] = {
        "message": record.message,
        "location": {"path": record.place.path, "range": _range(record.place)},
        "severity": _SEVERITIES[record.severity],
        "code": {"value": f"{record.code} {record.rule}"},
    }
    # Suggestions are alternatives to each other: a fix of several edits is none.
    if record.edits is not None and len(record.edits) == 1:
        place, text = record.edits[0]
        if place.path == record.place.path:
            found["suggestions"] = [{"range": _range(place), "text": text}]
    return found


def _range(place: Place) -> Mapping[str, Any]:
    return {
        "start": {"line": place.line, "column": place.byte},
        "end": {"line": place.end_line, "column": place.end_byte},
    }
