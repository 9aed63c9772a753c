"""A comment holds a secret.

Commented-out settings stay in the file and in its history. Tokens, keys and addresses with a
password are found anywhere in a comment, and `key: value` where the comment holds nothing else.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      database: shop
      user: reader
      # password: orange-tractor-9
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
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.secrets import ADVICE

CODE: Final = "OSR306"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield a problem at each secret in a comment."""
    for leak in document.leaks.get("secret-in-comment", ()):
        yield Problem(leak.span, f"{leak.subject} is written out in a comment; {ADVICE}")
