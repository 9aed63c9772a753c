"""A pipeline lacks one of the keys `oml_version`, `name` and `steps`.

Osiris refuses to compile it. Pipelines whose steps all have the older forms (`driver:`, `type:`)
need none of these keys.

Example:
```yaml pipelines/orders.yaml
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

Fix: adds `oml_version: "0.1.0"`, or renames a key that looks like the missing one. Unsafe, because
Osiris then reads the file.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from osiris_lsp.configs import clashes, is_connected, listed, may_run, values_of
from osiris_lsp.documents import PipelineDocument
from osiris_lsp.edits import newline, rename_key
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import is_unknown
from osiris_lsp.specs import Schema, load_schema, nearest
from osiris_lsp.text import Span, lazy, printable
from osiris_lsp.tree import Map, Node, Scalar, Seq, deref

CODE: Final = "OSR201"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""

_SLUG: Final = lazy(r"[a-z0-9][a-z0-9-]*")

# Keys of other versions, which `forbidden-key` reports, stand for the ones of OML.
_STAND_IN: Final[Mapping[str, str]] = {"oml_version": "version", "steps": "tasks"}


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield one problem per missing key: at the key that looks like it, else at the first key."""
    schema = load_schema("pipeline")
    root = document.root
    if root is None:
        yield from _no_mapping(document, schema["required"])
        return
    fields = root.fields
    missing = [name for name in schema["required"] if name not in fields]
    if not missing or not document.is_oml or _has_unknown_merge(root):
        return
    missing = [name for name in missing if _STAND_IN.get(name) not in fields]
    if document.is_broken(0, len(document.text)):
        missing = [name for name in missing if f"\n{name}" not in f"\n{document.text}"]
    near = _near_misses(fields, missing, schema)
    first = next(iter(fields.values()))[0].span if fields else Span(0, 0)
    for name in missing:
        if name in near:
            key, value = near[name]
            shown = printable(key.value)
            message = f"`{shown}` is no key of a pipeline; did you mean `{name}`, which is missing?"
            # What else is missing would be reported at the new key, if it is the first.
            fix = (
                _rename(document, project, key, value, name) if len(near) == len(missing) else None
            )
            yield Problem(key.span, message, fix)
            continue
        message = f"`{name}` is missing in this pipeline"
        fix = None
        if name == "oml_version":
            message += '; add `oml_version: "0.1.0"`'
            # With another key missing, that finding would move to the new first key.
            fix = _add_version(document, root) if missing == [name] else None
        yield Problem(first, message, fix)


def _no_mapping(document: PipelineDocument, required: Sequence[str]) -> Iterator[Problem]:
    node = document.tree.root
    if document.is_broken(0, len(document.text)) or (node is not None and is_unknown(node)):
        return
    what = "is empty"
    span = Span(0, 0)
    if isinstance(node, Seq):
        what = "is a list"
        span = Span(node.start, min(node.start + 1, node.end))
    elif isinstance(node, Scalar) and (node.type != "null" or node.value):
        what = "is a single value"
        span = node.span
    yield Problem(span, f"this pipeline {what}; it must be a mapping with {listed(required)}")


def _has_unknown_merge(root: Map) -> bool:
    return any(
        isinstance(key, Scalar) and key.value == "<<" and is_unknown(deref(value))
        for key, value in root.pairs
    )


def _near_misses(
    fields: Mapping[str, tuple[Scalar, Node]], missing: Sequence[str], schema: Schema
) -> Mapping[str, tuple[Scalar, Node]]:
    found: dict[str, tuple[Scalar, Node]] = {}
    for name, entry in fields.items():
        if name in schema["properties"] or name in schema["x-forbidden"] or name.startswith("x-"):
            continue
        close = nearest(name, missing)
        if close is not None and close not in found and _fits(deref(entry[1]), schema, close):
            found[close] = entry
    return found


def _fits(value: Node, schema: Schema, name: str) -> bool:
    """Tell whether the value of a misspelt key could be that of the missing one."""
    if schema["properties"][name]["type"] == "array":
        return isinstance(value, Seq)
    return isinstance(value, Scalar) and value.type != "null"


def _rename(
    document: PipelineDocument, project: Project, key: Scalar, value: Node, name: str
) -> Fix | None:
    value = deref(value)
    if isinstance(value, Scalar):
        text = value.value if value.type == "str" else ""
        if text != "0.1.0" if name == "oml_version" else not _SLUG.fullmatch(text):
            return None
    edit = rename_key(key, name)
    if edit is None or (name == "steps" and not _is_sound(document, project, edit)):
        return None
    return Fix(f"Rename to `{name}`", False, (edit,))


def _is_sound(document: PipelineDocument, project: Project, edit: Edit) -> bool:
    """Tell whether the steps are free of mistakes, so that renaming their key brings up none."""
    text = document.text[: edit.start] + edit.new_text + document.text[edit.end :]
    trial = PipelineDocument(document.path, text, document.components)
    connections = project.connections_for(document.path)
    if not trial.steps or len(trial.step_by_id) != len(trial.steps):
        return False
    for step in trial.steps:
        mode = step.scalar("mode")
        if step.spec is None or mode is None or mode.value not in step.spec.step_modes:
            return False
        if step.connection is not None and (
            step.reference is None or connections is None or not connections.resolve(step.reference)
        ):
            return False
        if clashes(step, values_of(step), is_connected(trial, step, project)):
            return False
        if not may_run(trial, step, project, step.spec):
            return False
    return True


def _add_version(document: PipelineDocument, root: Map) -> Fix | None:
    """Add `oml_version` before the first key."""
    if not root.pairs:
        return None
    first = root.pairs[0][0].begin
    line = 'oml_version: "0.1.0"'
    if root.flow:
        edit = Edit(first, first, f"{line}, ")
    else:
        column = document.tree.lines.position(first).column
        if document.text[first - column : first].strip(" \ufeff"):
            return None
        edit = Edit(first, first, f"{line}{newline(document)}{' ' * column}")
    return Fix(f"Add `{line}`", False, (edit,))
