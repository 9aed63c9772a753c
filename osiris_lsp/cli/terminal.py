"""What a command needs to know about the terminal: colour, width, progress."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from typing import NoReturn, TextIO

from osiris_lsp.cli import UsageError
from osiris_lsp.reports import Style


class Parser(argparse.ArgumentParser):
    """An argument parser that raises UsageError, and says what was meant."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with the way to help."""
        raise UsageError(f"{self._meant(message)}; see `{self.prog} --help`")

    def _meant(self, message: str) -> str:
        if message.startswith("unrecognized arguments: "):
            from osiris_lsp.specs import nearest

            unknown = message.partition(": ")[2].split()[0]
            options = [option for action in self._actions for option in action.option_strings]
            close = nearest(unknown.partition("=")[0], options)
            return f"`{unknown}` is no option" + (f"; did you mean `{close}`?" if close else "")
        return message


def style(colour: str, out: TextIO, statistics: bool = False) -> Style:
    """Return the style of a report; colour is `auto`, `always` or `never`.

    `auto` follows NO_COLOR and FORCE_COLOR, and else whether the output is a terminal.
    """
    if colour == "auto":
        wanted = bool(os.environ.get("FORCE_COLOR")) or (out.isatty() and _capable())
        wanted = wanted and not os.environ.get("NO_COLOR")
    else:
        wanted = colour == "always"
    width = 120
    if out.isatty():
        import shutil

        width = max(shutil.get_terminal_size((120, 24)).columns, 60)
    return Style(wanted, width, statistics)


def _capable() -> bool:
    return os.environ.get("TERM") != "dumb"


class Progress:
    """A line on standard error for runs that take longer than half a second, on terminals only.

    It reads `linting 12 of 200 files`: `verb` and `noun` are the words around the numbers.
    """

    def __init__(self, verb: str = "linting", noun: str = "files") -> None:
        self._verb = verb
        self._noun = noun
        self._start = time.monotonic()
        self._last = 0.0
        self._shown = False
        self._active = sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        """Show how far the run is, at most ten times a second."""
        now = time.monotonic()
        if not self._active or now - self._start < 0.5 or now - self._last < 0.1:
            return
        self._last = now
        self._shown = True
        sys.stderr.write(f"\r\x1b[K{self._verb} {done} of {total} {self._noun}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def split(values: Sequence[str] | None) -> tuple[str, ...]:
    """Split option values at commas: `--select OSR1,OSR2`."""
    return tuple(
        part.strip() for value in values or () for part in value.split(",") if part.strip()
    )
