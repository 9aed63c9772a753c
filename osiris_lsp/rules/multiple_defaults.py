"""A family has more than one default connection.

A step that names only the family, or no connection at all, gets the default. With two of them there
is none, and the run stops.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: ./data/local.duckdb
      default: true
    archive:
      path: ./data/archive.duckdb
      default: true
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: ./data/local.duckdb
      default: true
    archive:
      path: ./data/archive.duckdb
```

Fix: removes `default` from all but the first. Unsafe, because another one may be meant.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Connection, ConnectionsDocument
from osiris_lsp.edits import remove_field
from osiris_lsp.finding import Fix, Problem, Related, Severity
from osiris_lsp.project import Project
from osiris_lsp.tree import Map

CODE: Final = "OSR115"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections",)
SOURCE: Final = "CONN-003"
OUTLINE: Final = True


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each default of a family after the first."""
    first: dict[str, Connection] = {}
    for entry in document.connections:
        if entry.default is None:
            continue
        other = first.setdefault(entry.family.canonical, entry)
        if other is entry:
            continue
        key = entry.fields["default"][0]
        own = entry.node is not None and any(pair[0] is key for pair in entry.node.pairs)
        span = key.span if own and isinstance(entry.value, Map) else entry.key.span
        message = f"`{entry}` is a default too; `{other}` already is, and a family has only one"
        related = (Related(other.fields["default"][0].span, f"`{other}` is the default here"),)
        yield Problem(span, message, _fix(document, entry) if own else None, related)


def _fix(document: ConnectionsDocument, entry: Connection) -> Fix | None:
    if not isinstance(entry.value, Map):
        return None
    edit = remove_field(document, entry.value, entry.fields["default"][0])
    return None if edit is None else Fix("Remove this `default`", False, (edit,))
