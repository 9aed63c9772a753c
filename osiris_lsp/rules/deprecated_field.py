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
from osiris_lsp.schema import violations
from osiris_lsp.specs import Section
from osiris_lsp.tree import Map, Scalar, boolean, deref

CODE: Final = "OSR113"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections",)
SOURCE: Final = "R-01"
ENTRYWISE: Final = True


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield one problem per key with an older spelling; two spellings are conflicting-fields'."""
    found: dict[int, tuple[Scalar, str, bool]] = {}
    for entry in document.connections:
        for mapping, section in entry.sections:
            for key, canonical in _old(mapping, section):
                # A key that merges bring into several connections is renamed only if all allow it.
                renames = _renames(mapping, section, key, canonical)
                known = found.get(key.start)
                found[key.start] = (key, canonical, renames and (known is None or known[2]))
    for key, canonical, renames in found.values():
        edit = rename_key(key, canonical) if renames else None
        fix = Fix(f"Rename to `{canonical}`", True, (edit,)) if edit is not None else None
        message = f"`{key.value}` is an older spelling of `{canonical}`"
        yield Problem(key.span, message, fix)


def _old(mapping: Map, section: Section) -> Iterator[tuple[Scalar, str]]:
    """Yield the keys with an older spelling that are the only ones of their field."""
    if mapping.fields.keys().isdisjoint(section.current):
        return
    spellings = [section.spelling(name) for name in mapping.fields]
    for name, (key, _) in mapping.fields.items():
        canonical = section.spelling(name)
        if canonical != name and spellings.count(canonical) == 1:
            yield key, canonical


def _renames(mapping: Map, section: Section, key: Scalar, canonical: str) -> bool:
    """Tell whether the value may stand under the current spelling as it is."""
    value = deref(mapping.fields[key.value][1])
    if isinstance(value, Scalar) and boolean(value) is False:
        return False  # a switch that is off is reported under its current name only
    return not any(violations(value, section.fields.get(canonical, {}), canonical))
