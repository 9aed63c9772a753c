"""The version of the pipeline language is not `"0.1.0"`.

It is the only version that Osiris reads, and it is a text: without quotes `0.1` is a number.

Example:
```yaml pipelines/orders.yaml
oml_version: 0.1
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.prod", table: orders}
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

Fix: writes `"0.1.0"`. Unsafe, because the file may be meant for another version.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import PipelineDocument
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import is_unknown
from osiris_lsp.text import printable
from osiris_lsp.tree import Scalar, deref

CODE: Final = "OSR203"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""

VERSION: Final = "0.1.0"


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at a version that is another one, no text, or empty."""
    if document.root is None or "oml_version" not in document.root.fields:
        return
    key, written = document.root.fields["oml_version"]
    node = deref(written)
    if is_unknown(node):
        return
    if not isinstance(node, Scalar):
        yield Problem(key.span, f'`oml_version` must be the text `"{VERSION}"`')
        return
    if node.type == "str" and node.value == VERSION:
        return
    shown = printable(node.value[:40])
    if not node.value.strip() or node.type == "null":
        message = f'`oml_version` has no value; write `oml_version: "{VERSION}"`'
    elif node.type in ("int", "float"):
        message = f'`oml_version: {shown}` is a number; write the text `"{VERSION}"`'
    elif node.type == "str" and node.value.strip() == VERSION:
        message = f'`oml_version` has white space around it; write `"{VERSION}"`'
    elif node.type != "str":
        message = f'`oml_version: {shown}` is no text; write `"{VERSION}"`'
    else:
        message = f'OML `{shown}` is not supported; Osiris reads version `"{VERSION}"`'
    span = node.span if node.end > node.start else key.span
    yield Problem(span, message, _fix(document, written))


def _fix(document: PipelineDocument, node: object) -> Fix | None:
    if not isinstance(node, Scalar) or node.style in ("|", ">") or node.tag:
        return None
    space = " " if document.text[node.start - 1 : node.start] == ":" else ""
    if node.start == node.end and not space:
        return None
    return Fix(
        f'Change to `"{VERSION}"`', False, (Edit(node.start, node.end, f'{space}"{VERSION}"'),)
    )
