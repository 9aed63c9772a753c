"""A step uses a connection of another family than its component's.

The driver gets the fields of the wrong kind of system, and stops at the first that it misses. The
family of a component is the first part of its name.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    main: {host: db.example.com, database: shop, user: reader, password: "${MYSQL_MAIN_PASSWORD}"}
  supabase:
    main: {url: https://shop.supabase.co, service_role_key: "${SUPABASE_MAIN_SERVICE_ROLE_KEY}"}
```
```yaml pipelines/orders.yaml
oml_version: "0.1.0"
name: orders
steps:
  - id: extract-orders
    component: mysql.extractor
    mode: read
    config:
      connection: "@supabase.main"
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
      connection: "@mysql.main"
      table: orders
```

Fix: takes the connection of the right family with the same alias, or the only one. Unsafe, because
another connection is used.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.configs import owns
from osiris_lsp.documents import PipelineDocument, Step
from osiris_lsp.edits import replace_scalar
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import NAME, Reference
from osiris_lsp.text import printable

CODE: Final = "OSR221"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = "CONN-004"
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each reference to a connection of another family."""
    profile = project.settings.profile
    for step in document.references:
        node, reference = step.connection, step.readable(profile)
        if node is None or reference is None or step.component is None:
            continue
        misfit = step.misfit(project.families)
        if misfit is None:
            continue
        wanted = misfit[0]
        component = printable(step.component.value)
        message = f"`{component}` needs a connection of the family `{wanted}`, not `{reference}`"
        fix = None
        meant = _meant(document, project, step, reference)
        if meant is not None:
            message += f"; did you mean `{meant}`?"
            edit = replace_scalar(document, node, meant)
            if edit is not None and owns(step, "connection"):
                fix = Fix(f"Change to `{meant}`", False, (edit,))
        yield Problem(node.span, message, fix)


def _meant(
    document: PipelineDocument, project: Project, step: Step, reference: Reference
) -> str | None:
    """Return the reference of the right family that is meant, where that can be told."""
    connections = project.connections_for(document.path)
    if connections is None or step.component is None:
        return None
    family = step.spec.family_spelling if step.spec else step.component.value.partition(".")[0]
    entries = connections.of_family(family)
    same = [entry for entry in entries if entry.alias == reference.alias]
    found = (same or entries) if len(same or entries) == 1 else ()
    if not found or not NAME.fullmatch(found[0].alias):
        return None
    return f"@{family}.{found[0].alias}"
