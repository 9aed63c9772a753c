"""Aliases of aliases make a small file huge once it is loaded.

A few lines in which each list repeats the one before ten times expand to billions of values, and
whoever loads the file runs out of memory. The limit is 200,000 values.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.edits import reported
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project

CODE: Final = "OSR011"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield the first alias by which a document grows beyond the limit."""
    yield from reported(document, "alias-expansion")
