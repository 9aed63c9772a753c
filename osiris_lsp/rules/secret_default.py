"""A variable for a secret has the secret as its default.

`${PASSWORD:-orange-tractor-9}` gives the secret away as plain text does, and hides that the
variable was never set. Leave the default out: a variable without a value is an error that names it.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      database: shop
      user: reader
      password: ${MYSQL_DEFAULT_PASSWORD:-orange-tractor-9}
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
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.secrets import ADVICE

CODE: Final = "OSR304"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield a problem at each default that is a secret."""
    for leak in document.leaks.get("secret-default", ()):
        yield Problem(leak.span, f"{leak.subject} is written out; {ADVICE}")
