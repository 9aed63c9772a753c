"""A value holds a secret in base64.

Base64 is no encryption: anyone can read it.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  api:
    default:
      base_url: https://api.example.com
      params:
        target: cG9zdGdyZXNxbDovL3JlYWRlcjpvcmFuZ2UtdHJhY3Rvci05QGRiLmV4YW1wbGUuY29tL3Nob3A=
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  api:
    default:
      base_url: https://api.example.com
      params:
        target: ${API_DEFAULT_PARAMS_TARGET}
```
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.secrets import ADVICE

CODE: Final = "OSR308"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield a problem at each value that hides a secret in base64."""
    for leak in document.leaks.get("encoded-secret", ()):
        yield Problem(leak.span, f"base64 hides nothing: {leak.subject} is written out; {ADVICE}")
