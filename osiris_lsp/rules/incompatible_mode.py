"""A step asks a component for something that it cannot do.

The spec of a component lists what it can do: `extract` serves `mode: read`, `write` serves
`mode: write`, `transform` serves `mode: transform`. Osiris refuses to compile anything else.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: write
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

Fix: takes the only mode that the component supports. Unsafe, because the component may be what is
wrong.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import MODES, PipelineDocument
from osiris_lsp.edits import replace_scalar
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.specs import load_schema

CODE: Final = "OSR213"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each mode that the component of the step does not have."""
    for step in document.modern_steps:
        node, spec = step.scalar("mode"), step.spec
        if node is None or spec is None or step.shape == "driver" or node.value not in MODES:
            continue
        if node.value in spec.step_modes or not _is_valid(spec.modes):
            continue
        modes = spec.step_modes
        can = " or ".join(f"`{mode}`" for mode in modes)
        message = f"`{spec.name}` cannot `{node.value}`; "
        message += f"it can {can}" if can else "no mode of a step fits it"
        fix = None
        if len(modes) == 1 and step.written("mode") is node:
            edit = replace_scalar(document, node, modes[0])
            fix = None if edit is None else Fix(f"Change to `{modes[0]}`", False, (edit,))
        yield Problem(step.place(step.fields["mode"][1]), message, fix)


def _is_valid(modes: tuple[str, ...]) -> bool:
    """Tell whether a spec lists modes that exist; others are reported in the spec itself."""
    known = load_schema("component")["properties"]["modes"]["items"]["enum"]
    return bool(modes) and set(modes) <= set(known)
