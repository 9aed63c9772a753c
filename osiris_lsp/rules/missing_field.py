"""A connection lacks a field that its family needs.

Without it the connection cannot be opened. Where there are several ways to connect, as with `dsn`
or single fields, one of them must be complete.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      database: shop
      user: reader
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      database: shop
      user: reader
      password: ${MYSQL_DEFAULT_PASSWORD}
```

Fix: adds the missing fields as variables, `${FAMILY_ALIAS_FIELD}`. Unsafe, because the variables
must be set.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from osiris_lsp.configs import listed
from osiris_lsp.documents import Connection, ConnectionsDocument
from osiris_lsp.edits import add_fields
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import variable_name
from osiris_lsp.specs import FamilySpec, nearest
from osiris_lsp.text import printable
from osiris_lsp.tree import Map, Scalar

CODE: Final = "OSR109"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections",)
SOURCE: Final = "CONN-007"
ENTRYWISE: Final = True


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield one problem per connection, at its alias, with all fields that are missing."""
    for entry in document.connections:
        empty = isinstance(entry.value, Scalar) and entry.value.type == "null"
        if (
            entry.spec is None
            or document.is_unreadable(entry.key)
            or not (isinstance(entry.value, Map) or entry.node or empty)
        ):
            continue
        present = {entry.spec.canonical(name) for name in entry.fields}
        missing: list[str] = []
        groups: list[str] = []
        for group in entry.spec.requirements:
            lacking = _lacking(group, present, entry.spec)
            if lacking and not set(lacking) <= set(missing):
                missing += [name for name in lacking if name not in missing]
                groups.append(listed(lacking) + _instead(group, lacking, present))
        if not missing:
            continue
        verb = "are" if len(missing) > 1 else "is"
        message = f"{' and '.join(groups)} {verb} missing in `{printable(str(entry))}`"
        yield Problem(entry.key.span, message, _fix(document, entry, missing))


def _lacking(
    group: Sequence[tuple[str, ...]], present: set[str], spec: FamilySpec
) -> Sequence[str]:
    """Return what the alternative that is nearest to complete still lacks."""
    best: Sequence[str] | None = None
    most = -1
    for option in group:
        lacking = [name for name in option if spec.canonical(name) not in present]
        if not lacking:
            return ()
        given = len(option) - len(lacking)
        if given > most:
            best, most = lacking, given
    return best or ()


def _instead(group: Sequence[tuple[str, ...]], lacking: Sequence[str], present: set[str]) -> str:
    """Name the single fields that would do as well."""
    options = [[name for name in option if name not in present] for option in group]
    single = [option[0] for option in options if len(option) == 1 and option != list(lacking)]
    return f" (or {' or '.join(f'`{name}`' for name in single)})" if single else ""


def _fix(document: ConnectionsDocument, entry: Connection, missing: Sequence[str]) -> Fix | None:
    if any(item.kind == "unknown" and nearest(item.name, missing) for item in entry.violations):
        return None  # unknown-field renames it
    family = entry.family.name
    fields = [(name, f"${{{variable_name(family, entry.alias, name)}}}") for name in missing]
    if isinstance(entry.value, Map) and entry.value.flow:
        fields = [(name, f'"{text}"') for name, text in fields]
    edit = add_fields(document, entry.key, entry.value, fields)
    title = f"Add {listed(missing)} as {'variables' if len(missing) > 1 else 'a variable'}"
    return None if edit is None else Fix(title, False, (edit,))
