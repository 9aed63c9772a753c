"""Findings after an edit equal those of a fresh look, whatever was found before.

`OSIRIS_LSP_FUZZ` sets the number of edits (default 2,000).
"""

import os
import random
from pathlib import Path

import pytest

from osiris_lsp.assembly import Assembled
from osiris_lsp.documents import Document, PipelineDocument
from osiris_lsp.engine import Linter
from osiris_lsp.finding import Finding
from osiris_lsp.project import Project, open_project
from osiris_lsp.rules import RULES, load
from tests import golden
from tests.test_assembly import edited

EDITS = int(os.environ.get("OSIRIS_LSP_FUZZ", "2000"))
CASES = sorted((Path(__file__).parent / "rules").glob("*/*.case"))

PIPELINE = """\
oml_version: "0.1.0"
name: orders
steps:
  - id: first
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.prod", tabel: orders}
  - component: mysql.extractor
    mode: reed
    config: {connection: "@mysql.prodd", table: orders}
  - id: last
    component: duckdb.processor
    mode: transform
    needs: [first]
    config: {query: SELECT 1}
"""
CONNECTIONS = """\
version: 1
connections:
  mysql:
    prod: {host: db, database: shop, user: reader, password: "${PW}", default: true}
"""


def _fresh(project: Project, path: str, text: str) -> list[Finding]:
    document = project.open(path, text)
    return [] if document is None else list(Linter(project).lint(document).findings)


def test_findings_after_edits_equal_fresh_ones(tmp_path: Path) -> None:
    """After each of many edits of golden files, the findings are those of a fresh linter."""
    random_ = random.Random(20261121)
    assembled = 0
    for number in range(EDITS // 80):
        case = golden.read(random_.choice(CASES))
        folder = tmp_path / str(number)
        folder.mkdir()
        golden.write_files(case, folder)
        project = golden.project_of(case, folder)
        linter = Linter(project)
        names = [name for name in case.files if name.endswith((".yaml", ".yml"))]
        for _ in range(20 if names else 0):
            path = str(folder / random_.choice(names))
            text = project.read(path)[0]
            document: Document | None = None
            for _ in range(4):
                document = project.open(path, text, previous=document)
                if document is None:
                    break
                if random_.random() < 0.5:  # other features may ask before
                    _ = document.masked_spans
                found = linter.lint(document, again=True)
                assert found.crashes == []
                assert list(found.findings) == _fresh(project, path, text), text
                fresh = project.open(path, text)
                if isinstance(document, PipelineDocument) and isinstance(fresh, PipelineDocument):
                    assert project.note(document) == project.note(fresh), text
                assembled += isinstance(document.tree, Assembled)
                text = edited(random_, text)
    assert assembled > EDITS // 8


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one connection."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "osiris_connections.yaml").write_text(CONNECTIONS)
    return open_project(str(tmp_path))


def test_only_the_changed_entry_is_looked_at(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once known, an entry is looked at again when it changes, and findings below it move."""
    linter = Linter(project)
    path = str(Path(project.root) / "orders.yaml")
    document = project.open(path, PIPELINE)
    seen: list[int] = []
    rule = load("unknown-alias")
    check = rule.check

    def counted(document: Document, project: Project) -> object:
        seen.append(len(document.steps))  # type: ignore[attr-defined]  # a pipeline
        return check(document, project)

    monkeypatch.setattr(rule, "check", counted)
    text = PIPELINE
    for extra in ("\n", "\n", "# new\n"):
        assert document is not None
        linter.lint(document, again=True)
        text += extra
        document = project.open(path, text, previous=document)
    seen.clear()
    text = text.replace("name: orders", "name: orders").replace("tabel: orders", "tabel: movies")
    document = project.open(path, text, previous=document)
    assert document is not None
    found = linter.lint(document, again=True).findings
    assert list(found) == _fresh(project, path, text)
    # The step that changed, the last one, whose comment is new; then all anew.
    assert seen == [1, 1, 3]
    linter.forget(path)
    assert list(linter.lint(document, again=True).findings) == list(found)


def test_other_connections_are_noticed(project: Project) -> None:
    """Findings of an entry are not kept when the connections file changes."""
    linter = Linter(project)
    path = str(Path(project.root) / "orders.yaml")
    document = project.open(path, PIPELINE)
    for _ in range(4):
        assert document is not None
        linter.lint(document, again=True)
        document = project.open(path, document.text + "\n", previous=document)
    assert document is not None
    before = {finding.rule for finding in linter.lint(document, again=True).findings}
    connections = Path(project.root) / "osiris_connections.yaml"
    connections.write_text(CONNECTIONS.replace("prod:", "prodd:"))
    project.forget(str(connections))
    after = linter.lint(document, again=True).findings
    assert "unknown-alias" in before
    start = PIPELINE.index('"@mysql.prod"')
    spans = [finding.span for finding in after if finding.rule == "unknown-alias"]
    assert spans == [(start, start + len('"@mysql.prod"'))]
    assert list(after) == _fresh(project, path, document.text)


def test_some_rules_look_at_single_entries() -> None:
    """The rules that cost most per entry are among those that are asked entry by entry."""
    names = {entry.name for entry in RULES.values() if entry.entrywise}
    assert {"wrong-type", "unknown-alias", "missing-config-key", "plaintext-secret"} <= names
    assert not {"duplicate-step-id", "unknown-dependency", "unused-connection"} & names


def test_what_steps_need_is_checked_again_when_it_changes(project: Project) -> None:
    """Rules about other steps stay silent while ids and needs are the same, and no longer."""
    linter = Linter(project)
    path = str(Path(project.root) / "orders.yaml")
    document: Document | None = None
    text = PIPELINE
    for old, new in (
        ("SELECT 1", "SELECT 2"),
        ("[first]", "[frist]"),
        ("- id: last", "- id: first"),
    ):
        for _ in range(3):
            text += "\n"
            document = project.open(path, text, previous=document)
            assert document is not None
            linter.lint(document, again=True)
        text = text.replace(old, new)
        document = project.open(path, text, previous=document)
        assert document is not None
        found = linter.lint(document, again=True).findings
        assert list(found) == _fresh(project, path, text)
    rules = {finding.rule for finding in found}
    assert {"unknown-dependency", "duplicate-step-id"} <= rules
