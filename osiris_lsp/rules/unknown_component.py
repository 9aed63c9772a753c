"""A step names a component that nobody knows.

Neither the `components` folder of the project nor Osiris itself has it. It may still be installed
where the pipeline runs; otherwise the run stops before its first step.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extracter
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

Fix: takes the nearest known component where the step fits it. Unsafe, because another component
runs.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import MODES, PipelineDocument, Step
from osiris_lsp.edits import replace_scalar
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import is_ambiguous, is_unknown
from osiris_lsp.specs import ComponentSpec, nearest
from osiris_lsp.text import Span, printable
from osiris_lsp.tree import Map, Scalar, deref

CODE: Final = "OSR210"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each component that has no spec."""
    for step in document.modern_steps:
        if step.spec is not None or step.shape == "none":
            continue
        key = _key(step)
        written = step.fields[key][1]
        node = deref(written)
        if is_unknown(node):
            continue
        if not isinstance(node, Scalar):
            span = Span(written.start, min(written.start + 1, written.end))
            what = "mapping" if isinstance(node, Map) else "list"
            message = f"`{key}` must be the name of a component, but this is a {what}"
            yield Problem(step.place(written) if written is not node else span, message)
        elif node.value.strip() and node.type != "null" and not is_ambiguous(node):
            yield _unknown(document, project, step, node)


def _unknown(document: PipelineDocument, project: Project, step: Step, node: Scalar) -> Problem:
    close = nearest(node.value.strip(), document.components)
    message = f"the component `{printable(node.value.strip()[:80])}` is not known"
    fix = None
    if close is not None:
        message += f"; did you mean `{close}`?"
        own = step.written(_key(step)) is node
        if own and _fits(document, project, step, document.components[close]):
            edit = replace_scalar(document, node, close)
            fix = None if edit is None else Fix(f"Change to `{close}`", False, (edit,))
    return Problem(step.place(step.fields[_key(step)][1]), message, fix)


def _key(step: Step) -> str:
    return "driver" if step.shape == "driver" else "component"


def _fits(document: PipelineDocument, project: Project, step: Step, spec: ComponentSpec) -> bool:
    """Tell whether a step would have no new findings with another component."""
    trial = Step(step.index, step.item, document.components)
    trial.spec = spec
    mode = trial.scalar("mode")
    if mode is not None and mode.value in MODES and mode.value not in spec.step_modes:
        return False
    if trial.misfit(project.families) is not None:
        return False
    given = spec.connection_fields if trial.connection is not None else {}
    return all(
        item.name in given or item.name == "connection"
        for item in trial.violations
        if item.kind in ("missing", "unknown", "type", "value")
    )
