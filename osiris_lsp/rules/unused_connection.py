"""No pipeline uses a connection.

It may be a left-over, and its credentials could be withdrawn. Connections that other programs use
look the same, which is why this is a hint.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: ./data/local.duckdb
    archive:
      path: ./data/archive.duckdb
```
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: summarize
    component: duckdb.processor
    mode: transform
    config:
      connection: "@duckdb.local"
      query: SELECT 1 AS one
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

import os
from collections.abc import Iterator
from typing import Final

from osiris_lsp.discovery import CONNECTIONS
from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import ANY, Project, Usage
from osiris_lsp.text import printable

CODE: Final = "OSR118"
SEVERITY: Final[Severity] = "hint"
KINDS: Final = ("connections",)
SOURCE: Final = ""


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each alias that no pipeline refers to; examples are not in use anyway."""
    if not document.connections:
        return
    if project.connections_path(os.path.join(project.root, CONNECTIONS[0])) != document.path:
        return
    usages = project.usages(document)
    if not usages:
        return
    for entry in document.connections:
        family = entry.family.canonical
        if Usage(family, entry.alias) in usages or Usage(family, ANY) in usages:
            continue
        if Usage(family, None) in usages and document.default_of(family) in (entry, None):
            continue
        message = f"`{printable(str(entry))}` is used by no pipeline"
        yield Problem(entry.key.span, message)
