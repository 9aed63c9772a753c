"""A reference has names that only the Osiris runtime reads.

The contract allows lower-case letters, digits and `_` (CONN-004). The runtime also takes capitals
and hyphens, so with the profile `osiris-runtime` such a name is no error; other tools refuse it.

Example:
```yaml osiris-lsp.toml
profile = "osiris-runtime"
```
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local-db:
      path: data/local.duckdb
```
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: sum-orders
    component: duckdb.processor
    mode: transform
    config:
      connection: "@duckdb.local-db"
      query: SELECT 1 AS one
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local_db:
      path: data/local.duckdb
```
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: sum-orders
    component: duckdb.processor
    mode: transform
    config:
      connection: "@duckdb.local_db"
      query: SELECT 1 AS one
```
"""

import os
from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import PipelineDocument
from osiris_lsp.finding import Problem, Related, Severity
from osiris_lsp.project import Project

CODE: Final = "OSR216"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("pipeline",)
SOURCE: Final = "R-07"
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each reference that the contract does not allow and the runtime does.

    One that leads nowhere has the finding of `unknown-alias` or `unknown-family-reference` instead.
    """
    profile = project.settings.profile
    if profile != "osiris-runtime":
        return
    for step in document.references:
        node, reference = step.connection, step.readable(profile)
        if node is None or reference is None or reference.strict:
            continue
        message = f"`{reference}` should only have lower-case letters, digits and `_` in its names"
        related: tuple[Related, ...] = ()
        connections = project.connections_for(document.path)
        if connections is not None:
            entry = connections.resolve(reference)
            if entry is None:
                continue
            file = os.path.basename(connections.path)
            message += f"; rename it here and in {file}"
            related = (Related(entry.key.span, f"defined in {file}", connections.path),)
        yield Problem(node.span, message, related=related)
