"""The key `steps` holds no list of steps, or an empty one.

Osiris refuses to compile a pipeline that does nothing. Each step is an item of a list and starts
with `- `.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps: []
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
```
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import PipelineDocument
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import is_unknown
from osiris_lsp.tree import Map, Scalar, Seq, deref

CODE: Final = "OSR206"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem where `steps` holds no step."""
    if document.root is None or "steps" not in document.root.fields:
        return
    key, written = document.root.fields["steps"]
    node = deref(written)
    if (isinstance(node, Seq) and not node.is_empty) or is_unknown(node):
        return
    if document.is_broken(key.start, len(document.text)):
        return
    span = key.span
    if isinstance(node, Seq):
        message, span = "`steps` is empty; a pipeline needs at least one step", written.span
    elif isinstance(node, Map):
        message = "`steps` must be a list, but this is a mapping; put `- ` before each step"
    elif isinstance(node, Scalar) and node.type == "null":
        message = "`steps` has no value; a pipeline needs at least one step"
        span = written.span if written.end > written.start else key.span
    else:
        message, span = "`steps` must be a list of steps, but this is a single value", written.span
    yield Problem(span, message)
