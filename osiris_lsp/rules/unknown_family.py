"""A connections file names a family that does not exist.

A family says which kind of system a connection leads to. No component uses connections of an
unknown one, and their fields are not checked.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysq:
    default:
      host: db.example.com
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
      database: shop
      user: reader
      password: ${MYSQL_DEFAULT_PASSWORD}
```

Fix: takes the nearest family where the connections have its fields. Unsafe, because it is a guess.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.edits import rename_key
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import NAME
from osiris_lsp.specs import nearest

CODE: Final = "OSR105"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections",)
SOURCE: Final = "R-30"


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each well-formed family name that no schema defines."""
    families = document.known_families
    for entry in document.families:
        if entry.spec is not None or NAME.fullmatch(entry.name) is None:
            continue
        close = nearest(entry.name, families.spellings)
        if close is None:
            listed = ", ".join(f"`{name}`" for name in families)
            yield Problem(entry.key.span, f"`{entry.name}` is no known family; there is {listed}")
            continue
        message = f"`{entry.name}` is no known family; did you mean `{close}`?"
        edit = rename_key(entry.key, close) if document.may_be(entry, close) else None
        fix = Fix(f"Rename to `{close}`", False, (edit,)) if edit is not None else None
        yield Problem(entry.key.span, message, fix)
