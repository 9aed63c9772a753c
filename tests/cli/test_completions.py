"""Completions in the shells themselves: bash, and zsh and fish of this machine or of Debian."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from osiris_lsp.cli import COMMANDS
from osiris_lsp.cli.completions import script
from osiris_lsp.cli.connections import COMMANDS as CONNECTIONS
from osiris_lsp.rules import RULES
from tests.cli.conftest import Run
from tests.services import packages
from tests.services.plugin import once
from tests.services.run import Run as ServiceRun

CASES = {
    "osiris-lsp li": ["lint"],
    "osiris-lsp connections do": ["doctor"],
    "osiris-lsp lint --unsafe": ["--unsafe-fixes"],
    "osiris-lsp lint --fail-on w": ["warning"],
    "osiris-lsp lint --select plaintext": ["plaintext-secret"],
    "osiris-lsp rule unknown-al": ["unknown-alias"],
    "osiris-lsp schema families/mys": ["families/mysql"],
    "osiris-lsp connections ": list(CONNECTIONS),
    "osiris-lsp completions ": ["bash", "zsh", "fish"],
    "osiris-lsp lint pipe": ["pipelines"],
    "osiris connections l": ["list"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a folder in it, and the scripts of all shells in another."""
    (tmp_path / "work/pipelines").mkdir(parents=True)
    (tmp_path / "zsh").mkdir()
    for name in ("osiris-lsp", "osiris"):
        (tmp_path / f"zsh/_{name}").write_text(script("zsh", name))
    for shell in ("bash", "fish"):
        text = "".join(script(shell, name) for name in ("osiris-lsp", "osiris"))
        (tmp_path / shell).write_text(text)
    return tmp_path


def test_bash_completes(folder: Path) -> None:
    """The function that bash calls gives the words that fit."""
    program = shutil.which("bash")
    assert program
    for line, expected in CASES.items():
        words = line.split(" ")
        function = "_shtab_" + words[0].replace("-", "_")
        text = (
            'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
            f'{function}; printf "%s\\n" "${{COMPREPLY[@]}}"'
        )
        done = subprocess.run(
            [program, "--norc", "-c", text, str(folder / "bash"), *words],
            cwd=folder / "work",
            capture_output=True,
            text=True,
            check=True,
        )
        assert (line, sorted(expected)) == (line, sorted(done.stdout.split()))
        assert not done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the shells are Debian's")
def test_fish_completes(folder: Path, service_run: ServiceRun) -> None:
    """Fish gives the words that fit, with what they are for."""
    root, program = once(service_run, "fish", lambda _: packages.find("usr/bin/fish", "fish"))
    environment = {**os.environ, **packages.environment(root), "HOME": str(folder)}
    start = f"set -p fish_function_path {root}/usr/share/fish/functions; source {folder}/fish"
    for line, expected in CASES.items():
        done = subprocess.run(
            [str(program), "--no-config", "-c", f"{start}; complete -C '{line}'"],
            cwd=folder / "work",
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        found = [row.partition("\t")[0].rstrip("/") for row in done.stdout.splitlines()]
        assert (line, sorted(expected)) == (line, sorted(found)), done.stderr


EDITS = "\x1b[?2004h"
"""What zsh sends when it begins to edit a line."""


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        pid, self.end = pty.fork()
        if pid == 0:
            os.chdir(folder)
            os.execve(command[0], command, dict(environment))
        self.pid = pid

    def send(self, text: str, until: str) -> str:
        """Type a text; return what appears once it holds `until`, or after ten seconds."""
        os.write(self.end, text.encode())
        found = ""
        deadline = time.monotonic() + 10
        while until not in found and time.monotonic() < deadline:
            if select.select([self.end], [], [], 0.1)[0]:
                found += os.read(self.end, 4096).decode("utf-8", "replace")
        return found

    def close(self) -> None:
        """End the program."""
        os.close(self.end)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="the shells are Debian's")
def test_zsh_completes(folder: Path, service_run: ServiceRun) -> None:
    """A line is completed when one types it and presses the tabulator."""
    root, program = once(service_run, "zsh", lambda _: packages.find("bin/zsh", "zsh"))
    # Where it is unpacked, zsh has to be told where its parts are before it edits lines.
    start = f"""\
module_path=({root}/usr/lib/*/zsh/5*(N) $module_path)
fpath=({folder}/zsh {root}/usr/share/zsh/functions/**/*(N/) $fpath)
PS1= PS2= TERM=dumb; autoload -Uz compinit; compinit -u -D
unsetopt beep; setopt zle
"""
    environment = {**os.environ, **packages.environment(root), "HOME": str(folder)}
    command = [str(program), "-f", "-i", "+Z"]
    for line, expected in CASES.items():
        if len(expected) > 1:
            continue  # a choice is a list for people, drawn over several lines
        terminal = Terminal(command, folder / "work", environment)
        try:
            assert EDITS in terminal.send(start, EDITS)
            seen = terminal.send(f"{line}\t", expected[0])
            assert expected[0] in seen, (line, seen)
        finally:
            terminal.close()


def test_the_command_prints_them(run: Run) -> None:
    """Every shell and both commands; `osiris` has what osiris-lsp answers there."""
    for shell in ("bash", "zsh", "fish"):
        text = run("completions", shell).out
        assert text == script(shell, "osiris-lsp")
        assert all(name in text for name in (*COMMANDS, *RULES, "staged"))
        assert "allow-remote" not in run("completions", "fish", "--command", "osiris").out
    assert run("completions", "tcsh").code == 2
