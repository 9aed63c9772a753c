"""A reference names a family without an alias.

It means the connection of the family with `default: true`, else the one named `default`. The run
changes when another connection becomes the default. The Osiris runtime cannot read this form, so
with the profile `osiris-runtime` it is an error.

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
      default: true
```
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config:
      connection: "@mysql"
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

Fix: writes the alias. Unsafe, because the step no longer follows the default.
"""

import os
from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import owns
from osiris_lsp.documents import PipelineDocument
from osiris_lsp.edits import replace_scalar
from osiris_lsp.finding import Fix, Problem, Related, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import parse_reference
from osiris_lsp.text import printable

CODE: Final = "OSR217"
SEVERITY: Final[Severity] = "hint"
KINDS: Final = ("pipeline",)
SOURCE: Final = "R-08"
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each bare reference that has a default to mean."""
    bare = [step for step in document.references if step.reference and not step.reference.alias]
    connections = project.connections_for(document.path) if bare else None
    if connections is None:
        return
    profile = project.settings.profile
    runtime = profile == "osiris-runtime"
    for step in bare:
        node, reference = step.connection, step.readable(profile)
        if node is None or reference is None or step.misfit(project.families) is not None:
            continue
        entry = connections.default_of(reference.family)
        if entry is None:
            continue
        meant = f"@{reference.family}.{entry.alias}"
        message = f"`{reference}` is `{printable(meant)}`, the default of its family"
        if runtime:
            message = f"`{reference}` has no alias, which Osiris needs; write `{printable(meant)}`"
        fix = None
        edit = replace_scalar(document, node, meant)
        parsed = parse_reference(meant)
        if edit is not None and parsed is not None and parsed.strict and owns(step, "connection"):
            fix = Fix(f"Change to `{meant}`", False, (edit,))
        place = f"defined in {os.path.basename(connections.path)}"
        related = (Related(entry.key.span, place, connections.path),)
        severity: Severity | None = "error" if runtime else None
        yield Problem(node.span, message, fix, related, severity)
