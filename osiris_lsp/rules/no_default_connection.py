"""A step leaves the alias to a family that has no default connection.

The default is the connection with `default: true`, else the one named `default`. Without one, or
with two, `@mysql` means nothing, and neither does a step that names no connection at all.

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

Fix: names the connection where the family has only one. Unsafe, because Osiris then uses it.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from osiris_lsp.configs import listed, owns
from osiris_lsp.documents import Connection, ConnectionsDocument, PipelineDocument, Step
from osiris_lsp.edits import add_fields, replace_scalar
from osiris_lsp.finding import Fix, Problem, Related, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import NAME
from osiris_lsp.schema import is_unknown
from osiris_lsp.text import printable
from osiris_lsp.tree import deref

CODE: Final = "OSR220"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("pipeline",)
SOURCE: Final = "CONN-003"
ENTRYWISE: Final = True


def check(document: PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each step that needs a default connection which does not exist."""
    connections = project.connections_for(document.path)
    if connections is None or connections.is_broken(0, len(connections.text)):
        return
    profile = project.settings.profile
    for step in document.modern_steps:
        reference = step.readable(profile)
        if reference is not None:
            if reference.alias is None and step.misfit(project.families) is None:
                yield from _bare(document, connections, step, reference.family)
        elif step.lacks_connection and step.spec is not None:
            yield from _unnamed(document, connections, step, step.spec.family_spelling)


def _bare(
    document: PipelineDocument, connections: ConnectionsDocument, step: Step, family: str
) -> Iterator[Problem]:
    entries = connections.of_family(family)
    node = step.connection
    if not _has_no_default(connections, entries, family) or node is None:
        return
    message = f"`@{family}` has {_why(entries, family)}"
    fix = None
    if len(entries) == 1 and NAME.fullmatch(entries[0].alias) and owns(step, "connection"):
        meant = f"@{family}.{entries[0].alias}"
        edit = replace_scalar(document, node, meant)
        fix = None if edit is None else Fix(f"Change to `{meant}`", False, (edit,))
    yield Problem(node.span, message, fix, _related(connections, entries))


def _unnamed(
    document: PipelineDocument, connections: ConnectionsDocument, step: Step, family: str
) -> Iterator[Problem]:
    entries = connections.of_family(family)
    node = step.component
    if not _has_no_default(connections, entries, family) or node is None:
        return
    message = f"{printable(step.label)} names no connection, and "
    message += f"`{family}` has {_why(entries, family)}"
    fix = None
    meant = f"@{family}.{entries[0].alias}"
    config = step.written_config
    if len(entries) == 1 and config is not None and NAME.fullmatch(entries[0].alias):
        key, value = config
        given = step.config.fields if step.config is not None else {}
        clash = step.spec is not None and not step.spec.connection_fields.keys().isdisjoint(given)
        edit = add_fields(document, key, value, [("connection", f'"{meant}"')])
        if edit is not None and not clash:
            fix = Fix(f'Add `connection: "{meant}"`', False, (edit,))
    yield Problem(step.place(node), message, fix, _related(connections, entries))


def _has_no_default(
    connections: ConnectionsDocument, entries: Sequence[Connection], family: str
) -> bool:
    """Tell whether a family has connections of which none, or more than one, is the default."""
    if not entries or connections.default_of(family) is not None:
        return False
    flags = [deref(entry.fields["default"][1]) for entry in entries if "default" in entry.fields]
    return not any(is_unknown(flag) for flag in flags)


def _why(entries: Sequence[Connection], family: str) -> str:
    flagged = [f"@{family}.{entry.alias}" for entry in entries if entry.default is not None]
    if flagged:
        return f"{len(flagged)} defaults: {listed([printable(name) for name in flagged])}"
    names = [printable(f"@{family}.{entry.alias}") for entry in entries]
    return f"no default; name {' or '.join(f'`{name}`' for name in names[:6])}"


def _related(
    connections: ConnectionsDocument, entries: Sequence[Connection]
) -> tuple[Related, ...]:
    span = entries[0].family.key.span
    return (Related(span, "connections are defined here", connections.path),)
