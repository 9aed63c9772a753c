"""A value has another type than its field.

Drivers take what they get: `port: "3306"` in quotes is a text, which MySQL's driver refuses when
the connection is opened. The same goes for a family or an alias that is no mapping.

Example:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      port: "3306"
      database: shop
      user: reader
      password: ${MYSQL_DEFAULT_PASSWORD}
```

Use instead:
```yaml osiris_connections.yaml
version: 1
connections:
  mysql:
    default:
      host: db.example.com
      port: 3306
      database: shop
      user: reader
      password: ${MYSQL_DEFAULT_PASSWORD}
```

Fix: takes the quotes off a number or truth value, puts them around a number that is to be a text,
or puts fields that stand right below a family below an alias `default`. Unsafe, because the value
changes.
"""

from collections.abc import Iterator
from typing import Final

from osiris_lsp.documents import Connection, ConnectionsDocument, FamilyEntry
from osiris_lsp.edits import nest, preview, quote_scalar
from osiris_lsp.finding import Edit, Fix, Problem, Severity
from osiris_lsp.project import Project
from osiris_lsp.refs import literal_secrets
from osiris_lsp.schema import Violation, accepts, at, is_ambiguous, violations
from osiris_lsp.specs import Schema
from osiris_lsp.text import printable
from osiris_lsp.tree import Map, Node, Scalar, deref, resolve, to_python

CODE: Final = "OSR110"
SEVERITY: Final[Severity] = "error"
KINDS: Final = ("connections",)
SOURCE: Final = "CONN-008"
ENTRYWISE: Final = True

_MAPPING: Final[Schema] = {"type": "object"}
_PLAIN: Final = {"int": ("integer", "number"), "float": ("number",), "bool": ("boolean",)}


def check(document: ConnectionsDocument, project: Project) -> Iterator[Problem]:
    """Yield a problem at each family, alias and field with a value of the wrong type."""
    for family in document.families:
        if family.is_flat:
            yield _flat(document, family)
        elif not _is_null(family.value):
            yield from _shape(family.value, family.name, "aliases")
        for entry in family.connections:
            if not _is_null(entry.value):
                yield from _shape(entry.value, entry.alias, "fields")
            for item in entry.violations:
                if item.kind == "type":
                    yield from _typed(document, entry, item)


def _is_null(value: Node) -> bool:
    node = deref(value)
    return isinstance(node, Scalar) and node.type == "null"


def _shape(value: Node, name: str, of: str) -> Iterator[Problem]:
    for item in violations(value, _MAPPING):
        found = item.message.rpartition(", but ")[2]
        yield Problem(item.span, f"`{printable(name)}` must be a mapping of {of}, but {found}")


def _typed(document: ConnectionsDocument, entry: Connection, item: Violation) -> Iterator[Problem]:
    """Yield the problem of a field; a secret that is written out is plaintext-secret's."""
    spec = entry.spec
    if spec is None or not isinstance(item.node, Scalar):
        yield Problem(item.span, item.message)
        return
    node = item.node
    schema = at(spec.effective_schema, item.path)
    secret = schema is not None and schema.get("writeOnly") and not schema.get("x-publishable")
    if secret and node.type in ("int", "float", "timestamp") and literal_secrets(node.value):
        return
    if node.type == "null":
        key = _key(entry, item.path)
        yield Problem(key.span if key is not None else node.span, item.message)
        return
    fix = None
    if schema is not None and not _matters_elsewhere(document, entry, item):
        fix = _fix(document, item, schema)
    yield Problem(node.span, item.message, fix)


def _matters_elsewhere(document: ConnectionsDocument, entry: Connection, item: Violation) -> bool:
    """Tell whether another value decides if the converted one is right; then no fix is certain."""
    if item.path == ("default",):
        others = document.outlined.of_family(entry.family.canonical)
        return any(other.default is not None for other in others)
    if item.name in ("timeout", "connect_timeout"):
        return {"timeout", "connect_timeout"} <= set(entry.fields)
    return item.name.startswith("ssl") or "tls" in item.name


def _key(entry: Connection, path: tuple[str | int, ...]) -> Scalar | None:
    """Return the key of the field at a path, or None for an item of a list."""
    key: Scalar | None = None
    node: Node | None = entry.node
    for part in path:
        if not isinstance(node, Map) or str(part) not in node.fields:
            return None
        key, value = node.fields[str(part)]
        node = deref(value)
    return key


def _fix(document: ConnectionsDocument, item: Violation, schema: Schema) -> Fix | None:
    node = item.node
    if not isinstance(node, Scalar) or node.tag or node.anchor:
        return None
    if node.style in ("'", '"'):
        plain = Scalar(node.start, node.end, None, None, node.value, "")
        wanted = _PLAIN.get(resolve(node.value), ())
        if set(wanted).isdisjoint(item.choices) or is_ambiguous(plain):
            return None
        if accepts(schema, node.value):
            return Fix("Remove the quotes", False, (Edit(node.start, node.end, node.value),))
        return None
    if not node.style and node.type in ("int", "float") and "string" in item.choices:
        edit = quote_scalar(document, node)
        if edit is not None and accepts(schema, node.value, '"'):
            return Fix("Put it in quotes", False, (edit,))
    return None


def _flat(document: ConnectionsDocument, family: FamilyEntry) -> Problem:
    """Return the problem of fields that stand where an alias is expected."""
    fields = family.node.fields if family.node is not None else {}
    spec = family.spec
    known = spec.fields if spec is not None else {}
    first = next((key for name, (key, _) in fields.items() if name in known), family.key)
    message = (
        f"`{printable(first.value)}` stands where an alias is expected; put the fields of the "
        "connection below an alias such as `default:`"
    )
    return Problem(first.span, message, _nested(document, family))


def _nested(document: ConnectionsDocument, family: FamilyEntry) -> Fix | None:
    node = family.node
    if (
        node is None
        or node.flow
        or node is not family.value
        or not isinstance(node.pairs[0][0], Scalar)
    ):
        return None
    wrapped = Connection(family, family.key, node)
    if not wrapped.fits or any(literal_secrets(item.value) for _, item in wrapped.secrets):
        return None
    edits = nest(document, node.pairs[0][0], node.end, ("default:",))
    if edits is None:
        return None
    tree = preview(document, edits)
    inner = tree.root.get("connections") if isinstance(tree.root, Map) else None
    entry = inner.get(family.name) if isinstance(inner, Map) else None
    if to_python(entry) != {"default": to_python(node)}:
        return None
    return Fix("Put the fields below an alias `default`", False, edits)
