"""A config sets a field that only the connection may give.

Osiris refuses the pipeline: which account a step uses is decided in the connections file alone.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config:
      connection: "@mysql.prod"
      table: orders
      password: ${OTHER_PASSWORD}
```

Use instead:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config:
      connection: "@mysql.prod"
      table: orders
```

Fix: removes the field, comments stay. Unsafe, because the value of the connection is used from then
on.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import removal
from osiris_lsp.documents import PipelineDocument
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project

CODE: Final = "OSR226"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each key beside `connection` that the component forbids."""
    for step in document.references:
        if step.spec is None or step.config is None:
            continue
        for name, (key, _) in step.config.fields.items():
            if step.spec.connection_fields.get(name) != "forbidden":
                continue
            source = f"`{step.reference}`" if step.reference is not None else "the connection"
            message = (
                f"`{name}` comes from {source} and cannot be changed in a step; remove it here"
            )
            edit = removal(document, step, name)
            fix = None if edit is None else Fix(f"Remove `{name}`", False, (edit,))
            yield Problem(key.span, message, fix)
