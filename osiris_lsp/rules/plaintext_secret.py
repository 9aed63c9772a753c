"""A secret has its value written out.

Whoever can read the file, or any commit that ever held it, has the secret. A reference such as
`${MYSQL_DEFAULT_PASSWORD}` leaves it outside. A secret that was stored once must be changed at its
source, because removing it from the file does not remove it from the history. A field that a family
or a component declares secret takes no literal, however weak; elsewhere the name of the key tells,
and so do `password=` in connection strings, headers, SQL and options of commands. Keys that are
meant to be public, placeholders and references to secret stores are not reported; a line with
`# pragma: allowlist secret` is not either.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      database: shop
      user: reader
      password: orange-tractor-9
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
from osiris_lsp.secrets import remedy

CODE: Final = "OSR301"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = "CONN-002"
ENTRYWISE: Final = True


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield a problem at each written-out part of a secret, once where aliases repeat it."""
    for leak in document.leaks.get("plaintext-secret", ()):
        yield Problem(leak.span, f"{leak.subject} is written out; {remedy(leak)}")
