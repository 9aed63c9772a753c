"""A field has an older spelling.

It still works. The current spelling is the one that the documentation, the messages and other tools
use, and two spellings of one field in a file are easily taken for two fields.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      database: shop
      username: reader
      password: ${MYSQL_DEFAULT_PASSWORD}
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

Fix: renames the field. Safe, because both spellings mean the same.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.edits import rename_key
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import properties, spelling, violations
from osiris_lsp.specs import Schema
from osiris_lsp.tree import Map, Scalar

CODE: Final = "OSR113"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections",)
SOURCE: Final = "R-01"


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield one problem per key with an older spelling; two spellings are conflicting-fields'."""
    found: dict[int, tuple[Scalar, str, bool]] = {}
    for entry in document.connections:
        for mapping, schema in entry.mappings:
            for key, canonical in _old(mapping, schema):
                # A key that merges bring into several connections is renamed only if all allow it.
                renames = _renames(mapping, schema, key, canonical)
                known = found.get(key.start)
                found[key.start] = (key, canonical, renames and (known is None or known[2]))
    for key, canonical, renames in found.values():
        edit = rename_key(key, canonical) if renames else None
        fix = Fix(f"Rename to `{canonical}`", True, (edit,)) if edit is not None else None
        message = f"`{key.value}` is an older spelling of `{canonical}`"
        yield Problem(key.span, message, fix)


def _old(mapping: Map, schema: Schema) -> Iterator[tuple[Scalar, str]]:
    """Yield the keys with an older spelling that are the only ones of their field."""
    current = {name: spelling(schema, name) for name in mapping.fields}
    for name, canonical in current.items():
        if canonical != name and list(current.values()).count(canonical) == 1:
            yield mapping.fields[name][0], canonical


def _renames(mapping: Map, schema: Schema, key: Scalar, canonical: str) -> bool:
    """Tell whether the value may stand under the current spelling as it is."""
    target = properties(schema).get(canonical, {})
    return not any(violations(mapping.fields[key.value][1], target, canonical))
