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
    local:
      path: data/local.duckdb
```
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: read-orders
    component: duckdb.extractor
    mode: read
    config:
      connection: "@DuckDB.Local"
      table: orders
```

Use instead:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: read-orders
    component: duckdb.extractor
    mode: read
    config:
      connection: "@duckdb.local"
      table: orders
```

Fix: takes the existing connection whose name is like it. Unsafe, because it is a guess.
"""

import os
from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import owns
from osiris_lsp.documents import PipelineDocument
from osiris_lsp.edits import replace_scalar
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project

CODE: Final = "OSR216"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("pipeline",)
SOURCE: Final = "R-07"


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each reference that the contract does not allow and the runtime does."""
    profile = project.settings.profile
    if profile != "osiris-runtime":
        return
    for step in document.references:
        node, reference = step.connection, step.readable(profile)
        if node is None or reference is None or reference.strict:
            continue
        message = f"`{reference}` should have lower-case letters, digits and `_` only in its names"
        connections = project.connections_for(document.path)
        fix = None
        if connections is not None and connections.resolve(reference) is not None:
            message += f"; rename it here and in {os.path.basename(connections.path)}"
        elif connections is not None:
            guess = connections.guess(node.value)
            if guess is not None and step.misfit(project.families, guess) is None:
                message += f"; did you mean `{guess}`?"
                edit = replace_scalar(document, node, str(guess))
                if edit is not None and owns(step, "connection"):
                    fix = Fix(f"Change to `{guess}`", False, (edit,))
        yield Problem(node.span, message, fix)
