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

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from osiris_lsp.configs import listed, may_run
from osiris_lsp.documents import PipelineDocument, Step
from osiris_lsp.edits import replace_scalar
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import is_ambiguous, is_unknown
from osiris_lsp.specs import nearest
from osiris_lsp.text import Span, printable
from osiris_lsp.tree import Map, Scalar, deref

CODE: Final = "OSR210"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


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
    name = node.value.strip()
    family, close = _nearest(name, document.components)
    message = f"the component `{printable(name[:80])}` is not known"
    if close == name:
        message = f"the component `{printable(name[:80])}` has white space around it"
    elif close is not None:
        message += f"; did you mean `{close}`?"
    elif family:
        message += f"; there {'is' if len(family) == 1 else 'are'} {listed(family)}"
    fix = None
    if close is not None:
        own = step.written(_key(step)) is node
        if own and may_run(document, step, project, document.components[close]):
            edit = replace_scalar(document, node, close)
            fix = None if edit is None else Fix(f"Change to `{close}`", False, (edit,))
    return Problem(step.place(step.fields[_key(step)][1]), message, fix)


def _nearest(name: str, components: Iterable[str]) -> tuple[Sequence[str], str | None]:
    """Return the components of the family that a name means, and the one that it means, if any.

    The parts of a name are compared on their own, because most components end alike.
    """
    spelling, _, rest = name.partition(".")
    families: dict[str, list[str]] = {}
    for known in components:
        families.setdefault(known.partition(".")[0], []).append(known)
    if name in families.get(spelling, ()):
        return (), name
    close = nearest(spelling, families)
    family = families[close] if close is not None else []
    word = nearest(rest, [known.partition(".")[2] for known in family]) if rest else None
    return family, None if word is None else f"{close}.{word}"


def _key(step: Step) -> str:
    return "driver" if step.shape == "driver" else "component"
