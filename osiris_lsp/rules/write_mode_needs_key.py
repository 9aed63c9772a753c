"""A writer replaces or updates rows without the columns that identify them.

Without a key Osiris cannot tell which rows to replace, and the pipeline does not compile.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: write-orders
    component: supabase.writer
    mode: write
    config:
      connection: "@supabase.main"
      table: orders
      write_mode: upsert
```

Use instead:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: write-orders
    component: supabase.writer
    mode: write
    config:
      connection: "@supabase.main"
      table: orders
      write_mode: upsert
      primary_key: [order_id]
```
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import has_write_key, is_half_typed, misspelt, values_of, write_mode
from osiris_lsp.documents import PipelineDocument
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.specs import WRITE_KEYS

CODE: Final = "OSR230"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each mode of a writer that needs key columns and has none."""
    for step in document.modern_steps:
        if step.config is None:
            continue
        values = values_of(step)
        found = write_mode(step, values)
        if found is None or has_write_key(values) or is_half_typed(document, step):
            continue
        if not set(WRITE_KEYS).isdisjoint(filter(None, misspelt(step).values())):
            continue
        mode, node = found
        known = step.spec.known if step.spec is not None else {}
        key = "upsert_keys" if mode == "mode" and "upsert_keys" in known else "primary_key"
        empty = next((name for name in WRITE_KEYS if name in values), None)
        message = f"`{mode}: {node.value}` needs `{key}`, the columns that identify a row"
        if empty is not None:
            message += f"; `{empty}` is empty"
        yield Problem(node.span, message)
