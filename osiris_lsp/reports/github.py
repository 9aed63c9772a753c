"""Annotations for GitHub Actions, the gravest first, and the summary of the job."""

import os
from collections.abc import Sequence
from typing import Final, TextIO

from osiris_lsp.reports import Style, Summary, counts, gravest_first
from osiris_lsp.reports.paint import tail
from osiris_lsp.reports.record import Record
from osiris_lsp.reports.repository import repository_path

_COMMANDS: Final = {"error": "error", "warning": "warning", "info": "notice", "hint": "notice"}

_SHOWN: Final = 10
"""Annotations of each kind that GitHub shows for one step."""

_LISTED: Final = 500
"""Findings in the job's summary, which GitHub limits to 1 MiB."""


def write(out: TextIO, records: Sequence[Record], summary: Summary, style: Style) -> None:
    """Write a workflow command for each finding, and append to `$GITHUB_STEP_SUMMARY`."""
    ordered = gravest_first(records)
    for record in ordered:
        out.write(f"{_annotation(record)}\n")
    tail(out, records, summary, Style())
    found = counts(records)
    kinds = found["error"], found["warning"], found["info"] + found["hint"]
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if max(kinds) > _SHOWN:
        more = "; the summary of the job lists more" if path else ""
        out.write(f"GitHub shows the first {_SHOWN} annotations of each kind{more}\n")
    if path:
        try:
            _summarize(path, ordered, summary)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            out.write(f"the summary of the job could not be written: {reason}\n")


def _annotation(record: Record) -> str:
    place = record.place
    options = {"file": repository_path(place.path), "line": place.line, "endLine": place.end_line}
    if place.line == place.end_line:  # GitHub takes columns of a single line only
        options |= {"col": place.column, "endColumn": place.end_column}
    options["title"] = f"{record.code} {record.rule}"
    shown = ",".join(f"{name}={_property(str(value))}" for name, value in options.items())
    return f"::{_COMMANDS[record.severity]} {shown}::{_data(record.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _summarize(path: str, records: Sequence[Record], summary: Summary) -> None:
    from osiris_lsp.reports.markdown import write as write_markdown

    with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
        shown = sorted(records[:_LISTED], key=lambda record: record.place)
        write_markdown(file, shown, summary, Style())
        if len(records) > _LISTED:
            file.write(f"\nOnly the gravest {_LISTED} of {len(records)} findings are listed.\n")
