"""A reference names a family that has no connection.

The run stops at this step, after the steps before it did their work.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    prod:
      host: db.example.com
      database: shop
      user: reader
      password: ${MYSQL_PROD_PASSWORD}
```
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config:
      connection: "@mysqll.prod"
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

Fix: takes the nearest family that has such an alias. Unsafe, because another connection is used.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Final

from osiris_lsp.configs import listed, owns
from osiris_lsp.documents import ConnectionsDocument, PipelineDocument, Step
from osiris_lsp.edits import replace_scalar
from osiris_lsp.finding import Fix, Problem, Related, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import NAME, Reference
from osiris_lsp.specs import nearest
from osiris_lsp.text import Span, printable
from osiris_lsp.tree import Scalar

CODE: Final = "OSR218"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = "CONN-004"
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each reference whose family has no connection in the file."""
    connections = project.connections_for(document.path) if document.references else None
    if connections is None or connections.is_broken(0, len(connections.text)):
        return
    profile = project.settings.profile
    for step in document.references:
        node, reference = step.connection, step.readable(profile)
        if node is None or reference is None or connections.of_family(reference.family):
            continue
        if step.misfit(project.families) is None:
            yield _problem(document, project, connections, step, node, reference)


def _problem(
    document: PipelineDocument,
    project: Project,
    connections: ConnectionsDocument,
    step: Step,
    node: Scalar,
    reference: Reference,
) -> Problem:
    file = os.path.basename(connections.path)
    used = tuple(dict.fromkeys(entry.family.name for entry in connections.connections))
    entry = next((item for item in connections.families if item.name == reference.family), None)
    close = nearest(reference.family, used)
    fix = None
    if entry is not None:
        message = f"the family `{reference.family}` has no connections in {file}"
    elif project.families.find(reference.family) is not None:
        message = f"{file} has no connection of the family `{reference.family}`"
    else:
        message = f"`{reference.family}` is no family in {file}"
    if close is not None and entry is None:
        message += f"; did you mean `{printable(close)}`?"
        wanted = Reference(close, reference.alias, True)
        fix = _fix(document, project, connections, step, node, wanted)
    elif used:
        message += f"; there {_are(used)} {listed([printable(name) for name in used])}"
    key = entry.key if entry is not None else connections.key("connections")
    span = key.span if key is not None else Span(0, 0)
    related = (Related(span, "connections are defined here", connections.path),)
    return Problem(node.span, message, fix, related)


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _fix(
    document: PipelineDocument,
    project: Project,
    connections: ConnectionsDocument,
    step: Step,
    node: Scalar,
    wanted: Reference,
) -> Fix | None:
    """Take the near family where that reference can be resolved."""
    found = connections.resolve(wanted)
    if found is None or not NAME.fullmatch(found.alias) or not NAME.fullmatch(wanted.family):
        return None
    if not owns(step, "connection") or step.misfit(project.families, wanted) is not None:
        return None
    meant = f"@{wanted.family}.{found.alias}"
    edit = replace_scalar(document, node, meant)
    return None if edit is None else Fix(f"Change to `{meant}`", False, (edit,))
