"""A step lacks its `id`, its `component` or its `mode`.

Osiris refuses to compile the pipeline. A step in the older form with `driver` needs only `id` and
`driver`.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
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

Fix: adds the `mode` where the component can do only one thing, or renames a key that looks like
the missing one. Unsafe, because Osiris then reads the step.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from osiris_lsp.configs import is_half_typed, listed, may_run
from osiris_lsp.documents import MODES, PipelineDocument, Step
from osiris_lsp.edits import insert_behind, rename_key
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import is_unknown
from osiris_lsp.specs import nearest, step_schema
from osiris_lsp.text import Span, printable
from osiris_lsp.tree import Map, Node, Scalar, Seq, deref

CODE: Final = "OSR207"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield the misspelt keys of each step, and one problem with all that it lacks besides."""
    for step in document.steps:
        if step.node is None:
            yield from _no_mapping(document, step)
        elif not step.is_legacy:
            yield from _step(document, project, step, step.node)


def _step(document: PipelineDocument, project: Project, step: Step, node: Map) -> Iterator[Problem]:
    needed = ("id", "driver") if step.shape == "driver" else ("id", "component", "mode")
    missing = [name for name in needed if _lacks(step, name)]
    if not missing:
        return
    near = _near_misses(document, step, missing)
    if _is_uncertain(document, step, node):
        # A misspelt key is seen in spite of that; what is missing besides may be hidden.
        missing = [name for name in missing if name in near]
    missing = [name for name in missing if name not in near]
    for name, key in near.items():
        message = f"`{printable(key.value)}` is no key of a step; did you mean `{name}`?"
        # What else is missing would be reported at another place afterwards.
        own = step.item is node and any(pair[0] is key for pair in node.pairs)
        edit = rename_key(key, name) if own and not missing else None
        fix = None
        if edit is not None and _runs(document, project, step, name):
            fix = Fix(f"Rename to `{name}`", False, (edit,))
        yield Problem(step.place(key), message, fix)
    if not missing:
        return
    verb = "is" if len(missing) == 1 else "are"
    message = f"{listed(missing)} {verb} missing in {printable(step.label)}"
    modes = step.spec.step_modes if step.spec is not None else ()
    if missing == ["mode"] and step.spec is not None and modes:
        message += f"; `{step.spec.name}` can {' or '.join(f'`{mode}`' for mode in modes)}"
    fix = _add_mode(document, step, node, modes) if missing == ["mode"] and not near else None
    yield Problem(_span(step), message, fix)


def _lacks(step: Step, name: str) -> bool:
    """Tell whether a key is absent or empty; an empty `id` belongs to `invalid-name`."""
    if name not in step.fields:
        return True
    value = deref(step.fields[name][1])
    empty = isinstance(value, Scalar) and (
        value.type == "null" or (value.type == "str" and not value.value.strip())
    )
    return name != "id" and empty


def _is_uncertain(document: PipelineDocument, step: Step, node: Map) -> bool:
    """Tell whether broken text or an unknown merge may hide keys of a step."""
    if is_half_typed(document, step):
        return True
    return any(
        isinstance(key, Scalar) and key.value == "<<" and is_unknown(deref(value))
        for key, value in node.pairs
    )


def _near_misses(
    document: PipelineDocument, step: Step, missing: Sequence[str]
) -> Mapping[str, Scalar]:
    found: dict[str, Scalar] = {}
    absent = [name for name in missing if name not in step.fields]
    known = step_schema()["properties"]
    for name, (key, value) in step.fields.items():
        if name in known or not absent:
            continue
        close = nearest(name, absent)
        if close is not None and close not in found and _fits(document, close, deref(value)):
            found[close] = key
    return found


def _runs(document: PipelineDocument, project: Project, step: Step, name: str) -> bool:
    """Tell whether a step has no other findings once a misspelt `component` is renamed."""
    if name == "id":
        return True
    if name == "mode":
        modes = [step.scalar(key) for key in step.fields if nearest(key, (name,))]
        return step.spec is None or all(
            mode is not None and mode.value in step.spec.step_modes for mode in modes
        )
    keys = [key for key in step.fields if key not in step_schema()["properties"]]
    values = [step.scalar(key) for key in keys if nearest(key, (name,))]
    specs = [document.components.get(value.value) for value in values if value is not None]
    return len(specs) == 1 and specs[0] is not None and may_run(document, step, project, specs[0])


def _fits(document: PipelineDocument, name: str, value: Node) -> bool:
    """Tell whether the value of a misspelt key could be that of the missing one."""
    if not isinstance(value, Scalar) or value.type != "str":
        return False
    if name == "mode":
        return value.value in MODES
    if name == "id":
        return value.value not in document.outlined.step_by_id and " " not in value.value
    return value.value in document.components or "." in value.value.strip(".")


def _add_mode(
    document: PipelineDocument, step: Step, node: Map, modes: Sequence[str]
) -> Fix | None:
    if len(modes) != 1 or step.item is not node:
        return None
    title = f"Add `mode: {modes[0]}`"
    if "mode" not in step.fields:
        edit = insert_behind(document, node, "component", "mode", modes[0])
        return None if edit is None else Fix(title, False, (edit,))
    value = step.fields["mode"][1]
    if not isinstance(value, Scalar) or value.start != value.end or value.anchor or value.tag:
        return None
    return Fix(title, False, (Edit(value.start, value.end, f" {modes[0]}"),))


def _span(step: Step) -> Span:
    if step.node is step.item or not step.item.end:
        return step.anchor
    return step.item.span


def _no_mapping(document: PipelineDocument, step: Step) -> Iterator[Problem]:
    node = deref(step.item)
    start, end = step.item.start, step.item.end
    if is_unknown(node) or is_half_typed(document, step):
        return
    needs = listed(["id", "component", "mode"])
    if isinstance(node, Scalar) and node.type == "null":
        message = f"step {step.index + 1} is empty; it needs {needs}"
        # An empty item has no text of its own, so the finding lies on its `-`.
        start = start if end > start else max(start - 1, 0)
    else:
        what = "a list" if isinstance(node, Seq) else "a single value"
        message = f"step {step.index + 1} must be a mapping with {needs}, but this is {what}"
        end = min(end, start + 1) if isinstance(node, Seq) and step.item is node else end
    yield Problem(Span(start, end), message)
