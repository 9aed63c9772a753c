"""A run that is killed while it writes leaves what was there, and the next run is fine."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from osiris_lsp import files

PIPELINE = """\
oml_version: "0.1.0"
name: orders
steps:
  - id: a
    component: mysql.extractor
    mode: reed
    config:
      connection: "@mysql.nosuch"
      table: orders
"""

# Kills itself at the first or the last moment at which a file of this name is unfinished.
_DYING = """\
import os, signal, sys
from osiris_lsp.cli import main
moment, target = sys.argv[1:3]
written, fsync, replace = "", os.fsync, os.replace

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def syncing(handle):
    size = os.fstat(handle).st_size
    if moment == "half":
        os.ftruncate(handle, size // 2)
        die()
    fsync(handle)

def replacing(source, name):
    if target in os.path.basename(name):
        die()
    replace(source, name)

os.fsync, os.replace = syncing, replacing
sys.exit(main(sys.argv[3:]))
"""

# What is run, and the name of the file that it is killed over.
_RUNS = {
    "cache": (["lint"], ".json"),
    "baseline": (["baseline", "create", "--force"], "osiris-baseline.json"),
    "fix": (["lint", "--no-cache", "--fix", "--unsafe-fixes"], "a.yaml"),
    "report": (
        ["lint", "--no-cache", "--format", "sarif", "--output-file", "out.sarif"],
        "out.sarif",
    ),
}


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder, the unfinished ones left out."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not files.is_temporary(path.name)
    }


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("moment", ["half", "whole"])
@pytest.mark.parametrize("what", _RUNS)
def test_nothing_is_half_written(
    tmp_path: Path, cache_folder: str, monkeypatch: pytest.MonkeyPatch, what: str, moment: str
) -> None:
    """Killed with half of a file written, or right before it takes its name."""
    work = tmp_path / "work"
    (work / "pipelines").mkdir(parents=True)
    (work / ".git").mkdir()
    (work / "pipelines" / "a.yaml").write_text(PIPELINE)
    for name in ("osiris-baseline.json", "out.sarif"):
        (work / name).write_text("{}")
    monkeypatch.chdir(work)
    if what == "baseline":  # a cache inside the project is not used
        monkeypatch.setenv("XDG_CACHE_HOME", str(work / "cache"))
    args, target = _RUNS[what]
    before = contents(work), contents(Path(cache_folder))
    killed = subprocess.run(
        [sys.executable, "-c", _DYING, moment, target, *args], capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (contents(work), contents(Path(cache_folder))) == before
    left = [*work.rglob(".osiris-lsp-*"), *Path(cache_folder).rglob(".osiris-lsp-*")]
    assert len(left) == 1

    hour_ago = time.time() - 3600
    os.utime(left[0], (hour_ago, hour_ago))
    again = subprocess.run(
        [sys.executable, "-m", "osiris_lsp", *args], capture_output=True, check=False
    )
    assert again.returncode in (0, 1), again.stderr
    assert (contents(work), contents(Path(cache_folder))) != before
    assert not left[0].exists()


def test_only_abandoned_files_of_ours_are_taken_away(tmp_path: Path) -> None:
    """A file that may still be written, one of another name, a link and a folder stay."""
    old = time.time() - 3600
    kept = [".osiris-lsp-new12345", ".osiris-lsp-old.yaml", "osiris-lsp-old12345"]
    for name in (*kept, ".osiris-lsp-old12345"):
        (tmp_path / name).write_text("x")
        if "new" not in name:
            os.utime(tmp_path / name, (old, old))
    (tmp_path / ".osiris-lsp-folder12").mkdir()
    (tmp_path / ".osiris-lsp-link1234").symlink_to(tmp_path / "osiris-lsp-old12345")
    files.replace(str(tmp_path / "a"), b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [*kept, ".osiris-lsp-folder12", ".osiris-lsp-link1234", "a"]
    )
