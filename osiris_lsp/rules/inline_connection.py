"""A step describes its connection itself instead of naming one.

Every step that reads from the same place repeats it, and its account ends up in the pipeline file.

Example:
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
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config:
      host: db.example.com
      database: shop
      user: reader
      password: ${MYSQL_PASSWORD}
      table: orders
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
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import listed, proposal
from osiris_lsp.documents import PipelineDocument
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project

CODE: Final = "OSR234"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield one problem per step, at the first key that a connection should give."""
    for step in document.modern_steps:
        if step.spec is None or step.config is None or "connection" in step.config.fields:
            continue
        policies = step.spec.connection_fields
        inline = [name for name in step.config.fields if name in policies]
        if not any(name == "host" or policies[name] == "forbidden" for name in inline):
            continue
        reference = proposal(document, step, project)
        verb = "describe" if len(inline) > 1 else "belongs to"
        message = f"{listed(inline)} {verb} a connection; name one"
        message += (
            f' with `connection: "{reference}"`'
            if reference
            else (" with `connection` and define it in osiris_connections.yaml")
        )
        key = step.config.fields[inline[0]][0]
        yield Problem(key.span, message)
