"""The docstring of each rule is its documentation, and its examples do what they say."""

from pathlib import Path

import pytest

from osiris_lsp import ruledoc
from osiris_lsp.project import open_project
from osiris_lsp.rules import ENVIRONMENT, RULES, load
from tests import golden

# Rules whose example cannot be written as YAML files in a docstring, and why.
NO_EXAMPLE = {
    "unreadable-file": "the file cannot be read",
    "invalid-encoding": "the example would not be UTF-8",
    "file-too-large": "the example would be too large",
    "alias-expansion": "the example would be too large",
    "invalid-settings": "it is about a settings file",
    "stale-baseline": "it is about a baseline file",
    "env-file-committed": "it needs a repository of git",
}


def _lint(files: dict[str, str], folder: Path, rule: str) -> int:
    (folder / ".git").mkdir(parents=True)
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body, encoding="utf-8")
    overrides = {"check_env": rule in ENVIRONMENT}
    project = open_project(str(folder), overrides=overrides, environment={})
    return sum(finding.rule == rule for finding in golden.lint_all(project))


@pytest.mark.parametrize("name", RULES)
def test_example(name: str, tmp_path: Path) -> None:
    """The example fires the rule, and what to use instead does not."""
    doc = ruledoc.read(load(name))
    assert doc.summary.endswith(".")
    if name in NO_EXAMPLE:
        assert not doc.example
        return
    assert doc.example and doc.instead
    assert _lint(dict(doc.example), tmp_path / "example", name) > 0
    assert _lint({**doc.example, **doc.instead}, tmp_path / "instead", name) == 0


@pytest.mark.parametrize("name", RULES)
def test_has_golden_cases(name: str) -> None:
    """Each rule has golden cases that find something and one that finds nothing."""
    folder = Path(__file__).parent / name
    cases = [golden.read(path) for path in sorted(folder.glob("*.case"))]
    if name in NO_EXAMPLE and not cases:
        return
    found = [bool(case.golden.get("findings")) for case in cases]
    assert any(found) and not all(found)
