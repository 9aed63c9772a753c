"""The name of a pipeline or the id of a step is empty, no text, or has characters that break.

Builds, logs and tables are named after them: DuckDB sees the rows of the step `extract-orders` as
`df_extract_orders`. An id has letters, digits, `_`, `.` and `-`.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract orders
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

Fix: quotes a number, or puts `-` in place of other characters, where nothing else in the pipeline
names the step. Unsafe, because the name changes.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from osiris_lsp.documents import PipelineDocument, Step
from osiris_lsp.edits import folded, quote_scalar, replace_scalar
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import is_ambiguous, is_unknown
from osiris_lsp.specs import load_schema, step_schema
from osiris_lsp.text import Span, lazy, printable
from osiris_lsp.tree import Map, Node, Scalar, deref

CODE: Final = "OSR204"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True

_OTHER: Final = lazy(r"[^A-Za-z0-9_.-]")
_TYPES: Final = {"int": "a number", "float": "a number", "bool": "a truth value"}


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each name or id that cannot be used."""
    if document.root is not None and "name" in document.root.fields and document.is_oml:
        key, written = document.root.fields["name"]
        what = _unusable(deref(written))
        if what is not None:
            span = written.span if written.end > written.start else key.span
            fix = _quote(document, written, "`name`")
            yield Problem(_short(written, span), f"the `name` of a pipeline {what}", fix)
    for step in document.modern_steps:
        if "id" in step.fields:
            yield from _id(document, step)


def _id(document: PipelineDocument, step: Step) -> Iterator[Problem]:
    key, written = step.fields["id"]
    node = deref(written)
    span = step.place(written if written.end > written.start else key)
    what = _unusable(node)
    if what is not None:
        fix = _quote(document, step.written("id"), "the id")
        yield Problem(_short(written, span), f"the `id` of step {step.index + 1} {what}", fix)
        return
    if not isinstance(node, Scalar) or node.type != "str" or is_unknown(node):
        return
    if _pattern().fullmatch(node.value):
        return
    message = f"the step id `{printable(node.value.strip()[:80])}` "
    if _pattern().fullmatch(node.value.strip()):
        message += "has white space around it"
    elif _OTHER.search(node.value):
        message += "may only have letters, digits, `_`, `.` and `-`"
    else:
        message += "must start with a letter, a digit or `_`"
    slug = _OTHER.sub("-", folded(node.value.strip())).strip("-.")
    fix = None
    if slug and _pattern().fullmatch(slug) and slug not in document.whole.step_by_id:
        message += f"; did you mean `{slug[:80]}`?"
        edit = replace_scalar(document, node, slug)
        own = step.written("id") is node
        if edit is not None and own and not _is_named(document, node):
            fix = Fix(f"Change to `{slug[:80]}`", False, (edit,))
    yield Problem(span, message, fix)


def _unusable(node: Node) -> str | None:
    """Return what is wrong with a value that should be a text, or None."""
    if is_unknown(node):
        return None
    if not isinstance(node, Scalar):
        return f"must be a text, but this is a {'mapping' if isinstance(node, Map) else 'list'}"
    if node.type == "null" or (node.type == "str" and not node.value.strip()):
        return "is empty"
    if node.type == "str" or is_ambiguous(node):
        return None
    kind = _TYPES.get(node.type, "a date")
    return f"must be a text, but `{printable(node.value)}` is {kind}; quote it"


def _short(node: Node, span: Span) -> Span:
    """Return the span, cut down to the first character of a list or mapping."""
    return span if isinstance(node, Scalar) else Span(span.start, min(span.start + 1, span.end))


def _quote(document: PipelineDocument, node: Node | None, what: str) -> Fix | None:
    """Quote a number as it is written where that gives a name in good style."""
    if not isinstance(node, Scalar) or node.type not in _TYPES or node.anchor:
        return None
    needed = (other.value for step in document.whole.steps for other in step.needs)
    if not _name_style().fullmatch(node.value) or node.value in needed:
        return None
    edit = quote_scalar(document, node)
    return None if edit is None else Fix(f"Quote {what}", False, (edit,))


def _is_named(document: PipelineDocument, node: Scalar) -> bool:
    """Tell whether another place of the pipeline holds the id of a step."""
    others = (other for other in document.whole.tree.scalars() if other is not node)
    return any(node.value in other.value for other in others)


@cache
def _pattern() -> re.Pattern[str]:
    return re.compile(step_schema()["properties"]["id"]["pattern"])


@cache
def _name_style() -> re.Pattern[str]:
    return re.compile(load_schema("pipeline")["properties"]["name"]["x-style-pattern"])
