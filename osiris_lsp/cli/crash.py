"""Tell the user about a bug of ours: one line, and a log without any text of their files."""

import os
import platform
import sys
import traceback
from collections.abc import Sequence

import yaml

from osiris_lsp import __version__
from osiris_lsp.engine import Crash


def trace(command: str, error: Exception) -> Crash:
    """Describe an exception without its message, which may hold text of a file."""
    stack = traceback.format_list(traceback.extract_tb(error.__traceback__))
    return Crash(f"command {command}", "", type(error).__name__, "".join(stack))


def report(crashes: Sequence[Crash]) -> None:
    """Write a log for an issue and name it on standard error."""
    lines = [
        f"osiris-lsp {__version__}, Python {platform.python_version()}, PyYAML {yaml.__version__}, "
        f"{platform.system()}",
        "",
    ]
    for crash in crashes:
        lines += [f"{crash.rule}: {crash.error}", crash.traceback]
    path = _log_path()
    where = "no log could be written"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        where = f"please report it with {path}"
    except OSError:
        sys.stderr.write("\n".join(lines))
    rules = ", ".join(sorted({crash.rule for crash in crashes}))
    print(
        f"osiris-lsp: error: a bug in osiris-lsp ({rules}); {where}",
        file=sys.stderr,
    )


def _log_path() -> str:
    import platformdirs

    return os.path.join(platformdirs.user_log_dir("osiris-lsp", appauthor=False), "crash.log")
