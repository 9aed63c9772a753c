"""`--format github`: annotations and the summary of the job."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import PIPELINE, Run, write
from tests.reports.conftest import Golden, Report

_COMMAND = re.compile(r"::(error|warning|notice) ([^:\s][^:]*)::(.*)")


def test_annotations_come_gravest_first(report: Report, golden: Golden) -> None:
    """Each line is one command; values are escaped as GitHub decodes them."""
    out = report("github").out
    golden("github.txt", out)
    kinds = [match[1] for line in out.splitlines() if (match := _COMMAND.fullmatch(line))]
    assert kinds == sorted(kinds)  # error, notice, warning: there is no warning in the project
    assert len(kinds) == len(report("json").json["findings"])


def test_columns_are_left_out_of_findings_of_several_lines(report: Report, project: Path) -> None:
    """GitHub refuses columns where the lines differ."""
    write(project, {"pipelines/orders.yaml": PIPELINE.replace("@mysql.", "@mysql\n        .")})
    lines = report("github", "--select", "invalid-reference").out.splitlines()
    assert "line=8,endLine=9,title=" in lines[0]


def test_paths_are_those_of_the_repository(
    report: Report, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run in a folder of the repository annotates the right file all the same."""
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project))
    monkeypatch.chdir(project / "pipelines")
    assert "file=pipelines/orders.yaml," in report("github", "orders.yaml").out


def test_the_summary_of_the_job_is_appended(
    report: Report, project: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What other steps wrote stays; the summary is the Markdown report."""
    summary = project / "summary.md"
    summary.write_text("# before\n\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    report("github")
    assert summary.read_text() == "# before\n\n" + report("markdown").out


def test_a_summary_that_cannot_be_written_is_said(
    report: Report, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The annotations and the exit code are what they are without it."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project))
    result = report("github")
    assert result.code == 1
    assert result.out.endswith("the summary of the job could not be written: is a directory\n")


def test_more_than_ten_of_a_kind_are_said(run: Run, project: Path) -> None:
    """GitHub drops what comes after the tenth annotation of a kind, so a line says so."""
    steps = "".join(f"  - id: s{number}\n    mode: reed\n" for number in range(11))
    write(project, {"pipelines/orders.yaml": PIPELINE.partition("  - id")[0] + steps})
    out = run("lint", "--format", "github", "--select", "invalid-mode").out
    assert out.splitlines()[-1] == "GitHub shows the first 10 annotations of each kind"
    assert out.count("::error ") == 11
