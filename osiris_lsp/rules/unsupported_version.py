"""A connections file has a version that does not exist.

The only version is the integer 1. A text such as `"1"` is another value, and a reader that compares
it with 1 refuses the file.

Example:
```yaml osiris_connections.yaml
version: "1"
connections:
  duckdb:
    local:
      path: ./data/local.duckdb
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: ./data/local.duckdb
```

Fix: writes 1 where the value means 1 or is empty. Unsafe, because the value changes.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import is_unknown
from osiris_lsp.text import printable
from osiris_lsp.tree import Map, Scalar, Seq, deref, number

CODE: Final = "OSR103"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections",)
SOURCE: Final = "CONN-001"

_ONE: Final = frozenset(("1", "1.0", "v1", "V1", "1.", "01", "1.0.0", "v1.0"))


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at a `version` that is not the integer 1."""
    if document.root is None or "version" not in document.root.fields:
        return
    key, written = document.root.fields["version"]
    value = deref(written)
    if is_unknown(value):
        return
    if isinstance(value, Map | Seq):
        kind = "a mapping" if isinstance(value, Map) else "a list"
        yield Problem(key.span, f"`version` must be the integer 1, but this is {kind}")
        return
    if not isinstance(value, Scalar) or (value.type == "int" and number(value) == 1):
        return
    if value.type == "null":
        span, message = key.span, "`version` is empty; write `version: 1`"
    elif value.type == "str" and value.value.strip() == "1":
        span = value.span
        message = "`version` must be the integer 1, but this is a string; write `version: 1`"
    elif value.value in _ONE:
        shown = printable(value.value)
        span, message = value.span, f"`version` must be the integer 1, not `{shown}`"
    else:
        shown = printable(" ".join(value.value.split())[:40])
        span = value.span if value.value else key.span
        message = f"there is no version `{shown}` of connections files; use `version: 1`"
    yield Problem(span, message, _fix(document, key, value if written is value else None))


def _fix(document: ConnectionsDocument, key: Scalar, value: Scalar | None) -> Fix | None:
    if value is None or value.anchor or value.tag or value.style in ("|", ">"):
        return None
    if value.type != "null" and value.value.strip() not in _ONE:
        return None
    lead = " " if document.text[value.start - 1 : value.start] == ":" else ""
    return Fix("Change to `version: 1`", False, (Edit(value.start, value.end, lead + "1"),))
