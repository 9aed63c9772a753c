"""A certificate or key file that a connection names does not exist.

The connection cannot be opened. Paths are relative to the folder of the connections file, and only
files inside the project are looked at. This rule depends on more than the text, so it runs only
with `--check-env`.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      database: shop
      user: reader
      password: ${DB_PASSWORD}
      ssl: true
      ssl_ca: certs/ca.pem
```

Use instead:
```yaml certs/ca.pem
-----BEGIN CERTIFICATE-----
```
"""

import os
from collections.abc import Iterator
from typing import Final

from osiris_lsp.discovery import is_inside
from osiris_lsp.documents import Connection, ConnectionsDocument
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import has_variable
from osiris_lsp.text import printable
from osiris_lsp.tree import Map, Scalar, deref

CODE: Final = "OSR406"
SEVERITY: Final[Severity] = "info"
KINDS: Final = ("connections",)
SOURCE: Final = "R-23"

_NAMES: Final = ("ca", "cert", "key")


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield the paths of TLS files inside the project that lead to no file."""
    if "ssl" not in document.text:
        return
    folder = os.path.dirname(document.path)
    for entry in document.connections:
        for name, node in _paths(entry):
            written = node.value
            if written.startswith(("\\", "//", "~")) or has_variable(written) or "\0" in written:
                continue
            path = os.path.join(folder, written)
            if is_inside(path, project.root) and not project.ask(path).is_file:
                message = f"`{name}` names `{printable(written)}`, which is no file"
                yield Problem(node.inner, message)


def _paths(entry: Connection) -> Iterator[tuple[str, Scalar]]:
    nested = entry.node.get("ssl") if entry.node is not None else None
    fields = [(f"ssl_{name}", entry.fields.get(f"ssl_{name}")) for name in _NAMES]
    if isinstance(nested, Map):
        fields += [(name, nested.fields.get(name)) for name in _NAMES]
    for name, field in fields:
        node = deref(field[1]) if field is not None else None
        if isinstance(node, Scalar) and node.type == "str" and node.value:
            yield name, node
