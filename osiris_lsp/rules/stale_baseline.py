"""An entry of the baseline matches no finding any more.

What it stood for was repaired, changed or silenced. While the entry is there, the same mistake can
come back at the same place and nobody is told. `osiris-lsp baseline prune` takes such entries out.
Only entries of files and rules that a run checks are reported; no comment silences them. They fail
no run, since nothing is wrong with the project, unless `--severity stale-baseline=error` says so.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project

CODE: Final = "OSR903"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("baseline",)
SOURCE: Final = ""


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield nothing: a baseline is compared with the findings of a whole run."""
    yield from ()
