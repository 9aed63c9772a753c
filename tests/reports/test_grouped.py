"""`--format grouped`."""

from tests.reports.conftest import Golden, Report


def test_findings_stand_below_their_file(report: Report, golden: Golden) -> None:
    """Places, severities and codes are aligned within a file."""
    golden("grouped.txt", report("grouped").out)


def test_statistics_come_before_the_last_line(report: Report) -> None:
    """`--statistics` counts rules, as in the other reports for people."""
    lines = report("grouped", "--statistics").out.splitlines()
    assert "     1  OSR219  unknown-alias (1 with a fix)" in lines
    assert lines[-2].endswith("in 2 files, 1 suppressed")
