"""A connection has a field that its family does not know.

The driver does not read it. Mostly it is a misspelling, so that the field which is meant is
missing.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      prot: 3307
      database: shop
      user: reader
      password: ${MYSQL_DEFAULT_PASSWORD}
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      port: 3307
      database: shop
      user: reader
      password: ${MYSQL_DEFAULT_PASSWORD}
```

Fix: takes the nearest field that is not there yet and that allows the value. Unsafe, because it is
a guess.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Connection, ConnectionsDocument
from osiris_lsp.edits import rename_key
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import literal_secrets
from osiris_lsp.schema import Violation, violations
from osiris_lsp.specs import Section, nearest
from osiris_lsp.text import printable
from osiris_lsp.tree import Map, Scalar, deref

CODE: Final = "OSR112"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections",)
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield one problem per key of a connection, or inside one, that has no schema."""
    found: dict[int, Problem] = {}
    for entry in document.connections:
        unknown = [item for item in entry.violations if item.kind == "unknown"]
        if not unknown:
            continue
        places = {
            id(key): (mapping, section)
            for mapping, section in entry.sections
            for key, _ in mapping.fields.values()
        }
        offered: set[tuple[object, ...]] = set()
        for item in unknown:
            key = item.node
            if isinstance(key, Scalar):
                mapping, section = places.get(id(key), (None, None))
                problem = _problem(entry, item, key, mapping, section, offered)
                # Merges may bring a key into several connections: all of them must allow the fix.
                known = found.setdefault(id(key), problem)
                if known != problem:
                    found[id(key)] = known._replace(fix=None)
    yield from found.values()


def _problem(
    entry: Connection,
    item: Violation,
    key: Scalar,
    mapping: Map | None,
    section: Section | None,
    offered: set[tuple[object, ...]],
) -> Problem:
    """Return the problem of a key; `offered` holds what was offered for its neighbours."""
    message = item.message
    if not message:
        message = f"`{printable(key.value)}` is no field of {entry.family.canonical} connections"
    if mapping is None or section is None:
        return Problem(key.span, message)
    close = _meant(key.value, mapping, section)
    if close is None:
        return Problem(key.span, message)
    message += f"; did you mean `{close}`?"
    if (id(mapping), close) in offered or not _allows(section, close, mapping, key.value):
        return Problem(key.span, message)
    offered.add((id(mapping), close))
    edit = rename_key(key, close)
    fix = Fix(f"Rename to `{close}`", False, (edit,)) if edit is not None else None
    return Problem(key.span, message, fix)


def _meant(name: str, mapping: Map, section: Section) -> str | None:
    """Return the field that a misspelt one stands for, in its current spelling."""
    current = {field: section.spelling(field) for field in section.fields}
    present = {current[field] for field in mapping.fields if field in current}
    close = nearest(name, [field for field, name in current.items() if name not in present])
    return None if close is None else current[close]


def _allows(section: Section, name: str, mapping: Map, old: str) -> bool:
    """Tell whether a field may have the value of another one, beside the fields that are there."""
    value = deref(mapping.fields[old][1])
    field = section.fields.get(name, {})
    if any(violations(value, field, name)):
        return False
    secret = field.get("writeOnly") is True and isinstance(value, Scalar)
    if secret and isinstance(value, Scalar) and literal_secrets(value.value):
        return False
    groups = [group for group in section.conflicts if name in group]
    return not any(other in mapping.fields for group in groups for other in group)
