"""A file holds more than one YAML document.

Osiris loads a file with one document and refuses it when a `---` starts another.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local: {path: data/local.duckdb}
---
version: 1
connections:
  duckdb:
    archive: {path: data/archive.duckdb}
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local: {path: data/local.duckdb}
    archive: {path: data/archive.duckdb}
```
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.edits import reported
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import Span

CODE: Final = "OSR009"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections", "pipeline", "component")
SOURCE: Final = ""


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield one problem where the second document starts."""
    for problem in reported(document, "multiple-documents"):
        start = problem.span.start
        length = 3 if document.text.startswith("---", start) else 1
        yield problem._replace(span=Span(start, start + length))
