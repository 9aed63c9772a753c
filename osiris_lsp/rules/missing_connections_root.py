"""A connections file has no mapping of families below `connections`.

Osiris looks for families below that key and nowhere else, so that none of the connections is found.

Example:
```yaml osiris_connections.yaml
version: 1
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

Fix: puts `connections:` above the families and indents them, or renames a key that looks like
`connections`. Unsafe, because the runtime finds connections afterwards that it did not find before.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.edits import nest, preview, rename_key
from osiris_lsp.finding import Edit, Fix, Problem, Related, Severity
from osiris_lsp.project import Project
from osiris_lsp.schema import is_unknown, violations
from osiris_lsp.text import Span, printable
from osiris_lsp.tree import Map, Node, Scalar, to_python

CODE: Final = "OSR104"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections",)
SOURCE: Final = "R-29"

_NOTHING: Final = "this file defines no connections; write families below `connections:`"


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield one problem at what stands where `connections` with its families should."""
    root = document.tree.root
    if root is None or (isinstance(root, Scalar) and root.type == "null"):
        if not document.tree.problems:
            yield Problem(Span(0, 0), _NOTHING)
        return
    if not isinstance(root, Map):
        for item in violations(root, {"type": "object"}):
            found = item.message.rpartition(", but ")[2]
            message = f"a connections file must be a mapping with `connections`, but {found}"
            yield Problem(item.span, message)
        return
    key = document.key("connections")
    if key is not None:
        yield from _under(document, key)
    elif document.root_key is not None:
        yield _misspelt(document.root_key)
    elif document.bare_families:
        yield _wrapped(document, root)
    elif not document.tree.problems:
        yield Problem(Span(0, 0), _NOTHING)


def _under(document: ConnectionsDocument, key: Scalar) -> Iterator[Problem]:
    """Yield what is wrong with the value of `connections` and with families beside it."""
    value = document.value("connections")
    if value is None or is_unknown(value):
        return
    stray = document.bare_families
    if isinstance(value, Scalar) and value.type == "null":
        if stray:
            family = stray[0][0]
            message = f"`connections` is empty; indent `{printable(family.value)}` to put it below"
            yield Problem(key.span, message, _moved(document, key))
        else:
            message = "`connections` is empty, so this file defines no connections"
            yield Problem(key.span, message)
        return
    if not isinstance(value, Map):
        for item in violations(value, {"type": "object"}, "connections"):
            found = item.message.rpartition(", but ")[2]
            yield Problem(item.span, f"`connections` must map families to aliases, but {found}")
        return
    for family, entry in stray:
        name = printable(family.value)
        message = f"`{name}` stands beside `connections`; indent it to put it below"
        related = (Related(key.span, "families belong below this key"),)
        fix = _joined(document, value, key, family, entry)
        yield Problem(family.span, message, fix, related)


def _joined(
    document: ConnectionsDocument, families: Map, key: Scalar, family: Scalar, entry: Node
) -> Fix | None:
    """Return the fix that indents a family which comes right after those below `connections`."""
    pairs = document.root.pairs if document.root is not None else []
    index = next((i for i, pair in enumerate(pairs) if pair[0] is family), 0)
    if index == 0 or pairs[index - 1][0] is not key or pairs[index - 1][1].end != families.end:
        return None
    if families.flow or family.value in families.fields:
        return None
    edits = nest(document, family, entry.end, ())
    known = dict(_plain(families.pairs))
    if edits is None or not _is_below(document, edits, {**known, family.value: to_python(entry)}):
        return None
    return Fix(f"Indent `{printable(family.value)}`", False, edits)


def _misspelt(key: Scalar) -> Problem:
    name = printable(key.value)
    message = f"`{name}` is no key of a connections file; did you mean `connections`?"
    edit = rename_key(key, "connections")
    fix = Fix("Rename to `connections`", False, (edit,)) if edit is not None else None
    return Problem(key.span, message, fix)


def _wrapped(document: ConnectionsDocument, root: Map) -> Problem:
    """Return the problem of families at the top of a file, with the fix that wraps them."""
    first = document.bare_families[0][0]
    name = printable(first.value)
    message = f"`{name}` stands at the top of the file; families belong below `connections:`"
    index = next((i for i, pair in enumerate(root.pairs) if pair[0] is first), None)
    if index is None or root.flow:
        return Problem(first.span, message)
    header = ["connections:"] if "version" in root.fields else ["version: 1", "connections:"]
    edits = nest(document, first, root.end, header)
    moved = dict(_plain(root.pairs[index:]))
    if edits is None or "version" in moved or not _is_below(document, edits, moved):
        return Problem(first.span, message)
    return Problem(first.span, message, Fix("Put the families below `connections:`", False, edits))


def _moved(document: ConnectionsDocument, key: Scalar) -> Fix | None:
    """Return the fix that indents the families right below an empty `connections:`."""
    root = document.root
    if root is None or root.flow:
        return None
    index = next((i for i, pair in enumerate(root.pairs) if pair[0] is key), len(root.pairs))
    rest = root.pairs[index + 1 :]
    if not rest or not isinstance(rest[0][0], Scalar) or root.pairs[index][1].end != key.end + 1:
        return None
    edits = nest(document, rest[0][0], root.end, ())
    moved = dict(_plain(rest))
    if edits is None or "version" in moved or not _is_below(document, edits, moved):
        return None
    return Fix("Indent the families", False, edits)


def _plain(pairs: list[tuple[Node, Node]]) -> Iterator[tuple[str, object]]:
    for key, value in pairs:
        yield key.value if isinstance(key, Scalar) else "", to_python(value)


def _is_below(
    document: ConnectionsDocument, edits: tuple[Edit, ...], moved: dict[str, object]
) -> bool:
    """Tell whether edits bring just these families, unchanged, below `connections`."""
    if not all(isinstance(value, dict) for value in moved.values()):
        return False
    tree = preview(document, edits)
    if len(tree.problems) > len(document.tree.problems) or not isinstance(tree.root, Map):
        return False
    return bool(to_python(tree.root.get("connections")) == moved)
