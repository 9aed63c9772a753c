"""A config gives both a query and a table.

They exclude each other: Osiris refuses the step, for it cannot tell which one to read.

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
      query: SELECT * FROM orders WHERE paid
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
      query: SELECT * FROM orders WHERE paid
```
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import is_given, takes_query_or_table
from osiris_lsp.documents import PipelineDocument
from osiris_lsp.finding import Problem, Related, Severity
from osiris_lsp.project import Project
from osiris_lsp.tree import Scalar

CODE: Final = "OSR231"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at the second of the two keys."""
    for step in document.modern_steps:
        if step.config is None or step.spec is None or not takes_query_or_table(step.spec):
            continue
        if not (is_given(step.option("query")) and is_given(step.option("table"))):
            continue
        keys = sorted((step.config.fields[name][0] for name in ("query", "table")), key=_start)
        first, second = keys
        message = f"`{second.value}` and `{first.value}` exclude each other; keep one of them"
        related = (Related(first.span, f"`{first.value}` is given here"),)
        yield Problem(second.span, message, None, related)


def _start(node: Scalar) -> int:
    return node.start
