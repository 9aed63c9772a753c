"""A value that may be a secret looks random.

The name of the key leaves open whether its value is a secret (`key`, `auth`, a header of your own),
or a token has the format of a service with a checksum that does not hold. Say that it is none with
a comment, or give the key a name that tells.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  api:
    default:
      base_url: https://api.example.com
      params:
        key: b7Xq2Lr9Tz4Wm1Vk8Dn3
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  api:
    default:
      base_url: https://api.example.com
      params:
        key: ${API_DEFAULT_PARAMS_KEY}
```
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.secrets import ADVICE

CODE: Final = "OSR307"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield a problem at each random text under a key that leaves open what it is."""
    for leak in document.leaks.get("high-entropy-value", ()):
        yield Problem(leak.span, f"{leak.subject} looks like a secret; if it is one, {ADVICE}")
