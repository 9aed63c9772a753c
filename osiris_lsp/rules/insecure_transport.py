"""A connection sends its secrets over the network unprotected.

Without TLS, everyone on the way reads the password and the data. With TLS that accepts any
certificate, so does everyone who pretends to be the server. Hosts on this machine, and names
without a dot such as `db` in docker compose, are left alone.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  api:
    orders:
      base_url: http://api.example.com/v1
      api_key: ${ORDERS_API_KEY}
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  api:
    orders:
      base_url: https://api.example.com/v1
      api_key: ${ORDERS_API_KEY}
```

Fix: writes `https://` or `wss://`. Unsafe, because the server may not speak TLS.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from osiris_lsp.documents import Connection, ConnectionsDocument
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.text import lazy
from osiris_lsp.tree import Scalar, boolean, deref
from osiris_lsp.values import Destination, default_is_remote, destinations, has_secret

CODE: Final = "OSR403"
SEVERITY: Final[Severity] = "warning"
KINDS: Final = ("connections",)
SOURCE: Final = ""
ENTRYWISE: Final = True

_PLAIN_SCHEME: Final = lazy(r"\s*(http|ws)://", re.IGNORECASE)
_OPTION: Final = lazy(r"[?&;](sslmode=disable|(?:ssl|tls)=(?:false|0))(?=&|;|$)", re.IGNORECASE)
_OFF: Final = ("ssl", "tls", "require_ssl")
_UNVERIFIED: Final = (
    "verify",
    "ssl_verify",
    "validate_ssl",
    "verify_cert",
    "verify_identity",
    "check_hostname",
)
_WORDS: Final = ("://", "ssl", "tls", "verify", "check_hostname")


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield what leaves the secrets of a connection unprotected."""
    if not any(word in document.text for word in _WORDS):
        return
    for entry in document.connections:
        if entry.spec is not None and has_secret(entry):
            places = tuple(destinations(entry))
            plain = [*_schemes(document, entry, places), *_switched_off(document, entry, places)]
            yield from plain
            if not plain:
                yield from _unverified(entry, places)


def _schemes(
    document: ConnectionsDocument, entry: Connection, places: Sequence[Destination]
) -> Iterator[Problem]:
    for place in places:
        node = place.node
        match = _PLAIN_SCHEME.match(node.value)
        if place.local is not False or match is None:
            continue
        first, last = match.span(1)
        span = document.tree.value_span(node, first, match.end())
        better = "https" if match[1].lower() == "http" else "wss"
        message = (
            f"`{place.name}` uses `{match[1].lower()}://`, so the secrets of `{entry}` travel in "
            f"clear text; use `{better}://`"
        )
        fix = None
        written = document.text[span.start : span.end] == node.value[first : match.end()]
        if written and _unverified_field(entry) is None:
            edit = Edit(span.start, span.start + last - first, better)
            fix = Fix(f"Change to `{better}://`", False, (edit,))
        yield Problem(span, message, fix)


def _switched_off(
    document: ConnectionsDocument, entry: Connection, places: Sequence[Destination]
) -> Iterator[Problem]:
    """Report TLS that is switched off: a field, `sslmode`, or an option of a DSN."""
    for place in places:
        option = _OPTION.search(place.node.value)
        if place.local is False and option:
            span = document.tree.value_span(place.node, *option.span(1))
            yield Problem(span, _clear_text(f"`{option[1]}`", entry))
            return
    if not places or any(place.local is not False for place in places):
        return
    for name in (*_OFF, "sslmode"):
        node = _value(entry, name)
        if node is None:
            continue
        if boolean(node) is False or (name == "sslmode" and node.value == "disable"):
            yield Problem(node.span, _clear_text(f"`{name}: {node.value}`", entry))
            return


def _clear_text(what: str, entry: Connection) -> str:
    return f"{what} lets the secrets of `{entry}` travel to another machine in clear text; use TLS"


def _unverified(entry: Connection, places: Sequence[Destination]) -> Iterator[Problem]:
    if any(place.local is not False for place in places):
        return
    if not places and not (entry.spec and default_is_remote(entry.spec.schema)):
        return
    field = _unverified_field(entry)
    if field is not None:
        name, node = field
        message = (
            f"`{name}: {node.value}` accepts the certificate of anyone who pretends to be the "
            f"server, and hands over the secrets of `{entry}`"
        )
        yield Problem(node.span, message)


def _unverified_field(entry: Connection) -> tuple[str, Scalar] | None:
    """Return the first field that switches the check of the certificate off."""
    for mapping, _ in entry.mappings:
        for name in _UNVERIFIED:
            node = mapping.get(name)
            if isinstance(node, Scalar) and boolean(node) is False:
                return name, node
    return None


def _value(entry: Connection, name: str) -> Scalar | None:
    if name not in entry.fields:
        return None
    node = deref(entry.fields[name][1])
    return node if isinstance(node, Scalar) else None
