"""`--format sarif`: SARIF 2.1.0."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from osiris_lsp.rules import RULES
from tests.cli.conftest import Run, write
from tests.reports.conftest import CONNECTIONS, PIPELINE, Golden, Report

SCHEMA = json.loads((Path(__file__).parent / "schemas/sarif-2.1.0.json").read_text())


def _valid(log: Any) -> Any:
    jsonschema.Draft4Validator(
        SCHEMA, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER
    ).validate(log)
    (run,) = log["runs"]
    return run


def test_the_log_meets_the_schema(report: Report, golden: Golden) -> None:
    """Results, places, fixes, fingerprints and suppressions; rules are compared by name only."""
    run = _valid(report("sarif").json)
    driver = run["tool"]["driver"]
    driver["rules"] = [rule["name"] for rule in driver["rules"]]
    golden("sarif.json", json.dumps(run, indent=1, ensure_ascii=False) + "\n")


def test_a_clean_run_is_a_successful_invocation(clean: Report) -> None:
    """An empty list of results says that nothing was found."""
    run = _valid(clean("sarif").json)
    assert run["results"] == []
    assert run["invocations"] == [
        {"executionSuccessful": True, "exitCode": 0, "exitCodeDescription": "nothing to report"}
    ]


def test_an_input_error_is_an_unsuccessful_invocation(report: Report) -> None:
    """The exit code is the one of the process."""
    result = report("sarif", "pipelines", "nosuch.yaml")
    (invocation,) = _valid(result.json)["invocations"]
    assert (result.code, invocation["exitCode"]) == (2, 2)
    assert invocation["executionSuccessful"] is False


def test_every_rule_has_help(project: Path, run: Run) -> None:
    """Help is the rule's page, as Markdown and as plain text; indices point at the right rule."""
    write(project, {"osiris_connections.yaml": CONNECTIONS, "pipelines/orders.yaml": PIPELINE})
    found = _valid(run("lint", "--format", "sarif").json)
    rules = found["tool"]["driver"]["rules"]
    for result in found["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    for rule in rules:
        entry = RULES[rule["name"]]
        assert (rule["id"], rule["help"]["markdown"].splitlines()[0]) == (
            entry.code,
            f"# {entry.name} ({entry.code})",
        )
        assert "`" not in rule["help"]["text"]
        assert rule["shortDescription"]["text"] in rule["help"]["markdown"]


def test_secrets_are_tagged_and_masked(report: Report) -> None:
    """Code scanning shows them as security findings; the mask is declared as a redaction token."""
    run = _valid(report("sarif").json)
    (rule,) = (rule for rule in run["tool"]["driver"]["rules"] if rule["id"] == "OSR301")
    assert rule["properties"]["tags"] == ["security"]
    assert rule["properties"]["security-severity"] == "8.0"
    assert run["redactionTokens"] == ["***"]
    (result,) = (result for result in run["results"] if result["ruleId"] == "OSR301")
    place = result["locations"][0]["physicalLocation"]
    assert (
        place["contextRegion"]["snippet"]["text"] == "      password: *** # made up for this test"
    )
    assert "fixes" not in result


def test_suppressed_findings_come_with_the_reason(report: Report) -> None:
    """They are results too, so that a viewer can show what was accepted, and why."""
    results = _valid(report("sarif").json)["results"]
    (given,) = (result for result in results if result["suppressions"])
    assert given["ruleId"] == "OSR118"
    assert given["suppressions"] == [
        {"kind": "inSource", "status": "accepted", "justification": "kept, *** opens it"}
    ]


def test_fixes_lead_to_a_valid_file(report: Report, project: Path) -> None:
    """Replacements are what `--fix --unsafe-fixes` does; columns are code points."""
    run = _valid(report("sarif", "--select", "unknown-alias").json)
    assert run["columnKind"] == "unicodeCodePoints"
    (change,) = run["results"][0]["fixes"][0]["artifactChanges"]
    (replacement,) = change["replacements"]
    region = replacement["deletedRegion"]
    lines = PIPELINE.splitlines(keepends=True)
    line = lines[region["startLine"] - 1]
    text = replacement["insertedContent"]["text"]
    lines[region["startLine"] - 1] = (
        line[: region["startColumn"] - 1] + text + line[region["endColumn"] - 1 :]
    )
    report("full", "--select", "unknown-alias", "--fix", "--unsafe-fixes")
    assert (project / "pipelines/orders.yaml").read_text() == "".join(lines)


def test_paths_are_uris_of_the_repository(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blanks and other characters are percent-encoded, relative to the checkout."""
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.parent))
    write(project, {"pipelines/ä b#c.yaml": PIPELINE})
    results = _valid(run("lint", "--format", "sarif", "pipelines/ä b#c.yaml").json)["results"]
    place = results[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {
        "uri": f"{project.name}/pipelines/%C3%A4%20b%23c.yaml",
        "uriBaseId": "%SRCROOT%",
    }
