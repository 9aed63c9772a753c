"""The bytes of a file are not UTF-8.

Osiris reads its files as UTF-8 and stops at the first byte that fits no character. A file that an
older editor saved as Latin-1 or UTF-16 looks right there, and is not.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import Span

CODE: Final = "OSR002"
SEVERITY: Final[Severity] = "error"
# A file that cannot be read is a plain document, whatever its name says.
KINDS: Final = ("yaml",)
SOURCE: Final = ""


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield why the file could not be read, at its start."""
    if document.input_problem is not None and document.input_problem[0] == "invalid-encoding":
        yield Problem(Span(0, 0), document.input_problem[1])
