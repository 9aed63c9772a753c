"""The text is not YAML that Osiris can read.

Osiris loads files with PyYAML, which stops at the first such place: a quote or bracket that is not
closed, a line that is indented wrongly, a mapping where a key must be. The rest of the file is
still checked.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: "data/local.duckdb
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: "data/local.duckdb"
```

Fix: quotes the value, closes the quote or bracket, inserts the space or comma, or aligns the line,
where that makes the text parse. Safe, because the file could not be loaded before.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.edits import reported
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import Span, lazy
from osiris_lsp.tree import Map, Node, Scalar, Seq, deref

CODE: Final = "OSR003"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""
ENTRYWISE: Final = True

_TEMPLATE: Final = lazy(r"\{\{[ \t]*([A-Za-z_][\w.]*)[ \t]*\}\}")


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield the places that the loader refuses and that no more precise rule names."""
    yield from reported(document, "syntax-error")
    merges = "<<" in document.text
    for mapping in document.tree.maps:
        if not merges and len(mapping.fields) == len(mapping.pairs):
            continue  # its keys are scalars
        for key, value in mapping.pairs:
            if not isinstance(key, Scalar):
                if isinstance(deref(key), Map | Seq):
                    yield _complex_key(document, mapping, key)
            elif key.value == "<<" and not key.style and not _is_mergeable(value):
                yield Problem(value.span, "`<<` takes a mapping, or a list of mappings")


def _complex_key(document: Document, mapping: Map, key: Node) -> Problem:
    """Report a mapping or list as a key, which Python cannot store."""
    template = _TEMPLATE.fullmatch(document.text, mapping.start, mapping.end)
    if template is None:
        what = "mapping" if isinstance(deref(key), Map) else "list"
        return Problem(_first_line(document, key), f"a {what} cannot be a key here")
    message = "`{{ NAME }}` without quotes is a mapping in YAML, which cannot be loaded"
    if document.kind != "connections" or "." in template[1]:
        return Problem(mapping.span, f"{message}; quote it")
    first, last = template.span(1)
    edits = (Edit(mapping.start, first, '"${'), Edit(last, mapping.end, '}"'))
    fix = Fix("Change to `${NAME}`", False, edits)
    return Problem(mapping.span, f"{message}; write `${{NAME}}` for a variable", fix)


def _is_mergeable(value: Node) -> bool:
    target = deref(value)
    items = target.items if isinstance(target, Seq) else [target]
    return all(
        isinstance(item, Map) or not isinstance(item, Scalar | Seq) or item.tag is not None
        for item in map(deref, items)
    )


def _first_line(document: Document, node: Node) -> Span:
    line = document.tree.lines.position(node.start).line
    return Span(node.start, min(node.end, document.tree.lines.line_span(line).end))
