"""The text is not YAML that Osiris can read.

Osiris loads files with PyYAML, which stops at the first such place. The rest of the file is still
checked.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: "data/local.duckdb
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: "data/local.duckdb"
```

Fix: quotes the value or closes the quote or bracket where that is what is missing. Safe, because the
file could not be loaded before.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import Span

CODE: Final = "OSR003"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield the places that the parser refuses and that no more precise rule names."""
    for problem in document.tree.problems:
        if problem.rule != "syntax-error":
            continue
        fix = None
        if problem.edits:
            fix = Fix(problem.title, True, tuple(Edit(*edit) for edit in problem.edits))
        yield Problem(Span(problem.start, problem.end), problem.message, fix)
