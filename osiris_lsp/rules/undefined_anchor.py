"""An alias names an anchor that does not stand above it.

YAML reads from top to bottom: the anchor (`&name`) must come first. The file fails to load.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local: &base
      path: data/local.duckdb
    archive: *bse
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local: &base
      path: data/local.duckdb
    archive: *base
```

Fix: takes the nearest name of an anchor above. Unsafe, because another one may be meant.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Edit, Fix, Problem, Related, Severity
from osiris_lsp.project import Project
from osiris_lsp.specs import nearest
from osiris_lsp.text import printable

CODE: Final = "OSR007"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield the aliases without an anchor."""
    anchors = document.tree.anchors
    for alias in document.tree.aliases:
        if alias.target is not None:
            continue
        name = printable(alias.name)
        later = next((span for node, span in anchors if node.anchor == alias.name), None)
        if later is not None:
            message = f"`*{name}` stands above its anchor `&{name}`; move the anchor up"
            yield Problem(alias.span, message, None, (Related(later, "the anchor stands here"),))
            continue
        above = [node.anchor for node, span in anchors if node.anchor and span.end <= alias.start]
        close = nearest(alias.name, above)
        message = f"`*{name}` has no anchor `&{name}` above it"
        if close is None:
            yield Problem(alias.span, message)
            continue
        fix = Fix(f"Change to `*{close}`", False, (Edit(alias.start, alias.end, f"*{close}"),))
        yield Problem(alias.span, f"{message}; did you mean `*{close}`?", fix)
