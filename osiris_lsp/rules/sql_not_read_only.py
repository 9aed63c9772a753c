"""The query of a step that reads does more than read.

A step that reads is run again without a thought, also by discovery and by whoever tries out a
pipeline. Words in strings, comments and names do not count; `SELECT ... FOR UPDATE` is a read.

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
      query: DELETE FROM orders WHERE paid
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

from osiris_lsp.configs import query_offence
from osiris_lsp.documents import PipelineDocument, part_span
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.tree import Scalar

CODE: Final = "OSR236"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("pipeline",)
SOURCE: Final = "R-40"
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at the first word of a query that is no read."""
    for step in document.modern_steps:
        node = step.option("query")
        if not isinstance(node, Scalar):
            continue
        found = query_offence(step, node)
        if found is not None:
            yield Problem(part_span(document.tree, node, found.start, found.end), found.message)
