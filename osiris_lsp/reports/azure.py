"""Logging commands for Azure Pipelines, the gravest first."""

from collections.abc import Sequence
from typing import TextIO

from osiris_lsp.reports import Style, Summary, gravest_first
from osiris_lsp.reports.paint import tail
from osiris_lsp.reports.record import Record
from osiris_lsp.reports.repository import repository_path


def write(out: TextIO, records: Sequence[Record], summary: Summary, style: Style) -> None:
    """Write `##vso[task.logissue]` for errors and warnings, and a plain line for all else.

    Azure has no grave kind below warning.
    """
    for record in gravest_first(records):
        out.write(f"{_issue(record)}\n")
    tail(out, records, summary, Style())


def _issue(record: Record) -> str:
    place = record.place
    if record.severity not in ("error", "warning"):
        line = f"{place.path}:{place.line}:{place.column}: {record.severity} {record.code} "
        # Azure looks for commands anywhere in a line.
        return (line + f"{record.message} [{record.rule}]").replace("##", "# #")
    options = {
        "type": record.severity,
        "sourcepath": repository_path(place.path),
        "linenumber": place.line,
        "columnnumber": place.column,
        "code": record.code,
    }
    shown = "".join(f"{name}={_property(str(value))};" for name, value in options.items())
    return f"##vso[task.logissue {shown}]{_data(f'{record.message} [{record.rule}]')}"


def _data(text: str) -> str:
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(";", "%3B").replace("]", "%5D")
