"""A config sets `resolved_connection`, which the runner fills in.

The runner puts the resolved connection there before it calls the driver. What a file says there is
overwritten, or gets past the connections file.

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
      resolved_connection: {host: db.example.com}
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

Fix: removes the key, comments stay. Unsafe, because the driver may have used it.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import removal
from osiris_lsp.documents import PipelineDocument
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project

CODE: Final = "OSR235"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = "CONN-005"
ENTRYWISE: Final = True


_KEY: Final = "resolved_connection"


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each `resolved_connection` in a config."""
    if _KEY not in document.text:
        return
    for step in document.modern_steps:
        if step.config is None or _KEY not in step.config.fields:
            continue
        key = step.config.fields[_KEY][0]
        message = (
            f"`{_KEY}` is filled in by the runner; name the connection with `connection` instead"
        )
        edit = removal(document, step, _KEY)
        fix = None if edit is None else Fix(f"Remove `{_KEY}`", False, (edit,))
        yield Problem(key.span, message, fix)
