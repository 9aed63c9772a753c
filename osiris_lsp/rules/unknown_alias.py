"""A reference names an alias that its family does not have.

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
      connection: "@mysql.prodd"
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

Fix: takes the nearest alias of the family. Unsafe, because another connection is used.
"""

import os
from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import PipelineDocument
from osiris_lsp.edits import replace_scalar
from osiris_lsp.finding import Fix, Problem, Related, Severity
from osiris_lsp.project import Project
from osiris_lsp.specs import nearest

CODE: Final = "OSR219"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = "CONN-004"
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each reference whose family exists and whose alias does not."""
    connections = project.connections_for(document.path)
    if connections is None:
        return
    for step in document.references:
        node, reference = step.connection, step.readable(project.settings.profile)
        if node is None or reference is None or reference.alias is None:
            continue
        if step.misfit(project.families) is not None:
            continue
        known = connections.of_family(reference.family)
        if not known or connections.find(reference.family, reference.alias) is not None:
            continue
        names = [entry.alias for entry in known]
        close = nearest(reference.alias, names)
        listed = ", ".join(f"`@{reference.family}.{name}`" for name in names)
        message = f"`{reference}` is not defined in {os.path.basename(connections.path)}"
        message += (
            f"; did you mean `@{reference.family}.{close}`?" if close else f"; there is {listed}"
        )
        fix = None
        if close is not None:
            edit = replace_scalar(document, node, f"@{reference.family}.{close}")
            if edit is not None:
                fix = Fix(f"Change to `@{reference.family}.{close}`", False, (edit,))
        family = known[0].family
        related = (Related(family.key.span, "connections are defined here", connections.path),)
        yield Problem(node.span, message, fix, related)
