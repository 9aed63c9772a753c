"""The hooks in a repository of their own, run by pre-commit and prek."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import CONNECTIONS, PIPELINE, write

ROOT = Path(__file__).parent.parent.parent
SOURCES = ("osiris_lsp", "schemas", "docs", "hooks")
FILES = ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")

LEAK = CONNECTIONS.replace("${MYSQL_DEFAULT_PASSWORD}", "hunter2-in-the-open")
CONFIG = """\
repos:
  - repo: {repository}
    rev: {revision}
    hooks:
      - id: osiris-lint-fix
      - id: osiris-lint
      - id: osiris-lint-all
        stages: [manual]
      - id: osiris-doctor
"""


class Shell:
    """Runs commands in a folder, with nothing of this machine's settings for git."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GIT_", "PRE_COMMIT", "PREK", "PYTHONPATH", "OSIRIS_"))
        }
        scripts = str(Path(sys.executable).parent)
        self.environment = {
            **kept,
            "PATH": f"{scripts}{os.pathsep}{kept['PATH']}",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "NO_COLOR": "1",
            **variables,
        }

    def __call__(self, *command: str) -> tuple[int, str]:
        """Run a command; return its exit code and all that it prints."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        return done.returncode, done.stdout

    def must(self, *command: str) -> str:
        """Run a command that has to work; return what it prints."""
        code, out = self(*command)
        assert code == 0, out
        return out.strip()

    def commit(self, message: str = "change") -> tuple[int, str]:
        """Stage everything and commit it."""
        self.must("git", "add", "--all")
        return self("git", "commit", "--quiet", "--message", message)


def repository(folder: Path, **variables: str) -> Shell:
    """Return the shell of a new repository."""
    folder.mkdir(parents=True, exist_ok=True)
    shell = Shell(folder, **variables)
    shell.must("git", "init", "--quiet")
    shell.must("git", "config", "user.name", "somebody")
    shell.must("git", "config", "user.email", "somebody@example.com")
    return shell


@pytest.fixture
def hooks(tmp_path: Path) -> Shell:
    """A repository of what the hooks are installed from."""
    shell = repository(tmp_path / "hooks")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in SOURCES:
        shutil.copytree(ROOT / name, shell.folder / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, shell.folder / name)
    assert shell.commit()[0] == 0
    return shell


def project(folder: Path, hooks: Shell, **variables: str) -> Shell:
    """Return the shell of a project that uses the hooks, with one commit."""
    shell = repository(folder, **variables)
    config = CONFIG.format(repository=hooks.folder, revision=hooks.must("git", "rev-parse", "HEAD"))
    write(
        folder,
        {
            ".pre-commit-config.yaml": config,
            "osiris_connections.yaml": CONNECTIONS,
            "pipelines/orders.yaml": PIPELINE,
        },
    )
    assert shell.commit("first")[0] == 0
    return shell


def tell(shell: Shell) -> None:
    """Go through what a team does: leak, mend, break what others use, delete, fix."""
    connections = shell.folder / "osiris_connections.yaml"

    connections.write_text(LEAK)
    code, out = shell.commit()
    assert (code, "plaintext-secret" in out) == (1, True), out
    assert "hunter2" not in out

    # Mended on disk only: the leak is still what would be committed.
    connections.write_text(CONNECTIONS.replace("shop", "store"))
    code, out = shell("git", "commit", "--quiet", "--message", "change")
    assert (code, "plaintext-secret" in out) == (1, True), out
    assert "store" in connections.read_text()

    code, out = shell.commit()
    assert code == 0, out

    # Leaked on disk only: the commit is clean.
    shell.must("git", "commit", "--quiet", "--allow-empty", "--message", "empty")
    write(shell.folder, {"pipelines/more.yaml": PIPELINE})
    shell.must("git", "add", "pipelines")
    connections.write_text(LEAK)
    code, out = shell("git", "commit", "--quiet", "--message", "change")
    assert code == 0, out
    assert connections.read_text() == LEAK

    connections.write_text(CONNECTIONS.replace("    default:\n", "    main:\n"))
    code, out = shell.commit()
    assert code == 1, out
    assert "pipelines/orders.yaml:8:19" in out
    assert "(caused by osiris_connections.yaml)" in out

    shell.must("git", "rm", "--quiet", "--force", "osiris_connections.yaml")
    code, out = shell("git", "commit", "--quiet", "--message", "delete")
    assert (code, "(caused by deleting osiris_connections.yaml)" in out) == (1, True), out
    shell.must("git", "reset", "--quiet", "--hard")

    (shell.folder / "latin.yaml").write_bytes("a: é\n".encode("latin-1"))
    write(shell.folder, {"chart.yaml": "{{ if }}\n", "list.yaml": "a: [1\n"})
    code, out = shell.commit()
    assert code == 0, out

    connections.write_text(CONNECTIONS.replace("user:", "username:"))
    code, out = shell.commit()
    assert (code, "files were modified by this hook" in out) == (1, True), out
    assert connections.read_text() == CONNECTIONS.replace("shop", "shop")
    shell.must("git", "reset", "--quiet", "--hard")


def test_pre_commit_keeps_a_leak_out(tmp_path: Path, hooks: Shell) -> None:
    """An installed hook refuses a leaked password and takes the mended file."""
    shell = project(
        tmp_path / "project",
        hooks,
        PRE_COMMIT_HOME=str(tmp_path / "store"),
        XDG_CONFIG_HOME=str(tmp_path / "settings"),
        XDG_DATA_HOME=str(tmp_path / "data"),
    )
    tool = (sys.executable, "-m", "pre_commit")
    shell.must(*tool, "install", "--install-hooks", "--hook-type=pre-commit", "-t", "pre-push")
    tell(shell)

    shell.must(*tool, "run", "--all-files")
    out = shell.must(*tool, "run", "--hook-stage=manual", "--verbose", "osiris-lint-all")
    assert "no findings in 3 files" in out

    # Before a push: what the commits changed, whether or not a file that is left was named.
    far = repository(tmp_path / "far")
    far.must("git", "config", "receive.denyCurrentBranch", "ignore")
    shell.must("git", "remote", "add", "origin", str(far.folder))
    out = shell.must("git", "push", "--quiet", "origin", "HEAD:main")
    assert "not checked: nobody has allowed this connection yet" in out
    assert "1 not checked of 1 connection" in out


def test_pre_commit_tries_the_hooks(tmp_path: Path, hooks: Shell) -> None:
    """`pre-commit try-repo` runs them without any configuration."""
    shell = project(tmp_path / "project", hooks, PRE_COMMIT_HOME=str(tmp_path / "store"))
    (shell.folder / "osiris_connections.yaml").write_text(LEAK)
    tool = (sys.executable, "-m", "pre_commit", "try-repo", str(hooks.folder))
    code, out = shell(*tool, "osiris-lint", "--all-files", "--verbose")
    assert (code, "plaintext-secret" in out) == (1, True), out


def test_prek_keeps_a_leak_out(tmp_path: Path, hooks: Shell) -> None:
    """The hooks do the same under prek."""
    shell = project(tmp_path / "project", hooks, PREK_HOME=str(tmp_path / "store"))
    shell.must("prek", "install", "--install-hooks")
    tell(shell)
