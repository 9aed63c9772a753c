"""An anchor that no alias uses.

It does nothing. Often the alias that belongs to it was deleted, or its name is misspelt.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local: &base
      path: data/local.duckdb
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: data/local.duckdb
```

Fix: removes the anchor. Safe, because the value stays.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import Span, lazy, printable
from osiris_lsp.tree import Node

CODE: Final = "OSR008"
SEVERITY: Final[Severity] = "hint"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""

_SPACES: Final = lazy(r"[ \t]*")
# Where these are reported, aliases may be hidden.
_BROKEN: Final = ("syntax-error", "unquoted-reference", "tab-indentation")


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield the anchors without an alias."""
    tree = document.tree
    if not tree.anchors or any(problem.rule in _BROKEN for problem in tree.problems):
        return
    used = {id(alias.target) for alias in tree.aliases}
    for node, span in tree.anchors:
        if id(node) not in used:
            message = f"no alias uses the anchor `&{printable(node.anchor or '')}`"
            yield Problem(span, message, _fix(document, node, span))


def _fix(document: Document, node: Node, span: Span) -> Fix | None:
    text = document.text
    match = _SPACES.match(text, span.end)
    end = match.end() if match else span.end
    start = span.start
    following = text[end : end + 1]
    if node.start == node.end and following in (",", "]", "}", ":"):
        return None
    if following in ("", "\r", "\n"):
        while start > 0 and text[start - 1] in " \t":
            start -= 1
    return Fix("Remove the anchor", True, (Edit(start, end, ""),))
