"""A pipeline has a top-level key of another version of the language.

`version`, `connectors`, `tasks` and `outputs` are from before OML 0.1.0. Osiris refuses to
compile a file that has one of them.

Example:
```yaml pipelines/orders.yaml
version: "0.1.0"
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

Fix: turns `version` into `oml_version: "0.1.0"` where there is none. Unsafe, because Osiris then
reads the file.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import PipelineDocument
from osiris_lsp.edits import rename_key
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.specs import load_schema
from osiris_lsp.tree import Node, Scalar

CODE: Final = "OSR202"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each forbidden key."""
    if document.root is None:
        return
    fields = document.root.fields
    forbidden = load_schema("pipeline")["x-forbidden"]
    if forbidden.keys().isdisjoint(fields) or not document.is_oml:
        return
    for name, instead in forbidden.items():
        if name not in fields:
            continue
        key, value = fields[name]
        fix = None
        # With another key missing, that finding would move to the renamed key.
        if name == "version" and "oml_version" not in fields and {"name", "steps"} <= fields.keys():
            fix = _to_oml_version(document, key, value)
        message = f"`{name}` is no key of OML 0.1.0; use {instead}"
        if name == "version" and "oml_version" in fields:
            message = "`version` is no key of OML 0.1.0; remove it, `oml_version` is there"
        yield Problem(key.span, message, fix)


def _to_oml_version(document: PipelineDocument, key: Scalar, value: Node) -> Fix | None:
    rename = rename_key(key, "oml_version")
    if rename is None or not isinstance(value, Scalar) or value.style in ("|", ">") or value.tag:
        return None
    edits = [rename]
    if value.value != "0.1.0":
        space = " " if document.text[value.start - 1 : value.start] == ":" else ""
        if value.start == value.end and not space:
            return None
        edits.append(Edit(value.start, value.end, f'{space}"0.1.0"'))
    return Fix('Change to `oml_version: "0.1.0"`', False, tuple(edits))
