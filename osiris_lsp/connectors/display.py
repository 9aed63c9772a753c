"""Connections as they may be shown: masked, with where each value comes from."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import quote, urlsplit

from osiris_lsp.connectors.connection import METADATA, Origin, ResolvedConnection, hides
from osiris_lsp.documents import Connection, Document
from osiris_lsp.refs import connection_string_secrets, segments
from osiris_lsp.secret import MASK, Secret, mask
from osiris_lsp.specs import Families, Section
from osiris_lsp.tree import Map, Node, Scalar, Seq, deref

MASKED: Final = "***MASKED***"
"""What stands for the value of a secret field (R-21)."""


class Shown(NamedTuple):
    """A field fit to be shown.

    `value` is masked where the field is secret; `origins` says where its pieces come from, with
    kind `unset` for variables that have no value.
    """

    name: str
    value: str
    origins: tuple[Origin, ...]
    secret: bool


class Values(Protocol):
    """A connections file and its variables: a resolver, or what tells only where values are."""

    @property
    def document(self) -> Document:
        """The file."""

    def variable(self, name: str) -> tuple[str, str] | None:
        """Return the value of a variable, or the reference to it, with its source."""


def shown_fields(resolver: Values, entry: Connection) -> Iterator[Shown]:
    """Yield the fields of a connection, nested ones with dots; no secret store is asked."""
    section = entry.spec.section if entry.spec is not None else Section({})
    if entry.node is not None:
        yield from _shown(resolver, entry.node, section, "", False, ())


def _shown(
    resolver: Values,
    node: Map,
    section: Section,
    prefix: str,
    secret: bool,
    around: tuple[Node, ...],
) -> Iterator[Shown]:
    for name, (key, value) in node.fields.items():
        if not prefix and name in METADATA:
            continue
        field = section.fields.get(name, {})
        inner = (section.inner.get(name) or [Section({})])[0]
        masked = secret or field.get("writeOnly") is True or field.get("x-secret-values") is True
        masked = masked or (name not in section.fields and hides(name))
        path = f"{prefix}{name if _masked_source(resolver, key) is None else MASK}"
        yield from _values(resolver, deref(value), inner, path, masked, around)


def _values(
    resolver: Values,
    node: Node,
    section: Section,
    path: str,
    secret: bool,
    around: tuple[Node, ...],
) -> Iterator[Shown]:
    if any(node is outer for outer in around):
        return  # an alias of what it stands in
    inside = (*around, node)
    if isinstance(node, Map):
        yield from _shown(resolver, node, section, f"{path}.", secret, inside)
    elif isinstance(node, Seq):
        for index, item in enumerate(node.items):
            yield from _values(resolver, deref(item), section, f"{path}[{index}]", secret, inside)
    elif isinstance(node, Scalar):
        text, origins = _text(resolver, node)
        if secret and node.type != "null":
            text = node.value if _is_reference(node.value) else MASKED
        yield Shown(path, text, origins, secret)


def _is_reference(value: str) -> bool:
    pieces = list(segments(value))
    whole = len(pieces) == 1 and pieces[0].kind in ("variable", "provider", "parameter")
    return whole and pieces[0].default is None


def shown_name(resolver: Values, entry: Connection) -> tuple[str, str]:
    """Return family and alias of a connection, without a secret that was put in their place."""
    spans = resolver.document.secret_spans
    hidden = [resolver.document.text[start:end] for start, end in spans]
    family, alias = entry.family.canonical, entry.alias
    return MASK if family in hidden else family, MASK if alias in hidden else alias


def shown_reference(resolver: Values, entry: Connection) -> str:
    """Return the reference to a connection, its name as `shown_name` gives it."""
    name = shown_name(resolver, entry)
    return f"@{'.'.join(name)}" if MASK in name else str(entry)


def _text(resolver: Values, node: Scalar) -> tuple[str, tuple[Origin, ...]]:
    """Return a text with the variables that are set replaced, and the origins of its pieces.

    Where the linter would mask a part of it, it is as it is written, without that part.
    """
    value = node.value
    pieces: list[str] = []
    origins: list[Origin] = []
    for piece in segments(value):
        written = value[piece.start : piece.end]
        found = resolver.variable(piece.name) if piece.kind == "variable" else None
        if piece.kind == "literal":
            pieces.append(written.replace("$${", "${"))
            origins.append(Origin("literal"))
        elif found is not None:
            # The reference itself tells nothing.
            pieces.append(MASK if hides(piece.name) and found[0] != written else found[0])
            origins.append(Origin(found[1], piece.name))
        elif piece.kind == "variable" and piece.default is not None:
            pieces.append(value[slice(*piece.default)])
            origins.append(Origin("default", piece.name))
        else:
            pieces.append(written)
            kind = piece.name if piece.kind == "provider" else "unset"
            name = written[3 + len(piece.name) : -1] if kind != "unset" else piece.name
            origins.append(Origin(kind, name))
    text = "".join(pieces)
    hidden = _masked_source(resolver, node)
    text = text if hidden is None else hidden
    return mask(text, list(connection_string_secrets(text))), tuple(origins)


def _masked_source(resolver: Values, node: Scalar) -> str | None:
    """Return what is written in the file without what the linter masks; None where that is all."""
    written = resolver.document.text[node.start : node.end]
    shown = mask(written, resolver.document.secret_spans, node.start)
    return None if shown == written else shown


def public_fields(resolver: Values, entry: Connection) -> dict[str, Any]:
    """Return `{family, alias, …}` with the fields that the schema lists as public (CONN-021).

    `default` is there only where it is true.
    """
    family, alias = shown_name(resolver, entry)
    found: dict[str, Any] = {"family": family, "alias": alias}
    fields = entry.spec.fields if entry.spec is not None else {}
    for name, (_, value) in entry.fields.items():
        node = deref(value)
        if name == "default" or not isinstance(node, Scalar):
            continue
        field = fields.get(name)
        if field is not None and field.schema.get("x-public") is True:
            found[field.canonical or name] = _plain(node, _text(resolver, node)[0])
    if entry.default is not None:
        found["default"] = True
    return found


def _plain(node: Scalar, text: str) -> Any:
    if node.type == "bool":
        return node.value.lower() in ("true", "yes", "on")
    return int(text) if node.type == "int" and text.isdigit() else text


def mask_connection_config(config: Mapping[str, Any], family: str = "") -> dict[str, Any]:
    """Return a deep copy of a connection with secret values as `***MASKED***` (R-21, R-22).

    Secret is what the family's schema says, and what a name says; URLs lose their credentials. A
    whole `${VAR}` stays.
    """
    name = family or str(config.get("family", ""))
    connection = ResolvedConnection(name, "", config, spec=Families().find(name))
    # The names are those of the caller: nothing is renamed here.
    spelt = connection.spec.section if connection.spec is not None else Section({})
    return {
        key: _masked(connection.get(spelt.spelling(key), value)) for key, value in config.items()
    }


def _masked(value: Any) -> Any:
    if isinstance(value, Secret):
        text = value.reveal()
        return text if _is_reference(text) else MASKED
    if isinstance(value, Mapping):
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    if isinstance(value, str):
        return mask(value, list(connection_string_secrets(value)))
    return value


_SCHEMES: Final = {"postgres": "postgresql", "supabase": "postgresql"}


def build_dsn(conn: Mapping[str, Any]) -> str:
    """Return `mysql://user:password@host:port/database` for a connection (CONN-016).

    User and password are percent-encoded. It holds the password: show `build_dsn_redacted` instead.
    """
    plain = conn.reveal() if isinstance(conn, ResolvedConnection) else dict(conn)
    user = quote(str(plain.get("user") or plain.get("username") or ""), safe="")
    password = plain.get("password")
    login = f"{user}:{quote(str(password), safe='')}@" if password is not None else f"{user}@"
    return f"{_place(plain, login if user else '')}"


def build_dsn_redacted(conn: Mapping[str, Any]) -> str:
    """Return `mysql://***@host:port/database`, which is fit for logs (CONN-011, CONN-016)."""
    plain = dict(conn)
    return _place(plain, f"{MASK}@")


def _place(conn: Mapping[str, Any], login: str) -> str:
    family = str(conn.get("family") or "mysql")
    spec = Families().find(family)
    default = spec.fields["port"].schema.get("default") if spec and "port" in spec.fields else None
    host = str(conn.get("host") or "localhost")
    host = f"[{host}]" if ":" in host else host
    scheme = _SCHEMES.get(family, family)
    port = conn.get("port") or default
    return f"{scheme}://{login}{host}{f':{port}' if port else ''}/{conn.get('database') or ''}"


def redacted_url(url: str) -> str:
    """Return a URL or DSN without credentials: `***@` stands for user and password (R-21)."""
    url = mask(url, list(connection_string_secrets(url)))  # a `#` in a password would end the host
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    place = parts.netloc.rpartition("@")[2]
    login = f"{MASK}@" if "@" in parts.netloc else ""
    shown = f"{parts.scheme}://{login}{place}{parts.path}" if parts.scheme else url
    return mask(shown, list(connection_string_secrets(shown)))
