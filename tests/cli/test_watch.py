"""`osiris-lsp lint --watch` in a process of its own."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

GOOD = "version: 1\nconnections:\n  duckdb:\n    default: {path: ./a.duckdb}\n"
LIMIT = 30.0


class Watch:
    """A process that watches a folder, and the lines that it has written."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "osiris_lsp", "lint", "--watch", *options]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            [*command, "--format", "concise"],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        assert self.process.stdout is not None
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._lines.put(line)

    def until(self, wanted: str) -> str:
        """Return what it writes up to the round that says something, which may not be the next."""
        text = ""
        while wanted not in text or not text.rstrip().endswith("ends it"):
            text += self._lines.get(timeout=LIMIT)
        return text


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """Watch a project without findings."""
    (tmp_path / "osiris_connections.yaml").write_text(GOOD)
    made = Watch(tmp_path)
    yield made
    made.process.kill()
    made.process.wait()
    assert made.process.stdout is not None
    made.process.stdout.close()


def test_a_change_is_linted(watch: Watch, tmp_path: Path) -> None:
    """Findings come and go with the file, and one of settings that do not parse is survived."""
    watch.until("no findings")
    path = tmp_path / "osiris_connections.yaml"
    path.write_text(GOOD.replace("path", "pathh"))
    watch.until("unknown-field")
    settings = tmp_path / "osiris-lsp.toml"
    settings.write_text("profile = [")
    watch.until("osiris-lsp.toml")
    settings.unlink()
    watch.until("unknown-field")
    path.write_text(GOOD)
    watch.until("no findings")


def test_interrupt_ends_it(watch: Watch) -> None:
    """Ctrl-C is the way out, with the exit code of shells and no traceback."""
    assert "Traceback" not in watch.until("watching")
    watch.process.send_signal(signal.SIGINT)
    assert watch.process.wait(LIMIT) == 130


@pytest.mark.parametrize("option", ["--fix", "--staged", "-"])
def test_it_changes_no_files(option: str) -> None:
    """What writes files, or cannot be read twice, is refused."""
    command = [sys.executable, "-m", "osiris_lsp", "lint", "--watch", option]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert (done.returncode, "`--watch`" in done.stderr) == (2, True)
