"""A connections file does not say which version of the format it has.

`version: 1` tells readers and tools how to read the file. Without it a later format cannot be told
from this one.

Example:
```yaml osiris_connections.yaml
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

Fix: writes `version: 1` above `connections`. Safe, because 1 is the only version and the
connections stay the same. Renaming a misspelt `version` is unsafe, because it is a guess.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.edits import insert_before, rename_key
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.specs import nearest
from osiris_lsp.text import printable
from osiris_lsp.tree import Scalar, deref, number

CODE: Final = "OSR102"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections",)
SOURCE: Final = "R-29"


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at `connections` where the file has no `version`."""
    root, top = document.root, document.key("connections")
    if root is None or top is None or "version" in root.fields:
        return
    if any(problem.start < top.start for problem in document.tree.problems):
        return  # it may be in the part that does not parse
    typo = _misspelt(document)
    if typo is not None:
        name = printable(typo.value)
        message = f"`{name}` is no key of a connections file; did you mean `version`?"
        edit = rename_key(typo, "version")
        fits = isinstance(value := deref(root.fields[typo.value][1]), Scalar) and number(value) == 1
        fix = Fix("Rename to `version`", False, (edit,)) if edit is not None and fits else None
        yield Problem(typo.span, message, fix)
        return
    edit = None
    if any(key is top for key, _ in root.pairs):
        if root.flow:
            edit = Edit(top.start, top.start, "version: 1, ")
        else:
            edit = insert_before(document, top, ("version: 1",))
    fix = Fix("Add `version: 1`", True, (edit,)) if edit is not None else None
    yield Problem(top.span, "`version` is missing; add `version: 1`", fix)


def _misspelt(document: ConnectionsDocument) -> Scalar | None:
    """Return the key that was meant to be `version`, or None."""
    if document.root is None:
        return None
    for name, (key, value) in document.root.fields.items():
        if (
            name != "connections"
            and isinstance(deref(value), Scalar)
            and document.known_families.find(name) is None
            and nearest(name, ("version", "connections")) == "version"
        ):
            return key
    return None
