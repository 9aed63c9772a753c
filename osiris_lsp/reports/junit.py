"""The JUnit report: a suite per file, a failed test case per finding."""

from collections.abc import Sequence
from itertools import groupby
from typing import TextIO

from osiris_lsp.reports import Style, Summary
from osiris_lsp.reports.record import Record
from osiris_lsp.reports.xml import attribute, text


def write(out: TextIO, records: Sequence[Record], summary: Summary, style: Style) -> None:
    """Write the suites; errors and warnings fail, infos and hints are output of cases that pass."""
    failed = sum(map(_fails, records))
    tests = max(len(records), 1)  # some readers take a report without tests for a broken one
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f'<testsuites name="osiris-lsp" tests="{tests}" failures="{failed}" errors="0">\n')
    for path, found in groupby(records, key=lambda record: record.place.path):
        _suite(out, path, list(found))
    if not records:
        out.write('  <testsuite name="osiris-lsp" tests="1" failures="0" errors="0">\n')
        out.write('    <testcase classname="osiris-lsp" name="no findings"/>\n  </testsuite>\n')
    out.write("</testsuites>\n")


def _suite(out: TextIO, path: str, records: Sequence[Record]) -> None:
    failed = sum(map(_fails, records))
    head = f'tests="{len(records)}" failures="{failed}" errors="0"'
    out.write(f"  <testsuite name={attribute(path)} {head}>\n")
    for record in records:
        out.write(f"    <testcase {_case(record)}>\n      {_body(record)}\n    </testcase>\n")
    out.write("  </testsuite>\n")


def _case(record: Record) -> str:
    place = record.place
    name = attribute(f"{record.code} {record.rule} ({place.line}:{place.column})")
    where = f'file={attribute(place.path)} line="{place.line}"'
    return f"classname={attribute(place.path)} name={name} {where}"


def _body(record: Record) -> str:
    place = record.place
    shown = text(f"{place.path}:{place.line}:{place.column}: {record.severity} {record.message}")
    if not _fails(record):
        return f"<system-out>{shown}</system-out>"
    kind, message = attribute(record.severity), attribute(record.message)
    return f"<failure type={kind} message={message}>{shown}</failure>"


def _fails(record: Record) -> bool:
    return record.severity in ("error", "warning")
