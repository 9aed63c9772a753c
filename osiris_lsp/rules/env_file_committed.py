"""The `.env` beside the connections file is tracked by git.

Everyone with a copy of the repository has the secrets in it, also after it is deleted. Take it out
with `git rm --cached .env`, add it to `.gitignore`, and change every secret it held. This rule asks
git, so it runs only with `--check-env`.
"""

import os
from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import Span

CODE: Final = "OSR407"
SEVERITY: Final[Severity] = "info"
KINDS: Final = ("connections",)
SOURCE: Final = ""

_TIMEOUT: Final = 5.0
"""Seconds that git may take."""

# A repository of a stranger must not run anything.
_GIT: Final = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield one problem about the whole file when its `.env` is tracked."""
    folder = os.path.dirname(document.path)
    if project.environment is not None and _is_tracked(folder):
        message = (
            "the `.env` beside this file is tracked by git, so everyone with the repository has "
            "its secrets; run `git rm --cached .env` and change them"
        )
        yield Problem(Span(0, 0), message)


def _is_tracked(folder: str) -> bool:
    if not os.path.lexists(os.path.join(folder, ".env")):
        return False
    import subprocess

    try:
        done = subprocess.run(
            (*_GIT, "ls-files", "--error-unmatch", ".env"),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
