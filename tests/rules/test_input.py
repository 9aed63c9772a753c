"""Rules about files that cannot be read, or that are dangerous to read, and about git."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from osiris_lsp.engine import Linter
from osiris_lsp.finding import Finding
from osiris_lsp.project import MAX_BYTES, Project, open_project
from osiris_lsp.text import Span

CONNECTIONS = "version: 1\nconnections:\n  duckdb:\n    default: {path: data/local.duckdb}\n"


def _lint(path: Path, project: Project | None = None) -> Sequence[Finding]:
    project = project or open_project(str(path.parent))
    document = project.open(str(path))
    assert document is not None
    report = Linter(project).lint(document)
    assert not report.crashes
    return report.findings


def _only(path: Path, rule: str) -> Finding:
    findings = _lint(path)
    assert [item.rule for item in findings] == [rule]
    assert findings[0].span == Span(0, 0) and findings[0].key_path == ()
    return findings[0]


def test_folder(tmp_path: Path) -> None:
    """A folder with the name of a file is reported, not opened."""
    path = tmp_path / "osiris_connections.yaml"
    path.mkdir()
    assert _only(path, "unreadable-file").message == "this is a folder, not a file"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_named_pipe(tmp_path: Path) -> None:
    """A named pipe is never opened: reading would wait for a writer."""
    path = tmp_path / "osiris_connections.yaml"
    os.mkfifo(path)
    assert _only(path, "unreadable-file").message == "this is a named pipe, not a file"


def test_loop_of_links(tmp_path: Path) -> None:
    """Links that lead to each other are reported."""
    path = tmp_path / "osiris_connections.yaml"
    path.symlink_to(tmp_path / "other.yaml")
    (tmp_path / "other.yaml").symlink_to(path)
    message = _only(path, "unreadable-file").message
    assert message.startswith("this file cannot be read: ")


def test_missing_file(tmp_path: Path) -> None:
    """A file that is gone is reported."""
    message = _only(tmp_path / "osiris_connections.yaml", "unreadable-file").message
    assert message == "this file cannot be read: no such file or directory"


def test_large_file(tmp_path: Path) -> None:
    """A file of 6 MB is left out, and one below the limit is not."""
    path = tmp_path / "osiris_connections.yaml"
    path.write_text(CONNECTIONS + "#" * 6_000_000, encoding="utf-8")
    message = _only(path, "file-too-large").message
    assert message.startswith("this file has 6.0 MB, more than the limit of 5 MB")
    path.write_text(CONNECTIONS + "#" * (MAX_BYTES - len(CONNECTIONS)), encoding="utf-8")
    assert all(item.rule != "file-too-large" for item in _lint(path))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16(tmp_path: Path, encoding: str) -> None:
    """A file in UTF-16 is named as such."""
    path = tmp_path / "osiris_connections.yaml"
    path.write_bytes(("\ufeff" + CONNECTIONS).encode(encoding))
    message = _only(path, "invalid-encoding").message
    assert message == "this file is UTF-16; save it as UTF-8"


def test_anchor_bomb(tmp_path: Path) -> None:
    """A few lines that expand to billions of values give one finding, and nothing hangs."""
    path = tmp_path / "osiris_connections.yaml"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 12):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")
    path.write_text(f"{CONNECTIONS}x-bomb:\n  " + "\n  ".join(lines) + "\n", encoding="utf-8")
    found = [item for item in _lint(path) if item.rule == "alias-expansion"]
    assert len(found) == 1
    assert found[0].key_path[:1] == ("x-bomb",)


def _repository(folder: Path, *tracked: str) -> Project:
    (folder / "osiris_connections.yaml").write_text(CONNECTIONS, encoding="utf-8")
    (folder / ".env").write_text("PW=hunter2\n", encoding="utf-8")
    subprocess.run(("git", "init", "-q", "."), cwd=folder, check=True)
    if tracked:
        subprocess.run(("git", "add", *tracked), cwd=folder, check=True)
    return open_project(str(folder), overrides={"check_env": True}, environment={})


def _git_findings(folder: Path, project: Project) -> Sequence[Finding]:
    findings = _lint(folder / "osiris_connections.yaml", project)
    return [item for item in findings if item.rule == "env-file-committed"]


def test_env_file_committed(tmp_path: Path) -> None:
    """A `.env` that git tracks is a finding about the whole connections file."""
    found = _git_findings(tmp_path, _repository(tmp_path, ".env"))
    assert [(item.span, item.severity) for item in found] == [(Span(0, 0), "info")]


def test_env_file_not_committed(tmp_path: Path) -> None:
    """A `.env` that git does not track is right."""
    assert not _git_findings(tmp_path, _repository(tmp_path, "osiris_connections.yaml"))


def test_env_file_without_check_env(tmp_path: Path) -> None:
    """Without `--check-env` git is not asked."""
    _repository(tmp_path, ".env")
    assert not _git_findings(tmp_path, open_project(str(tmp_path), environment={}))


def test_env_file_without_repository(tmp_path: Path) -> None:
    """A folder outside of any repository is no finding and no crash."""
    (tmp_path / "osiris_connections.yaml").write_text(CONNECTIONS, encoding="utf-8")
    (tmp_path / ".env").write_text("PW=hunter2\n", encoding="utf-8")
    (tmp_path / ".git").mkdir()
    project = open_project(str(tmp_path), overrides={"check_env": True}, environment={})
    assert not _git_findings(tmp_path, project)


def test_hostile_repository(tmp_path: Path) -> None:
    """The configuration of a stranger's repository runs nothing."""
    project = _repository(tmp_path, ".env")
    mark = tmp_path / "ran"
    script = tmp_path / "script.sh"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n", encoding="utf-8")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "core.sshCommand"):
        subprocess.run(("git", "config", key, str(script)), cwd=tmp_path, check=True)
    assert _git_findings(tmp_path, project)
    assert not mark.exists()
