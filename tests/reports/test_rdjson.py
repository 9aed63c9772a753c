"""`--format rdjson`: the Reviewdog Diagnostic Format."""

from pathlib import Path

from tests.reports.conftest import PIPELINE, Golden, Report


def test_diagnostics_are_what_reviewdog_reads(report: Report, golden: Golden) -> None:
    """Source, message, range, severity, code and suggestions."""
    golden("rdjson.json", report("rdjson").out)


def test_columns_are_bytes(report: Report, project: Path) -> None:
    """reviewdog.proto: columns count bytes of UTF-8, the end is exclusive."""
    (found,) = report("rdjson", "--select", "unknown-alias").json["diagnostics"]
    line = PIPELINE.splitlines()[6].encode()
    start, end = found["location"]["range"]["start"], found["location"]["range"]["end"]
    assert start["line"] == end["line"] == 7
    assert line[start["column"] - 1 : end["column"] - 1] == b'"@mysql.defalt"'
    (suggestion,) = found["suggestions"]
    first, last = (suggestion["range"][name]["column"] - 1 for name in ("start", "end"))
    fixed = line[:first] + suggestion["text"].encode() + line[last:]
    assert fixed.decode().endswith('connection: "@mysql.default"}')


def test_no_findings_are_an_empty_list(clean: Report) -> None:
    """The object is there all the same."""
    assert clean("rdjson").json == {"source": {"name": "osiris-lsp"}, "diagnostics": []}
