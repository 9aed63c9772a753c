"""A key stands twice in one mapping.

PyYAML takes the last value without a word, so what the first one says is lost: a connection with
two hosts, a family whose first block of aliases is gone.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local: {path: data/local.duckdb}
  duckdb:
    archive: {path: data/archive.duckdb}
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local: {path: data/local.duckdb}
    archive: {path: data/archive.duckdb}
```

Fix: removes the second of two lines that are the same. Safe, because the value stays. Where the
values differ there is no fix.
"""

from collections.abc import Hashable, Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.edits import remove_field
from osiris_lsp.finding import Fix, Problem, Related, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import printable
from osiris_lsp.tree import Map, Node, Scalar, boolean, number

CODE: Final = "OSR005"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""
ENTRYWISE: Final = True

_TEXT: Final = frozenset(("str",))


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield each key that an earlier key of its mapping equals."""
    merges = "<<" in document.text
    for mapping in document.tree.maps:
        if not merges and _is_plain(mapping):
            continue
        seen: dict[Hashable, tuple[Scalar, Node]] = {}
        for key, value in mapping.pairs:
            if not isinstance(key, Scalar) or key.type == "unknown":
                continue
            if key.value == "<<" and not key.style:
                continue
            first = seen.setdefault(_read(key), (key, value))
            if first[0] is not key:
                yield _problem(document, mapping, first, (key, value))


def _is_plain(mapping: Map) -> bool:
    """Tell whether the keys of a mapping without merges are texts, each once."""
    fields = mapping.fields
    return len(fields) == len(mapping.pairs) and {key.type for key, _ in fields.values()} <= _TEXT


def _read(key: Scalar) -> Hashable:
    """Return what the runtime compares: `"a"` equals `a`, and `1` differs from `"1"`."""
    kind = key.type
    if kind == "bool":
        return boolean(key)
    if kind in ("int", "float"):
        value = number(key)
        return ("number", key.value) if value is None else value
    return None if kind == "null" else (kind, key.value)


def _problem(
    document: Document, mapping: Map, first: tuple[Scalar, Node], second: tuple[Scalar, Node]
) -> Problem:
    key = second[0]
    shown = _shown(key)
    message = f"`{shown}` stands twice here, and only the last value counts"
    if first[0].value != key.value:
        message = (
            f"`{shown}` is the same key as `{_shown(first[0])}` to the runtime, and only the last "
            "value counts"
        )
    fix = None
    if not mapping.flow and _line(document, *first) == _line(document, *second) is not None:
        edit = remove_field(document, mapping, key)
        if edit is not None:
            message = f"`{shown}` stands twice here, with the same value"
            fix = Fix("Remove the second one", True, (edit,))
    return Problem(key.span, message, fix, (Related(first[0].span, "it stands here before"),))


def _shown(key: Scalar) -> str:
    return printable(key.value if len(key.value) <= 60 else key.value[:60] + "…")


def _line(document: Document, key: Scalar, value: Node) -> str | None:
    """Return a field as it is written, where it is a single line."""
    written = document.text[key.start : value.end]
    return None if "\n" in written or "\r" in written else written
