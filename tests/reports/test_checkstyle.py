"""`--format checkstyle`."""

from xml.etree import ElementTree

from tests.reports.conftest import Golden, Report


def test_findings_are_grouped_by_file(report: Report, golden: Golden, clean: Report) -> None:
    """A `file` element for each file with findings; severities are error, warning, info."""
    out = report("checkstyle").out
    golden("checkstyle.xml", out)
    root = ElementTree.fromstring(out.encode())
    assert {error.attrib["severity"] for error in root.iter("error")} == {"error", "info"}


def test_a_clean_run_has_no_files(clean: Report) -> None:
    """The document is there all the same."""
    assert len(ElementTree.fromstring(clean("checkstyle").out.encode())) == 0
