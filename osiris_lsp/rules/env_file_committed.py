"""The `.env` beside the connections file is tracked by git.

Everyone with a copy of the repository has the secrets in it, also after it is deleted. Take it out
with `git rm --cached .env`, add it to `.gitignore`, and change every secret it held. This rule asks
git, so it runs only with `--check-env`.
"""

import os
from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.envfile import is_tracked
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import Span

CODE: Final = "OSR407"
SEVERITY: Final[Severity] = "info"
KINDS: Final = ("connections",)
SOURCE: Final = ""


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield one problem about the whole file when its `.env` is tracked."""
    folder = os.path.dirname(document.path)
    if project.environment is not None and is_tracked(os.path.join(folder, ".env")):
        message = (
            "the `.env` beside this file is tracked by git, so everyone with the repository has "
            "its secrets; run `git rm --cached .env` and change them"
        )
        yield Problem(Span(0, 0), message)
