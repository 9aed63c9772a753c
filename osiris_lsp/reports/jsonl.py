"""The JSON Lines report: one finding per line."""

from collections.abc import Sequence
from typing import TextIO

from osiris_lsp.reports import Style, Summary
from osiris_lsp.reports.json import encode
from osiris_lsp.reports.record import Record


def write(out: TextIO, records: Sequence[Record], summary: Summary, style: Style) -> None:
    """Write each finding as a JSON object on a line of its own."""
    for record in records:
        out.write(encode(record.as_json()) + "\n")
