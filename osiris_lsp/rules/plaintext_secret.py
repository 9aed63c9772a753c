"""A field that is declared secret has its value written out.

Whoever can read the file, or any commit that ever held it, has the secret. A reference such as
`${MYSQL_DEFAULT_PASSWORD}` leaves it outside. A secret that was stored once must be changed at its
source, because removing it from the file does not remove it from the history. Keys that are meant
to be public, placeholders and references to secret stores are not reported; a line with `# pragma:
allowlist secret` is not either.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      database: shop
      user: reader
      password: orange-tractor-9
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      database: shop
      user: reader
      password: ${MYSQL_DEFAULT_PASSWORD}
```
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from osiris_lsp.documents import Connection, ConnectionsDocument, PipelineDocument, Step
from osiris_lsp.finding import Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import connection_string_secrets, has_variable, literal_secrets, variable_name
from osiris_lsp.sensitive import is_secret_name
from osiris_lsp.text import Span, printable
from osiris_lsp.tree import Map, Node, Scalar, Seq, deref

CODE: Final = "OSR301"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections", "pipeline")
SOURCE: Final = "CONN-002"
ENTRYWISE: Final = True


class Place(NamedTuple):
    """A scalar of a secret field; `variable` is the name to use instead."""

    name: str
    variable: str
    node: Scalar
    is_address: bool


def check(document: ConnectionsDocument | PipelineDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each written-out part of a secret, once where aliases repeat it."""
    seen: set[Span] = set()
    for place in places(document):
        for span in written(place):
            found = document.tree.value_span(place.node, span.start, span.end)
            if found in seen:
                continue
            seen.add(found)
            message = (
                f"{_subject(place)} is written out; use `${{{place.variable}}}`, set it outside "
                "the repository, and change the secret because it was stored here"
            )
            yield Problem(found, message)


def places(document: ConnectionsDocument | PipelineDocument) -> Iterator[Place]:
    """Yield the scalars of a document that hold secrets, written out or not."""
    if isinstance(document, ConnectionsDocument):
        for entry in document.connections:
            yield from _of_connection(entry)
    else:
        for step in document.steps:
            yield from _of_step(step)


def _subject(place: Place) -> str:
    name = f"`{printable(place.name)}`"
    if place.is_address:
        return f"the password in {name}"
    return f"part of {name}" if has_variable(place.node.value) else name


def written(place: Place) -> tuple[Span, ...]:
    """Return the literal parts of a value; in an address only its password counts."""
    if place.node.type in ("null", "bool", "unknown"):
        return ()
    if place.is_address:
        return tuple(connection_string_secrets(place.node.value))
    return literal_secrets(place.node.value)


def _of_connection(entry: Connection) -> Iterator[Place]:
    """Yield the secret scalars of a connection."""
    for mapping, section in entry.sections:
        for name in section.secret & mapping.fields.keys():
            value, field = deref(mapping.fields[name][1]), section.fields[name]
            if isinstance(value, Map) or field.get("writeOnly") is True:
                origin = (entry.family.canonical, entry.alias, name)
                yield from _of_value(name, value, origin, field.get("x-network") == "dsn")


def _of_step(step: Step) -> Iterator[Place]:
    """Yield the secret scalars of the config of a step."""
    if step.spec is None or step.config is None:
        return
    origin = step.spec.family_spelling
    for path in sorted(step.spec.secrets):
        node: Node | None = step.config
        for part in path:
            node = node.get(part) if isinstance(node, Map) else None
        if node is None:
            continue
        # Whatever the schema says: the component's spec lists the key as secret.
        yield from _of_value(path[-1], node, (origin, path[-1]), False)


def _of_value(
    name: str, value: Node, origin: tuple[str, ...], is_address: bool, depth: int = 0
) -> Iterator[Place]:
    """Yield the scalars of a secret value; `origin` gives the variable its name.

    In a mapping such as `headers`, credentials stand beside harmless values: names tell.
    """
    value = deref(value)
    if isinstance(value, Scalar):
        named = (*origin[:-1], "password") if is_address else origin
        yield Place(name, variable_name(*named), value, is_address)
    elif isinstance(value, Seq) and depth < 5:
        for item in value.items:
            yield from _of_value(name, item, origin, is_address, depth + 1)
    elif isinstance(value, Map) and depth < 5:
        for key, (_, item) in value.fields.items():
            if is_secret_name(key):
                yield from _of_value(key, item, (*origin, key), is_address, depth + 1)
