"""A variable has a default, which the Osiris runtime does not know.

Under the profile `osiris-runtime` the text between the braces is the name of the variable, so
`${DB_HOST:-localhost}` asks for a variable called `DB_HOST:-localhost`, which is never set. The
profile `contract` has defaults.

Example:
```yaml osiris-lsp.toml
profile = "osiris-runtime"
```
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: ${DUCKDB_PATH:-data/local.duckdb}
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: ${DUCKDB_PATH}
```
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import segments
from osiris_lsp.values import variable_values

CODE: Final = "OSR402"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections", "pipeline")
SOURCE: Final = "R-05"
ENTRYWISE: Final = True


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield each variable with a default, where the runtime has none."""
    if project.settings.profile != "osiris-runtime" or ":-" not in document.text:
        return
    for value in variable_values(document):
        for piece in segments(value.node.value):
            if piece.kind == "variable" and piece.default is not None:
                span = document.tree.value_span(value.node, piece.start, piece.end)
                message = (
                    "the Osiris runtime knows no defaults: it asks for a variable whose name is "
                    f"all of this text; write `${{{piece.name}}}` and set the variable"
                )
                yield Problem(span, message)
