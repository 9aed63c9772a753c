"""A config holds a key that the component does not have.

Osiris refuses the pipeline, or the driver ignores the key and works with its default.

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
      tabel: orders
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
```

Fix: takes the nearest key, or the one for which the component knows this word. Unsafe, because
another key is set.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import is_connected, leaves_base, listed, may_set, misspelt, owns
from osiris_lsp.documents import PipelineDocument, Step
from osiris_lsp.edits import rename_key
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import parse_reference
from osiris_lsp.specs import nearest
from osiris_lsp.text import printable
from osiris_lsp.tree import Node, Scalar, deref

CODE: Final = "OSR222"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


_OF_THE_STEP: Final = frozenset(("id", "component", "driver", "mode", "needs", "inputs", "config"))
_FEW: Final = 8


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each key that neither the component nor its connection knows."""
    for step in document.modern_steps:
        if step.spec is None or step.config is None or not step.violations:
            continue
        for name, close in misspelt(step).items():
            key, value = step.config.fields[name]
            shown = f"`{printable(name)}`" if name.strip() else "an empty key"
            message = f"{shown} is no config key of `{printable(step.spec.name)}`"
            if close is not None and close in step.config.fields:
                message += f"; it means `{close}`, which is given too"
            elif close in step.spec.connection_fields and is_connected(document, step, project):
                message += f"; `{close}` comes from the connection"
            elif close is not None:
                message += f"; did you mean `{close}`?"
            elif name in _OF_THE_STEP:
                message += "; it belongs to the step, beside `config`"
            elif 0 < len(step.spec.known) <= _FEW:
                message += f"; there is {listed(tuple(step.spec.known))}"
            fix = None
            if close is not None and _is_sound(document, step, project, name, close, deref(value)):
                edit = rename_key(key, close)
                if edit is not None:
                    fix = Fix(f"Rename to `{close}`", False, (edit,))
            yield Problem(key.span, message, fix)
        yield from _nested(step)


def _nested(step: Step) -> Iterator[Problem]:
    for item in step.violations:
        if item.kind == "unknown" and len(item.path) > 1:
            close = nearest(item.name, item.choices)
            yield Problem(item.span, item.message + (f"; did you mean `{close}`?" if close else ""))


def _is_sound(
    document: PipelineDocument, step: Step, project: Project, name: str, close: str, value: Node
) -> bool:
    """Tell whether the renamed key is right as it stands, so that no other finding follows."""
    if step.config is None or close in step.config.fields or not owns(step, name):
        return False
    if close != "connection":
        return may_set(document, step, project, close, value, name)
    path = step.option("path")
    if isinstance(path, Scalar) and leaves_base(path.value, None):
        return False
    reference = parse_reference(value.value) if isinstance(value, Scalar) else None
    connections = project.connections_for(document.path)
    if reference is None or reference.alias is None or not reference.strict or connections is None:
        return False
    spelling = step.spec.family_spelling if step.spec is not None else ""
    return (
        connections.find(reference.family, reference.alias) is not None
        and project.families.canonical(reference.family) == project.families.canonical(spelling)
        and step.spec is not None
        and not any(
            step.spec.connection_fields.get(key, "allowed") != "allowed"
            for key in step.config.fields
        )
    )
