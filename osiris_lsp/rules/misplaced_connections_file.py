"""A file holds connections where Osiris does not look for them.

Osiris reads `osiris_connections.yaml` at the root of the project. Connections in any other file are
not found at run time, however right they are. Examples and templates (`*.example.yaml`,
`*.sample.yaml`, `*.template.yaml`), the file that the settings name, and a folder with an
`osiris.yaml` of its own are left alone.

Example:
```yaml config/osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: ./data/local.duckdb
```

Use instead:
```yaml config/osiris_connections.yaml
# The connections stand in osiris_connections.yaml at the root.
```
```yaml osiris_connections.yaml
version: 1
connections:
  duckdb:
    local:
      path: ./data/local.duckdb
```
"""

import os
from collections.abc import Iterator
from typing import Final

from osiris_lsp.discovery import CONNECTIONS
from osiris_lsp.documents import ConnectionsDocument
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import printable

CODE: Final = "OSR101"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections",)
SOURCE: Final = "CONN-001"

_EXAMPLES: Final = (".example", ".sample", ".template")
# What makes a folder a project of its own.
_MARKERS: Final = ("osiris.yaml", "osiris-lsp.toml", ".git")


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield one problem for a file with connections that the runtime does not find."""
    folder, name = os.path.split(document.path)
    if not document.families or os.path.splitext(name)[0].endswith(_EXAMPLES):
        return
    relative = os.path.relpath(folder, project.root)
    if relative.startswith(os.pardir) or (relative == os.curdir and name in CONNECTIONS):
        return
    used = project.connections_path(os.path.join(project.root, CONNECTIONS[0]))
    if used == document.path:
        return
    if name in CONNECTIONS and any(project.ask(os.path.join(folder, it)).exists for it in _MARKERS):
        return
    if used is not None and project.ask(used).is_file:
        advice = f"Osiris reads `{_shown(used, project)}`"
    elif name in CONNECTIONS:
        advice = "move the file to the project root"
    elif relative == os.curdir:
        advice = f"rename the file to `{CONNECTIONS[0]}`"
    else:
        advice = f"move the file to the project root as `{CONNECTIONS[0]}`"
    shown = _shown(document.path, project)
    message = f"the connections in `{shown}` are not found at run time; {advice}"
    yield Problem((document.root_key or document.families[0].key).span, message)


def _shown(path: str, project: Project) -> str:
    return printable(os.path.relpath(path, project.root).replace(os.sep, "/"))
