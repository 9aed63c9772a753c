"""A private key is written out.

Whoever has the key can pass for its owner. Keep it in a file outside the repository, or in a store
for secrets, and make a new pair of keys: this one was stored here.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  snowflake:
    default:
      account: xy12345
      user: READER
      private_key: |
        -----BEGIN PRIVATE KEY-----
        b3JhbmdlIHRyYWN0b3Igbmlu
        ZSBncmVlbiBpcyBubyBrZXkh
        -----END PRIVATE KEY-----
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  snowflake:
    default:
      account: xy12345
      user: READER
      private_key: ${SNOWFLAKE_DEFAULT_PRIVATE_KEY}
```
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.secrets import ADVICE

CODE: Final = "OSR305"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield a problem at each private key."""
    for leak in document.leaks.get("private-key", ()):
        yield Problem(leak.span, f"{leak.subject} is written out; {ADVICE}")
