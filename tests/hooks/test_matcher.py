"""The problem matcher of GitHub on what `--format concise` prints."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.hooks.conftest import HOOKS, SCRIPTS

MATCHERS = json.loads((HOOKS / "problem-matcher.json").read_text())["problemMatcher"]


def matched(line: str) -> Iterator[dict[str, str]]:
    """Yield what each matcher makes of a line, as the runner does."""
    for matcher in MATCHERS:
        (pattern,) = matcher["pattern"]
        found = re.search(pattern["regexp"], line)
        if found:
            names = ("file", "line", "column", "code", "message", "severity")
            given = {name: found[pattern[name]] for name in names if name in pattern}
            yield {"severity": matcher.get("severity", "error"), **given}


@pytest.mark.parametrize("colour", ["always", "never"])
def test_every_finding_is_matched_once(
    broken: Path, variables: Mapping[str, str], colour: str
) -> None:
    """Each line gives file, line, column, severity, code and message, in colour and without."""
    (broken / "osiris_connections.yaml").write_text("connections:\n  mysql: {}\n")
    command = [str(SCRIPTS / "osiris-lsp"), "lint", "--format", "concise", "--color", colour]
    done = subprocess.run(
        command, cwd=broken, env=variables, capture_output=True, encoding="utf-8", check=False
    )
    report = subprocess.run(
        [*command[:2], "--format", "json"],
        cwd=broken,
        env=variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    expected = [
        {
            "severity": "notice" if item["severity"] in ("info", "hint") else item["severity"],
            "file": item["path"],
            "line": str(item["line"]),
            "column": str(item["column"]),
            "code": item["code"],
            "message": item["message"],
        }
        for item in json.loads(report.stdout)["findings"]
    ]
    assert {"error", "warning"} <= {item["severity"] for item in expected}
    found = [item for line in done.stdout.splitlines() for item in matched(line)]
    for item in found:
        plain = re.sub(r"\x1b\[[0-9;]*m", "", item["message"])
        item["message"] = plain.rpartition(" [")[0]
    assert expected == found


def test_hints_are_notices() -> None:
    """What does not fail a run is no error in the margin either."""
    (found,) = matched("a.yaml:1:2: hint OSR118 `@a.b` is used by no pipeline [unused-connection]")
    assert (found["severity"], found["code"]) == ("notice", "OSR118")
    assert not list(matched("1 error, 2 warnings in 3 files"))
