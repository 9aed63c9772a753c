"""A value is outside of what its field allows.

The type is right, but the range, the list of choices, or the form of the text is not met, so that
the connection fails or does something else than is meant.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      port: 99999
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
      port: 3306
      database: shop
      user: reader
      password: ${MYSQL_DEFAULT_PASSWORD}
```

Fix: takes the nearest of several choices. Unsafe, because it is a guess.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.edits import replace_scalar
from osiris_lsp.finding import Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import Violation
from osiris_lsp.specs import nearest
from osiris_lsp.text import Span
from osiris_lsp.tree import Map, Node, Scalar, Seq

CODE: Final = "OSR111"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections",)
SOURCE: Final = "CONN-008"
ENTRYWISE: Final = True


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each value that is not in the range, list or form of its field."""
    for item in document.violations:
        if item.kind == "value":
            yield Problem(_place(item.node), item.message, _fix(document, item))


def _place(node: Node) -> Span:
    """Return the range of a value; of a list over several lines only where it starts."""
    if isinstance(node, Map | Seq) and not node.flow:
        return Span(node.start, min(node.start + 1, node.end))
    return node.span


def _fix(document: ConnectionsDocument, item: Violation) -> Fix | None:
    node = item.node
    if not item.choices or not isinstance(node, Scalar) or node.type != "str" or node.tag:
        return None
    close = nearest(node.value, item.choices)
    edit = replace_scalar(document, node, close) if close is not None else None
    return Fix(f"Change to `{close}`", False, (edit,)) if edit is not None else None
