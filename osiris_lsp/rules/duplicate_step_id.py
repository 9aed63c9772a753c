"""Two steps of a pipeline have the same id.

Osiris refuses to compile it, because `needs` and the tables of DuckDB would not tell them apart.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.prod", table: orders}
  - id: extract
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.prod", table: customers}
```

Use instead:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.prod", table: orders}
  - id: extract-customers
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.prod", table: customers}
```
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import PipelineDocument
from osiris_lsp.finding import Problem, Related, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import is_unknown
from osiris_lsp.text import printable

CODE: Final = "OSR209"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
OUTLINE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each id that an earlier step has, with that step as related place."""
    first_by_id = document.step_by_id
    if len(first_by_id) == len(document.steps):
        return
    for step in document.modern_steps:
        node = step.scalar("id")
        if step.id is None or node is None or is_unknown(node):
            continue
        first = first_by_id[step.id]
        original = first.scalar("id")
        if first is step or original is None:
            continue
        shown = printable(step.id)
        message = f"step {first.index + 1} has the id `{shown}` too; give one of them another id"
        related = (Related(first.place(original), "the first step with this id"),)
        yield Problem(step.place(step.fields["id"][1]), message, related=related)
