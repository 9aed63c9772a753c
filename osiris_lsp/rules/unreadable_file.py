"""A file cannot be opened, or is no file at all.

A folder, a named pipe, a device, a loop of links or missing permission: nothing in it was checked,
and the run would stop at it.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import Span

CODE: Final = "OSR001"
SEVERITY: Final[Severity] = "error"
# A file that cannot be read is a plain document, whatever its name says.
KINDS: Final = ("yaml",)
SOURCE: Final = ""


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield why the file could not be read, at its start."""
    if document.input_problem is not None and document.input_problem[0] == "unreadable-file":
        yield Problem(Span(0, 0), document.input_problem[1])
