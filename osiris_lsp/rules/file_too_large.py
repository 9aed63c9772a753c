"""A file is too large to be checked.

No file that a person writes comes near the limit of 5 MB. It is left out before it is read, so that
a dump which ended up in the wrong folder does not exhaust memory.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import Span

CODE: Final = "OSR010"
SEVERITY: Final[Severity] = "error"
# A file that cannot be read is a plain document, whatever its name says.
KINDS: Final = ("yaml",)
SOURCE: Final = ""


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield why the file could not be read, at its start."""
    if document.input_problem is not None and document.input_problem[0] == "file-too-large":
        yield Problem(Span(0, 0), document.input_problem[1])
