"""Every rule against its golden cases, and every fix against what a fix must keep."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from osiris_lsp import fixes
from osiris_lsp.finding import Finding, at_least
from osiris_lsp.project import Project, open_project
from osiris_lsp.rules import RULES
from osiris_lsp.syntax import parse
from tests import golden

CASES = sorted(Path(__file__).parent.glob("*/*.case"))


def _id(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


PROVES = {
    "incomplete-tls/incomplete": ["S1-CONN017-02"],
    "invalid-reference/wrong": ["S1-CONN004-04", "S1-CONN004-05"],
    "missing-connections-file/none": ["S1-CONN001-01"],
    "missing-tls-file/missing": ["S1-CONN017-02"],
    "plaintext-secret/connections": ["S1-CONN002-01"],
    "timeout-order/order": ["S4-BP-02"],
    "unknown-alias/typo": ["S1-CONN004-07"],
}
"""The inventory items that a case proves."""


def _marked(path: Path) -> Any:
    items = PROVES.get(_id(path))
    return pytest.param(path, marks=pytest.mark.inventory(*items) if items else ())


def test_the_cases_that_prove_something_exist() -> None:
    """A renamed case takes its items along."""
    assert set(PROVES) - {_id(path) for path in CASES} == set()


@pytest.mark.parametrize("path", [_marked(path) for path in CASES], ids=_id)
def test_findings(path: Path, tmp_path: Path, update: bool) -> None:
    """The findings of the rule, and the files after its fixes, are those in the case file."""
    case = golden.read(path)
    assert case.rule in RULES, f"{case.rule} is no rule; run `make docs` after adding one"
    golden.write_files(case, tmp_path)
    project = golden.project_of(case, tmp_path, case.rule)
    findings = golden.lint_all(project, case.rule)
    actual = {"findings": golden.show(findings, project, tmp_path)}
    for name, text in _fixed(findings, project, tmp_path).items():
        actual[f"fixed {name}"] = text.replace("\r\n", "\n")
    if update:
        path.write_bytes(golden.render(case, actual).encode("utf-8"))
        return
    assert actual == case.golden


def _fixed(findings: Sequence[Finding], project: Project, folder: Path) -> dict[str, str]:
    texts = {}
    for path in dict.fromkeys(finding.path for finding in findings):
        own = [item for item in findings if item.path == path]
        chosen = fixes.applicable(own, unsafe=True)
        if chosen:
            before = project.read(path)[0]
            after = fixes.apply(before, chosen, path).text
            name = Path(path).relative_to(folder).as_posix()
            texts[name] = after if after.endswith("\n") else after + "\n"
    return texts


@pytest.mark.parametrize("path", CASES, ids=_id)
def test_fixes(path: Path, tmp_path: Path) -> None:
    """A fix removes its finding, adds none, keeps comments, parses, and is stable."""
    case = golden.read(path)
    golden.write_files(case, tmp_path)
    project = golden.project_of(case, tmp_path)
    before = golden.lint_all(project)
    for finding in golden.lint_all(golden.project_of(case, tmp_path, case.rule), case.rule):
        if finding.fix is None:
            continue
        text = project.read(finding.path)[0]
        applied = fixes.apply(text, [finding], finding.path)
        assert applied.fixed, f"the fix of {finding.code} at {finding.span} was not applied"
        assert applied.text != text
        assert len(parse(applied.text).problems) <= len(parse(text).problems)
        assert _comments(applied.text) == _comments(text) or case.rule in _EDITS_COMMENTS
        changed = open_project(
            str(tmp_path),
            overlay={finding.path: applied.text},
            overrides={"check_env": bool(case.environment)},
            environment=case.environment,
        )
        after = golden.lint_all(changed)
        count = sum(item.rule == finding.rule for item in before)
        assert sum(item.rule == finding.rule for item in after) < count, "the finding stays"
        gone = {(item.path, item.code, item.key_path) for item in before}
        new = [
            item
            for item in after
            if at_least(item.severity, "warning")
            and (item.path, item.code, item.key_path) not in gone
            and not _was_hidden(item, before)
        ]
        assert not new, f"the fix of {finding.code} brings {new[0].code}: {new[0].message}"
        own = [item for item in after if item.rule == finding.rule]
        again = fixes.apply(
            applied.text,
            [item for item in own if item.span == finding.span and item.path == finding.path],
            finding.path,
        )
        assert again.text == applied.text, "the same fix applies twice"


# Fixes that are about comments, or that change indentation inside them.
_EDITS_COMMENTS = {"unused-suppression", "unknown-suppression"}


def _was_hidden(finding: Finding, before: Sequence[Finding]) -> bool:
    """Tell whether a syntax problem hid the place of a finding before its fix."""
    return any(item.code.startswith("OSR0") and item.severity == "error" for item in before)


def _comments(text: str) -> list[str]:
    """Return the comments of a text, found without our own parser."""
    found = []
    for line in re.split(r"\r\n|\n|\r", text):
        match = re.search(r"(?:^|\s)(#.*)$", line)
        if match:
            found.append(match[1].strip())
    return sorted(found)
