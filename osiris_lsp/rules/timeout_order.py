"""The time limit for connecting is longer than the one for the whole.

`timeout` covers everything, so that it ends an attempt to connect before `connect_timeout` does.
The error then says nothing about the connection.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      database: shop
      user: reader
      password: ${MYSQL_DEFAULT_PASSWORD}
      connect_timeout: 60
      timeout: 30
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
      connect_timeout: 10
      timeout: 30
```
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Connection, ConnectionsDocument
from osiris_lsp.finding import Problem, Related, Severity
from osiris_lsp.project import Project
from osiris_lsp.tree import Scalar, deref, number

CODE: Final = "OSR117"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections",)
SOURCE: Final = "R-16"
ENTRYWISE: Final = True


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each `connect_timeout` that is longer than `timeout`."""
    seen: set[Scalar] = set()
    for entry in document.connections:
        connect, whole = _seconds(entry, "connect_timeout"), _seconds(entry, "timeout")
        if connect is None or whole is None or not connect[1] > whole[1] > 0:
            continue
        if connect[0] in seen:
            continue  # merges bring it into several connections
        seen.add(connect[0])
        message = (
            f"`connect_timeout` ({connect[1]:g} s) is longer than `timeout` ({whole[1]:g} s), "
            "which ends the attempt first; make it the shorter one"
        )
        related = (Related(whole[0].span, "the limit for the whole"),)
        yield Problem(connect[0].span, message, related=related)


def _seconds(entry: Connection, name: str) -> tuple[Scalar, float] | None:
    """Return a field of the family that is a number of seconds, or None."""
    if name not in entry.fields or entry.spec is None or name not in entry.spec.fields:
        return None
    value = deref(entry.fields[name][1])
    read = number(value) if isinstance(value, Scalar) else None
    return None if read is None or not isinstance(value, Scalar) else (value, read)
