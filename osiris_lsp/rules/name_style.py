"""The name of a pipeline has other characters than lower-case letters, digits and hyphens.

Builds and logs are filed under the name, so that capitals, spaces and underscores end up in paths
and look different from one system to the next.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: Daily Orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.prod", table: orders}
```

Use instead:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: daily-orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config: {connection: "@mysql.prod", table: orders}
```

Fix: writes the name in lower case with hyphens. Unsafe, because builds and logs are then filed
under another name.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from osiris_lsp.documents import PipelineDocument
from osiris_lsp.edits import folded, replace_scalar
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import is_unknown
from osiris_lsp.specs import load_schema
from osiris_lsp.text import lazy, printable
from osiris_lsp.tree import Scalar, deref

CODE: Final = "OSR205"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""

_OTHER: Final = lazy(r"[^a-z0-9]+")
_HUMP: Final = lazy(r"(?<=[a-z0-9])(?=[A-Z])")


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at a name that is not in the style of the others."""
    if document.root is None or "name" not in document.root.fields or not document.is_oml:
        return
    written = document.root.fields["name"][1]
    node = deref(written)
    if not isinstance(node, Scalar) or node.type != "str" or is_unknown(node):
        return
    if not node.value.strip() or _style().fullmatch(node.value):
        return
    plain = folded(node.value)
    if plain.isalnum():
        plain = _HUMP.sub("-", plain)
    slug = _OTHER.sub("-", plain.lower()).strip("-")
    message = f"the name `{printable(node.value.strip()[:80])}` should be lower-case with hyphens"
    fix = None
    if slug:
        message += f", such as `{slug[:80]}`"
        edit = replace_scalar(document, node, slug) if node is written else None
        if edit is not None:
            fix = Fix(f"Change to `{slug[:80]}`", False, (edit,))
    yield Problem(written.span, message, fix)


@cache
def _style() -> re.Pattern[str]:
    return re.compile(load_schema("pipeline")["properties"]["name"]["x-style-pattern"])
