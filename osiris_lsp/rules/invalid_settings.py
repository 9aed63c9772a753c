"""The settings in `osiris-lsp.toml` or `pyproject.toml` cannot be used as they stand.

A file that is no TOML, a setting that does not exist, a value of the wrong kind, a selector that
names no rule: what cannot be read is left at its default, so the check may look at other things
than you meant. The findings come from reading the settings, before any YAML file is opened; no
comment silences them.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project

CODE: Final = "OSR904"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("settings",)
SOURCE: Final = ""


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield nothing: the settings are no document, and their problems are in `Project.problems`."""
    yield from ()
