"""An address has a password or a token in it.

Addresses end up in logs, error messages and lists of processes, and the password goes with them.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  postgres:
    default:
      dsn: postgresql://reader:orange-tractor-9@db.example.com/shop
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  postgres:
    default:
      dsn: postgresql://reader:${POSTGRES_DEFAULT_PASSWORD}@db.example.com/shop
```
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.secrets import remedy

CODE: Final = "OSR303"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield a problem at each password or token in an address."""
    for leak in document.leaks.get("url-credentials", ()):
        yield Problem(leak.span, f"{leak.subject} is written out; {remedy(leak)}")
