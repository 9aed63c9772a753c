"""The name of a family cannot stand in a reference.

References have the form `@family.alias`, and each part is a lower-case letter followed by
lower-case letters, digits and underscores.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  MySQL:
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

Fix: takes the family that is meant where the connections have its fields. Unsafe, because it is a
guess.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.edits import rename_key
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import NAME
from osiris_lsp.specs import nearest
from osiris_lsp.text import printable

CODE: Final = "OSR106"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections",)
SOURCE: Final = "CONN-004"


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each family name that CONN-004 does not allow."""
    for entry in document.families:
        if NAME.fullmatch(entry.name):
            continue
        shown = printable(entry.name)
        spellings = document.known_families.spellings
        close = nearest(entry.name, spellings) if entry.spec is None else None
        if close is None:
            advice = "use lower-case letters, digits and `_`, and start with a letter"
            yield Problem(entry.key.span, f"`{shown}` cannot be the name of a family; {advice}")
            continue
        message = f"`{shown}` cannot be the name of a family; did you mean `{close}`?"
        edit = rename_key(entry.key, close) if document.may_be(entry, close) else None
        fix = Fix(f"Rename to `{close}`", False, (edit,)) if edit is not None else None
        yield Problem(entry.key.span, message, fix)
