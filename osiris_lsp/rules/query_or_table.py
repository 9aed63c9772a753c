"""A config says neither which table to read nor by which query.

The step has nothing to read, so Osiris refuses it.

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

from osiris_lsp.configs import is_half_typed, misspelt, takes_query_or_table
from osiris_lsp.documents import PipelineDocument
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import printable
from osiris_lsp.tree import Scalar, deref

CODE: Final = "OSR232"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at the `config` of each step that names neither."""
    for step in document.modern_steps:
        spec = step.spec
        # A step of the `driver` form needs only `id` and `driver` (seed 001).
        if spec is None or step.shape != "oml" or not takes_query_or_table(spec):
            continue
        if not spec.name.endswith(".extractor") or is_half_typed(document, step):
            continue
        if step.config is None and "config" in step.fields:
            value = deref(step.fields["config"][1])
            if not (isinstance(value, Scalar) and value.type == "null"):
                continue
        given = step.config.fields if step.config is not None else {}
        if "query" in given or "table" in given:
            continue
        if not {"query", "table"}.isdisjoint(filter(None, misspelt(step).values())):
            continue
        message = (
            f"`{printable(spec.name)}` needs `table` or `query` in its config, to know what to read"
        )
        span = step.fields["config"][0].span if "config" in step.fields else step.anchor
        yield Problem(span, message)
