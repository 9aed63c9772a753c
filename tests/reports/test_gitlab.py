"""`--format gitlab`: the code quality report."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run, write
from tests.reports.conftest import PIPELINE, Golden, Report


def test_issues_are_what_gitlab_reads(report: Report, golden: Golden, clean: Report) -> None:
    """A JSON list of issues with description, check, fingerprint, severity and place."""
    golden("gitlab.json", report("gitlab").out)


def test_no_findings_are_an_empty_list(clean: Report) -> None:
    """GitLab compares with the report of the target branch, so an empty one is needed."""
    assert clean("gitlab").json == []


def test_fingerprints_are_those_of_the_json_report(report: Report, project: Path) -> None:
    """They stay when lines move, which is how GitLab tells new issues from old ones."""
    before = [issue["fingerprint"] for issue in report("gitlab", "pipelines").json]
    write(project, {"pipelines/orders.yaml": f"# a\n# b\n{PIPELINE}"})
    after = report("gitlab", "pipelines").json
    findings = report("json", "pipelines").json["findings"]
    assert before == [issue["fingerprint"] for issue in after]
    assert before == [finding["fingerprint"] for finding in findings]
    assert after[0]["location"]["lines"]["begin"] == findings[0]["line"]


def test_fingerprints_differ_between_projects_of_a_repository(project: Path, run: Run) -> None:
    """GitLab drops an issue whose fingerprint it has seen."""
    for name in "ab":
        write(project / name, {"osiris-lsp.toml": "", "pipelines/orders.yaml": PIPELINE})
    issues = run("lint", "--format", "gitlab", "a", "b").json
    assert len(issues) == len({issue["fingerprint"] for issue in issues})
    assert {issue["location"]["path"] for issue in issues} == {
        "a/pipelines/orders.yaml",
        "b/pipelines/orders.yaml",
    }


def test_paths_are_those_of_the_repository(
    report: Report, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitLab knows files by their path in the repository."""
    monkeypatch.setenv("CI_PROJECT_DIR", str(project))
    monkeypatch.chdir(project / "pipelines")
    (path,) = {issue["location"]["path"] for issue in report("gitlab", "orders.yaml").json}
    assert path == "pipelines/orders.yaml"
