"""A step has the form from before OML: `type` names its component.

Osiris no longer compiles such a pipeline. A step now has an `id`, a `component` and a `mode`, and
its connection stands in osiris_connections.yaml. Nothing else of the step is checked.

Example:
```yaml pipelines/orders.yaml
steps:
  - type: mysql.extractor
    config:
      table: orders
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
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import listed
from osiris_lsp.documents import PipelineDocument
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project

CODE: Final = "OSR208"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at the key `type` of each legacy step."""
    for step in document.steps:
        if not step.is_legacy:
            continue
        key = step.fields["type"][0]
        message = "`type` is from before OML; write `component` and `mode` instead"
        if step.spec is not None and step.spec.step_modes:
            lines = [f"component: {step.spec.name}", f"mode: {step.spec.step_modes[0]}"]
            message = f"`type` is from before OML; write {listed(lines)} instead"
        yield Problem(step.place(key), message)
