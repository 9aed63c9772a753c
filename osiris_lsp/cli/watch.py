"""`osiris-lsp lint --watch`: lint again whenever a file changes."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from osiris_lsp.cli import UsageError
from osiris_lsp.discovery import SKIPPED, find_root
from osiris_lsp.project import Mark, mark
from osiris_lsp.text import printable

PAUSE: Final = 0.3
"""Seconds between two looks at the disk."""

SETTLE: Final = 0.05
"""Seconds without a change after which files count as written."""

_SUFFIXES: Final = (".yaml", ".yml", ".json", ".toml")
_NAMES: Final = (".env", ".gitignore")
_CLEAR: Final = "\x1b[2J\x1b[3J\x1b[H"


def repeat(lint: Callable[[], int], paths: Sequence[str]) -> int:
    """Lint, and again after each change, until Ctrl-C ends it (exit code 130)."""
    folders = _folders(paths)
    shown = ", ".join(f"`{printable(os.path.relpath(folder))}`" for folder in folders)
    while True:
        before = _settled(folders)
        if sys.stdout.isatty():
            print(_CLEAR, end="")
        try:
            lint()
        except UsageError as error:  # settings that are half typed, say
            print(f"osiris-lsp: error: {error}", file=sys.stderr)
        sys.stdout.flush()
        print(f"osiris-lsp: watching {shown}; Ctrl-C ends it", file=sys.stderr, flush=True)
        while _marks(folders) == before:
            time.sleep(PAUSE)


def _folders(paths: Sequence[str]) -> Sequence[str]:
    """Return the folders of the projects that paths lie in, for findings depend on more files."""
    places = [os.path.abspath(path) for path in paths] or [os.getcwd()]
    roots = {find_root(path if os.path.isdir(path) else os.path.dirname(path)) for path in places}
    return sorted(roots)


def _settled(folders: Sequence[str]) -> Mapping[str, Mark]:
    """Return the marks of files once nobody is in the middle of writing them."""
    before = _marks(folders)
    while True:
        time.sleep(SETTLE)
        now = _marks(folders)
        if now == before:
            return now
        before = now


def _marks(folders: Sequence[str]) -> Mapping[str, Mark]:
    return {path: mark(path) for folder in folders for path in _files(folder)}


def _files(folder: str) -> Iterator[str]:
    """Yield the files on which findings may depend: YAML, schemas, settings, variables."""
    for current, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if name not in SKIPPED]
        for name in names:
            if name.endswith(_SUFFIXES) or name in _NAMES:
                yield os.path.join(current, name)
