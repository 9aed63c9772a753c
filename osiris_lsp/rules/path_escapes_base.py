"""A path leaves the `base_dir` of its connection.

A connection is there so that a pipeline finds its files in every environment. A path that leads out
of it works on one machine only, or touches files that the connection is not for.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  filesystem:
    exports:
      base_dir: ./exports
```
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: read-orders
    component: filesystem.csv_extractor
    mode: read
    config:
      connection: "@filesystem.exports"
      path: ../private/orders.csv
```

Use instead:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: read-orders
    component: filesystem.csv_extractor
    mode: read
    config:
      connection: "@filesystem.exports"
      path: orders.csv
```
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import is_absolute, leaves_base
from osiris_lsp.documents import Connection, PipelineDocument, Step
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import has_variable
from osiris_lsp.text import printable
from osiris_lsp.tree import Scalar, deref

CODE: Final = "OSR238"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each path that leads out of the folder of its connection."""
    for step in document.references:
        name = step.component.value if step.component is not None else ""
        path = step.option("path")
        if not name.startswith("filesystem.") or not isinstance(path, Scalar):
            continue
        if path.type != "str" or has_variable(path.value) or not path.value:
            continue
        connection = _connection(document, step, project)
        if connection is None or "base_dir" not in connection.fields:
            continue
        base = deref(connection.fields["base_dir"][1])
        if not isinstance(base, Scalar) or base.type != "str":
            continue
        absolute = is_absolute(path.value)
        if absolute and has_variable(base.value):
            continue
        if leaves_base(path.value, base.value):
            how = "is not below" if absolute else "leads out of"
            message = f"`{printable(path.value)}` {how} `base_dir` of `{connection}`"
            yield Problem(path.span, message)


def _connection(document: PipelineDocument, step: Step, project: Project) -> Connection | None:
    connections = project.connections_for(document.path)
    reference = step.reference
    if connections is None or reference is None:
        return None
    if project.families.canonical(reference.family) != "filesystem":
        return None
    if reference.alias is None:
        return connections.default_of(reference.family)
    return connections.find(reference.family, reference.alias)
