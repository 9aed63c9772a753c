"""A config value has a type that the component does not take.

The driver stops at this step, or it takes the value for something else.

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
      table: orders
      limit: "100"
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
      limit: 100
```

Fix: takes a number or truth value out of its quotes, puts a number into quotes, or makes a list of
a single value. Unsafe, because the runtime reads another value.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import may_set, owns, place
from osiris_lsp.documents import PipelineDocument, Step, is_csv_option
from osiris_lsp.edits import quote_scalar
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import Violation, violations
from osiris_lsp.specs import Schema
from osiris_lsp.text import lazy
from osiris_lsp.tree import Scalar, Seq, deref, resolve

CODE: Final = "OSR224"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


_MAPPING: Final[Schema] = {"type": "object"}
_DECIMAL: Final = lazy(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_WORDS: Final = lazy(r"[\w./ -]+")


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each value of a wrong type, and at a config that is no mapping."""
    for step in document.modern_steps:
        if step.config is None:
            yield from _config(step)
            continue
        for item in step.violations:
            if item.kind != "type" or item.path[:1] in _ELSEWHERE or is_csv_option(step, item):
                continue
            span = item.span
            if span.start == span.end:
                span = step.config.fields[str(item.path[0])][0].span
            span = place(document, step, str(item.path[0]), span)
            yield Problem(span, item.message, _fix(document, step, project, item))


# What the rules about references and `reserved-key` say more about.
_ELSEWHERE: Final = (("connection",), ("resolved_connection",))


def _config(step: Step) -> Iterator[Problem]:
    if "config" not in step.fields:
        return
    value = deref(step.fields["config"][1])
    if isinstance(value, Scalar) and value.type == "null":
        return
    for item in violations(value, _MAPPING, "config"):
        yield Problem(item.span, item.message)


def _fix(document: PipelineDocument, step: Step, project: Project, item: Violation) -> Fix | None:
    """Rewrite the value in the wanted type where it is plain what is meant."""
    name = str(item.path[0])
    node = item.node
    if len(item.path) > 1 or not isinstance(node, Scalar) or step.spec is None:
        return None
    if not owns(step, name) or (name,) in step.spec.secrets:
        return None
    found = _rewritten(document, node, item.choices)
    if found is None:
        return None
    title, edit, value = found
    return Fix(title, False, (edit,)) if may_set(document, step, project, name, value) else None


def _rewritten(
    document: PipelineDocument, node: Scalar, types: tuple[str, ...]
) -> tuple[str, Edit, Scalar | Seq] | None:
    """Return a title, the edit and the value that it makes, or None."""
    text = node.value
    if node.style in ("'", '"'):
        kind = resolve(text) if _DECIMAL.fullmatch(text) else None
        wanted = {"int": ("integer", "number"), "float": ("number",)}.get(kind or "", ())
        if text in ("true", "false"):
            wanted = ("boolean",)
        if any(name in types for name in wanted):
            value = Scalar(node.start, node.end, None, None, text, "")
            return f"Write `{text}` without quotes", Edit(node.start, node.end, text), value
    if "string" in types and node.type in ("int", "float"):
        edit = quote_scalar(document, node)
        if edit is not None:
            value = Scalar(node.start, node.end, None, None, text, '"')
            return f"Quote `{text}`", edit, value
    if "array" in types and node.type == "str" and _WORDS.fullmatch(text) and len(text) < 60:
        written = document.text[node.start : node.end]
        if written.strip("'\"") == text:
            seq = Seq(node.start, node.end, None, None, True)
            seq.items.append(node)
            return f"Make a list of `{text}`", Edit(node.start, node.end, f"[{written}]"), seq
    return None
