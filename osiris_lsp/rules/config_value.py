"""A config value has the right type but is none that the component takes.

The driver stops at this step, or it falls back to another value without a word.

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
      write_mode: apend
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
      write_mode: append
```

Fix: takes the nearest value of a list. Unsafe, because the step does something else.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import may_set, owns, place
from osiris_lsp.documents import PipelineDocument, Step, is_csv_option
from osiris_lsp.edits import replace_scalar
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import Violation
from osiris_lsp.specs import nearest
from osiris_lsp.text import Span
from osiris_lsp.tree import Scalar, Seq

CODE: Final = "OSR225"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each value out of range, not in its list or of a wrong form."""
    for step in document.modern_steps:
        if step.config is None:
            continue
        for item in step.violations:
            # What a reference looks like is told by the rules about references.
            if item.kind != "value" or item.path[:1] == ("connection",):
                continue
            if is_csv_option(step, item):
                continue
            fix = _fix(document, step, project, item)
            span = place(document, step, str(item.path[0]), _span(item))
            yield Problem(span, item.message, fix)


def _span(item: Violation) -> Span:
    node = item.node
    if isinstance(node, Seq) and node.items:
        return Span(node.items[0].start, node.items[0].end)
    return item.span


def _fix(document: PipelineDocument, step: Step, project: Project, item: Violation) -> Fix | None:
    node, name = item.node, item.name
    if not item.choices or not isinstance(node, Scalar) or len(item.path) != 1:
        return None
    close = nearest(node.value, item.choices) if owns(step, name) else None
    if close is None or step.spec is None or (name,) in step.spec.secrets:
        return None
    value = Scalar(node.start, node.end, None, None, close, '"')
    edit = replace_scalar(document, node, close)
    if edit is None or not may_set(document, step, project, name, value):
        return None
    return Fix(f"Change to `{close}`", False, (edit,))
