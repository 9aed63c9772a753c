"""A token has the format of a service that gives out tokens.

The format alone tells that this is a secret, under whatever key it stands. Tokens with a checksum
that does not hold are left to `high-entropy-value`. Revoke a token that was stored once: services
offer that beside the place where tokens are made. The anon key of a Supabase project is public by
design, and is reported as information only; its service_role key passes by all policies.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  graphql:
    default:
      endpoint: https://api.example.com/graphql
      auth_token: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJyZWFkZXIifQ.b3JhbmdlLXRyYWN0b3ItOS1ncmVlbg
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  graphql:
    default:
      endpoint: https://api.example.com/graphql
      auth_token: ${GRAPHQL_DEFAULT_AUTH_TOKEN}
```
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Document
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.secrets import ADVICE

CODE: Final = "OSR302"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections", "pipeline", "component", "yaml")
SOURCE: Final = ""
ENTRYWISE: Final = True


def check(document: Document, project: Project) -> Iterator[Problem]:
    """Yield a problem at each token; one that is public by design is information."""
    for leak in document.leaks.get("provider-token", ()):
        advice = ADVICE if leak.severity is None else "it is meant to be public"
        message = f"{leak.subject} is written out; {advice}"
        yield Problem(leak.span, message, severity=leak.severity)
