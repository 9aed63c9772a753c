"""A variable is set neither in the environment nor in `.env`.

The run stops when it resolves the connection. An empty value counts as not set. This rule depends
on more than the text, so it runs only with `--check-env`.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: ${DUCKDB_PATH}
```

Use instead:
```yaml .env
DUCKDB_PATH=data/local.duckdb
```
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import ConnectionsDocument, Document
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import segments
from osiris_lsp.values import variable_values

CODE: Final = "OSR405"
SEVERITY: Final[Severity] = "info"
KINDS: Final = ("connections", "pipeline")
SOURCE: Final = "R-03"


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield each variable without default that has no value, at its first use."""
    if "${" not in document.text or project.environment is None:
        return
    source = (
        document.path
        if isinstance(document, ConnectionsDocument)
        else project.connections_path(document.path)
    )
    stored = project.dotenv(source) if source is not None else {}
    seen: set[str] = set()
    for value in variable_values(document):
        for piece in segments(value.node.value):
            if piece.kind != "variable" or piece.default is not None or piece.name in seen:
                continue
            seen.add(piece.name)
            if not project.environment.get(piece.name) and not stored.get(piece.name):
                span = document.tree.value_span(value.node, piece.start, piece.end)
                message = f"`{piece.name}` is set neither in the environment nor in `.env`"
                if piece.name in project.environment or piece.name in stored:
                    message = f"`{piece.name}` is set to an empty value, which counts as not set"
                yield Problem(span, message)
