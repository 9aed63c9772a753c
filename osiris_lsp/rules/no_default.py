"""A family has no default connection.

A step that names only the family (`@mysql`), or no connection at all, gets the connection with
`default: true`, else the one named `default`. Without either the run stops. With a single
connection this is a hint only.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: ./data/local.duckdb
    archive:
      path: ./data/archive.duckdb
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

Fix: makes a single connection the default. Unsafe, because steps without a connection then use it.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from osiris_lsp.documents import Connection, ConnectionsDocument
from osiris_lsp.edits import add_fields
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import printable
from osiris_lsp.tree import Scalar, boolean, deref

CODE: Final = "OSR116"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections",)
SOURCE: Final = "CONN-003"
OUTLINE: Final = True


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each family of which no connection is the default."""
    families: dict[str, list[Connection]] = {}
    for entry in document.connections:
        families.setdefault(entry.family.canonical, []).append(entry)
    for name, entries in families.items():
        if any(entry.alias == "default" or _may_be_default(entry) for entry in entries):
            continue
        if any(document.is_unreadable(entry.key) for entry in entries):
            continue
        span = entries[0].family.key.span
        if len(entries) > 1:
            message = (
                f"no connection of `{printable(name)}` is the default; add `default: true` to one "
                f"of {_listed(entries)}"
            )
            yield Problem(span, message)
        elif "default" not in entries[0].fields:
            entry = entries[0]
            message = (
                f"`{printable(str(entry))}` is the only connection of its family but not its "
                f"default, so `@{printable(name)}` does not find it"
            )
            yield Problem(span, message, _fix(document, entry), severity="hint")


def _may_be_default(entry: Connection) -> bool:
    """Tell whether `default` is true, or a value that other rules report or the run decides."""
    if "default" not in entry.fields:
        return False
    value = deref(entry.fields["default"][1])
    return not isinstance(value, Scalar) or boolean(value) is not False


def _listed(entries: Sequence[Connection]) -> str:
    names = [f"`{printable(entry.alias)}`" for entry in entries[:6]]
    if len(entries) > 6:
        return f"{', '.join(names)} and {len(entries) - 6} more"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _fix(document: ConnectionsDocument, entry: Connection) -> Fix | None:
    if entry.node is None:
        return None
    edit = add_fields(document, entry.key, entry.value, [("default", "true")])
    title = f"Make `{printable(str(entry))}` the default"
    return None if edit is None else Fix(title, False, (edit,))
