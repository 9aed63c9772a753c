"""The TLS settings of a connection lack a part, or contradict each other.

A client certificate works only together with its private key, and none of the `ssl_*` files is read
while TLS is switched off.

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
      ssl_cert: certs/client.pem
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
      password: ${DB_PASSWORD}
      ssl: true
      ssl_cert: certs/client.pem
      ssl_key: certs/client.key
```

Fix: switches TLS on where it is off although its files are named. Unsafe, because the server may
not speak TLS.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Connection, ConnectionsDocument
from osiris_lsp.finding import Edit, Fix, Problem, Related, Severity
from osiris_lsp.project import Project
from osiris_lsp.tree import Map, Scalar, boolean, deref

CODE: Final = "OSR404"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections",)
SOURCE: Final = "R-23"
ENTRYWISE: Final = True

_FILES: Final = ("ssl_ca", "ssl_cert", "ssl_key")
_SWITCHES: Final = ("ssl", "tls", "require_ssl", "sslmode")


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield connections whose TLS settings cannot work together."""
    if "ssl" not in document.text:
        return
    for entry in document.connections:
        if entry.spec is not None and entry.node is not None:
            off = _switched_off(entry)
            if off is not None:
                yield off
                continue
            yield from _pair(entry, entry.node, "ssl_cert", "ssl_key")
            nested = entry.node.get("ssl")
            if isinstance(nested, Map):
                yield from _pair(entry, nested, "cert", "key")


def _switched_off(entry: Connection) -> Problem | None:
    files = [name for name in _FILES if name in entry.fields]
    for name in _SWITCHES if files else ():
        node = deref(entry.fields[name][1]) if name in entry.fields else None
        if not isinstance(node, Scalar):
            continue
        if boolean(node) is False or (name == "sslmode" and node.value == "disable"):
            listed = " and ".join(f"`{file}`" for file in files)
            verb = "have" if len(files) > 1 else "has"
            message = f"`{name}: {node.value}` switches TLS off, so {listed} {verb} no effect"
            fix = None
            complete = ("ssl_cert" in files) == ("ssl_key" in files)
            if name != "sslmode" and complete and node is entry.fields[name][1]:
                fix = Fix(f"Set `{name}: true`", False, (Edit(node.start, node.end, "true"),))
            related = Related(entry.fields[files[0]][0].span, f"`{files[0]}` is set here")
            return Problem(node.span, message, fix, (related,))
    return None


def _pair(entry: Connection, mapping: Map, cert: str, key: str) -> Iterator[Problem]:
    nested = entry.node.get("ssl") if entry.node is not None else None
    inner = nested.fields if isinstance(nested, Map) else {}
    for name, other in ((cert, key), (key, cert)):
        if name not in mapping.fields or other in mapping.fields:
            continue
        elsewhere = f"ssl_{other}" if mapping is nested else other.removeprefix("ssl_")
        if elsewhere in (entry.fields if mapping is nested else inner):
            continue
        what = "private key" if other.endswith("key") else "certificate"
        message = f"`{name}` needs `{other}`, the {what} that belongs to it"
        yield Problem(mapping.fields[name][0].span, message)
