"""A pipeline names a connection, and there is no file with connections.

Osiris reads `osiris_connections.yaml` at the root of the project, and so does this linter: it
looks in the folder of the pipeline and above it, up to the root. Without the file no reference
can be resolved.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.prod", table: orders}
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    prod:
      host: db.example.com
      database: shop
      user: reader
      password: ${MYSQL_PROD_PASSWORD}
```
"""

import os
from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import PipelineDocument
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import printable

CODE: Final = "OSR214"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = "CONN-001"


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield one problem at the first reference where there is no file to look it up in."""
    if project.connections_for(document.path) is not None:
        return
    profile = project.settings.profile
    steps = (step for step in document.each_step() if step.node is not None and not step.is_legacy)
    first = next((step for step in steps if step.readable(profile)), None)
    if first is None or first.connection is None:
        return
    reference = first.readable(profile)
    path = project.connections_path(document.path)
    if path is None:
        reason = "there is no osiris_connections.yaml in this folder or above it in the project"
    else:
        shown = os.path.relpath(path, project.root).replace(os.sep, "/")
        problem = project.read(path)[1]
        why = problem[1].removeprefix("this file ") if problem is not None else "cannot be read"
        reason = f"{printable(shown)} {why}"
    yield Problem(first.connection.span, f"`{reference}` cannot be looked up: {reason}")
