"""A config sets a field of its connection that had better stay there.

The step's value wins over that of the connection, and such a field often holds a secret.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: graphql.extractor
    mode: read
    config:
      connection: "@graphql.shop"
      query: "{ orders { id } }"
      headers:
        X-Team: sales
```

Use instead:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: graphql.extractor
    mode: read
    config:
      connection: "@graphql.shop"
      query: "{ orders { id } }"
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

CODE: Final = "OSR227"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each key beside `connection` that the component warns about."""
    for step in document.references:
        if step.spec is None or step.config is None:
            continue
        for name, (key, _) in step.config.fields.items():
            if step.spec.connection_fields.get(name) != "warning":
                continue
            source = f"`{step.reference}`" if step.reference is not None else "the connection"
            message = f"`{name}` replaces what {source} gives; set it in the connection"
            edit = removal(document, step, name)
            fix = None if edit is None else Fix(f"Remove `{name}`", False, (edit,))
            yield Problem(key.span, message, fix)
