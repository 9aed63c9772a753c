"""Config values do not go together.

The component's spec says what one value demands of others; the driver stops where that is not met.

Example:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: fetch-orders
    component: graphql.extractor
    mode: read
    config:
      endpoint: https://shop.example.com/graphql
      query: "{ orders { id } }"
      auth_type: bearer
```

Use instead:
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: fetch-orders
    component: graphql.extractor
    mode: read
    config:
      connection: "@graphql.shop"
      query: "{ orders { id } }"
      auth_type: bearer
```
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import is_connected, is_half_typed, listed, unmet, values_of
from osiris_lsp.documents import PipelineDocument, Step
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.specs import Constraint
from osiris_lsp.text import printable

CODE: Final = "OSR233"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = ""
ENTRYWISE: Final = True


_LONGEST: Final = 200


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem per constraint of the component's spec that a config does not meet."""
    for step in document.modern_steps:
        if step.spec is None or step.config is None or not step.spec.own_constraints:
            continue
        if is_half_typed(document, step):
            continue
        connected = is_connected(document, step, project)
        values = values_of(step)
        for constraint, key in unmet(step.spec, values, connected):
            if not connected and _is_about_connection(step, constraint):
                continue
            node = values[key] if key is not None else step.fields["config"][0]
            yield Problem(node.span, _message(constraint))


def _is_about_connection(step: Step, constraint: Constraint) -> bool:
    """Tell whether only a connection is missing, which `missing-config-key` reports."""
    spec = step.spec
    if spec is None or step.config is None:
        return False
    fields = spec.connection_fields
    lacks = any(name in fields and name not in step.config.fields for name in spec.required)
    return lacks and {*constraint.when, *constraint.must} <= set(fields)


def _message(constraint: Constraint) -> str:
    text = printable(" ".join(constraint.error.split())).rstrip(".")[:_LONGEST]
    if text:
        return text[0].lower() + text[1:] if text[1:2].islower() else text
    keys = listed([printable(key) for key in constraint.must])
    return f"{keys} must go with {listed([printable(key) for key in constraint.when])}"
