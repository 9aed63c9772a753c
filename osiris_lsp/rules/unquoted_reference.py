"""A reference stands without quotes, which YAML cannot read.

YAML reserves `@` at the start of a value, so the whole file fails to load.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config:
      connection: @mysql.default
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
      connection: "@mysql.default"
      table: orders
```

Fix: quotes the reference. Safe, because the file could not be loaded before.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.edits import reported
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project

CODE: Final = "OSR004"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield the references that stand without quotes."""
    yield from reported(document, "unquoted-reference")
