"""The Markdown report: for comments on pull requests and summaries of CI jobs."""

from collections.abc import Sequence
from io import StringIO
from itertools import groupby
from typing import Final, TextIO

from osiris_lsp.markdown import code
from osiris_lsp.reports import Style, Summary
from osiris_lsp.reports.paint import tail
from osiris_lsp.reports.record import Record
from osiris_lsp.text import lazy, printable

_MARKS: Final = lazy(r"[\\`*_\[\]<>~&|@$]|:(?=\S)")
"""What means something inside of a line; commas and full stops stay readable."""


def write(out: TextIO, records: Sequence[Record], summary: Summary, style: Style) -> None:
    """Write what was counted, then a list of findings for each file."""
    out.write("## osiris-lsp\n\n")
    counted = StringIO()
    tail(counted, records, summary, Style())
    out.write("  \n".join(counted.getvalue().splitlines()) + "\n")
    for path, found in groupby(records, key=lambda record: record.place.path):
        out.write(f"\n### {code(path)}\n\n")
        for record in found:
            out.write(f"{_item(record)}\n")


def _item(record: Record) -> str:
    place = record.place
    head = f"- {place.line}:{place.column} **{record.severity}** {record.code}"
    return f"{head} {inline(record.message)} ({record.rule})"


def inline(message: str) -> str:
    """Return a message as Markdown: text in backticks is code, all else is shown as it is."""
    parts = message.split("`")
    if len(parts) % 2 == 0:  # one backtick is no pair's
        return _escape(message)
    return "".join(code(part) if at % 2 else _escape(part) for at, part in enumerate(parts))


def _escape(text: str) -> str:
    return _MARKS.sub(lambda match: f"\\{match[0]}", printable(text))
