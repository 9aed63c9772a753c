"""A program in a terminal, driven as a person does: keys, and what is to be seen."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.services import packages

_PATIENCE: Final = 30  # seconds; a hang ends the test, slowness does not


class Terminal:
    """A terminal of tmux on a socket of its own."""

    def __init__(self, command: Sequence[str], variables: Mapping[str, str]) -> None:
        self._command = command
        self._variables = {**os.environ, **variables}

    def __call__(self, *arguments: str) -> str:
        """Return what a command of tmux prints."""
        return subprocess.run(
            [*self._command, *arguments],
            env=self._variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def keys(self, *keys: str) -> None:
        """Press keys, such as `:w` and `Enter`."""
        for key in keys:
            # A semicolon at the end would begin another command of tmux.
            self("send-keys", re.sub(r";$", r"\\;", key))

    @property
    def screen(self) -> str:
        """What is to be seen."""
        return self("capture-pane", "-p")

    def shows(self, *texts: str) -> None:
        """Wait until all of the texts are to be seen."""
        self.wait(lambda: all(text in self.screen for text in texts))

    def wait(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        limit = time.monotonic() + _PATIENCE
        while not is_so():
            assert time.monotonic() < limit, self.screen
            time.sleep(0.05)


@contextmanager
def terminal(
    socket: Path, folder: Path, variables: Mapping[str, str], command: Sequence[str]
) -> Iterator[Terminal]:
    """Run a program in a wide terminal; `Unavailable` where there is no tmux."""
    root, tmux = packages.find("usr/bin/tmux", "tmux")
    start = [str(tmux), "-u", "-S", str(socket), "-f", os.devnull]
    made = Terminal(start, {**packages.environment(root), **variables})
    # The program itself must not find the libraries of another system.
    clean = ["env", "-u", "LD_LIBRARY_PATH", *command]
    made("new-session", "-d", "-x", "400", "-y", "40", "-c", str(folder), *clean)
    try:
        yield made
    finally:
        made("kill-server")
