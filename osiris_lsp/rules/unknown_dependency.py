"""A step needs a step that the pipeline does not have.

Osiris refuses the pipeline, for it cannot tell in which order the steps run.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.prod", table: orders}
  - id: write-orders
    component: filesystem.csv_writer
    mode: write
    needs: [extract-order]
    config: {path: orders.csv}
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
  - id: write-orders
    component: filesystem.csv_writer
    mode: write
    needs: [extract-orders]
    config: {path: orders.csv}
```

Fix: takes the nearest id. Unsafe, because the step then gets that step's data.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import unknown_tables
from osiris_lsp.documents import PipelineDocument, Step
from osiris_lsp.edits import replace_scalar
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import is_unknown, json_type
from osiris_lsp.specs import nearest
from osiris_lsp.text import Span, printable
from osiris_lsp.tree import Alias, Map, Node, Scalar, Seq, deref

CODE: Final = "OSR228"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
OUTLINE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each entry of `needs` that is no step, or at a `needs` that is no list."""
    ids = document.names
    for step in document.modern_steps:
        if "needs" not in step.fields:
            continue
        written = step.fields["needs"][1]
        value = deref(written)
        if isinstance(value, Seq):
            for item in value.items:
                known = isinstance(item, Scalar) and item.type == "str" and item.value in ids
                if not known:
                    yield from _entry(document, step, item, ids)
        elif isinstance(value, Scalar) and value.type == "str":
            yield from _entry(document, step, written, ids)
        elif json_type(value) not in ("", "null") and not is_unknown(value):
            message = "`needs` must be a list of step ids"
            first = value.pairs[0][0] if isinstance(value, Map) and value.pairs else value
            yield Problem(first.span, message)


def _entry(
    document: PipelineDocument, step: Step, item: Node, ids: frozenset[str]
) -> Iterator[Problem]:
    node = deref(item)
    if is_unknown(node):
        return
    if not isinstance(node, Scalar) or node.type == "null":
        span = node.span if node.end > node.start else step.fields["needs"][0].span
        if not isinstance(node, Scalar):
            span = Span(node.start, node.start + 1)
        yield Problem(span, "an entry of `needs` must be the id of a step")
        return
    if node.value in ids:
        return
    others = [name for name in ids if name != step.id]
    close = nearest(node.value, sorted(others))
    message = f"there is no step `{printable(node.value)}` in this pipeline"
    if close is not None:
        message += f"; did you mean `{printable(close)}`?"
    fix = None
    if close is not None and not isinstance(item, Alias) and _is_sound(document, step, node, close):
        edit = replace_scalar(document, node, close)
        if edit is not None:
            fix = Fix(f"Change to `{printable(close)}`", False, (edit,))
    yield Problem(node.span, message, fix)


def _is_sound(document: PipelineDocument, step: Step, node: Scalar, name: str) -> bool:
    """Tell whether a step may need another one: no cycle follows, nor tables that are not there."""
    if any(other.value == name for other in step.needs):
        return False
    ids = [name if other is node else other.value for other in step.needs]
    query = step.option("query")
    if isinstance(query, Scalar) and unknown_tables(document, step, query, ids):
        return False
    if "needs" not in step.fields or step.node is not step.item or step.item.anchor:
        return False
    waiting, seen = [name], set()
    while waiting:
        current = waiting.pop()
        if current == step.id:
            return False
        found = document.step_by_id.get(current)
        if found is not None and current not in seen:
            seen.add(current)
            waiting.extend(node.value for node in found.needs)
    return True
