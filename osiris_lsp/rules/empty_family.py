"""A family has no connections.

A reference to the family finds nothing, and neither does a step that leaves its connection out.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
  duckdb:
    local:
      path: ./data/local.duckdb
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: ./data/local.duckdb
```
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import printable
from osiris_lsp.tree import Map, Scalar, deref

CODE: Final = "OSR108"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections",)
SOURCE: Final = ""


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each family whose value is empty."""
    for entry in document.families:
        value = deref(entry.value)
        is_null = isinstance(value, Scalar) and value.type == "null"
        is_empty = is_null or (isinstance(value, Map) and not value.pairs)
        if is_empty and not document.is_unreadable(entry.key):
            message = f"`{printable(entry.name)}` has no connections; add one, or remove the family"
            yield Problem(entry.key.span, message)
