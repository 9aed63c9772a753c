"""`--format junit`."""

from xml.etree import ElementTree

from tests.reports.conftest import Golden, Report


def test_findings_are_test_cases(report: Report, golden: Golden) -> None:
    """A suite per file; hints pass, and the numbers agree with the cases."""
    out = report("junit").out
    golden("junit.xml", out)
    root = ElementTree.fromstring(out.encode())
    assert root.attrib["tests"] == str(len(root.findall(".//testcase")))
    assert root.attrib["failures"] == str(len(root.findall(".//failure")))
    for suite in root:
        assert suite.attrib["tests"] == str(len(suite))
        assert suite.attrib["failures"] == str(len(suite.findall(".//failure")))


def test_a_clean_run_is_one_test_that_passes(clean: Report) -> None:
    """Some CI systems fail a job whose report has no test."""
    root = ElementTree.fromstring(clean("junit").out.encode())
    assert (root.attrib["tests"], root.attrib["failures"]) == ("1", "0")
    assert len(root.findall(".//testcase")) == 1
