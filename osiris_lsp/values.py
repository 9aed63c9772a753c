"""Values at run time: where variables are substituted, what is secret, where a connection goes."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from osiris_lsp.documents import Connection, ConnectionsDocument, Document, PipelineDocument
from osiris_lsp.refs import has_variable
from osiris_lsp.secrets.names import is_secret_name
from osiris_lsp.specs import Schema
from osiris_lsp.text import lazy
from osiris_lsp.tree import Map, Node, Scalar, Seq, deref

SQL_KEYS: Final = ("query", "sql", "transformation")
"""Config keys whose text is for a database, so that `${` may belong to its language."""

_HOST: Final = lazy(r"^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?(\[[^\]]*\]|[^/?#:,]*)")
_LOOPBACK: Final = lazy(r"127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[?::1\]?|(?:.*\.)?localhost")


class Value(NamedTuple):
    """A text in which the runtime substitutes variables; `secret` whether it may be a secret."""

    name: str
    node: Scalar
    secret: bool
    in_flow: bool


def variable_values(document: Document) -> Iterator[Value]:
    """Yield the texts of a file in which variables are substituted, each once.

    These are the fields of connections, and the config of pipeline steps without SQL and other
    texts of several lines.
    """
    secrets = {id(node) for _, node in document.declared_secrets}
    seen: set[int] = set()
    if isinstance(document, ConnectionsDocument):
        for entry in document.connections:
            if entry.node is not None:
                yield from _texts(entry.node, "", secrets, seen, False, entry.node.flow)
    elif isinstance(document, PipelineDocument):
        for step in document.modern_steps:
            if step.config is None:
                continue
            flow = step.config.flow or (step.node is not None and step.node.flow)
            for name, (_, value) in step.config.fields.items():
                if name not in SQL_KEYS:
                    yield from _texts(value, name, secrets, seen, True, flow)


def _texts(
    node: Node,
    name: str,
    secrets: set[int],
    seen: set[int],
    one_line: bool,
    flow: bool,
    depth: int = 0,
) -> Iterator[Value]:
    node = deref(node)
    if id(node) in seen or depth > 40:
        return
    seen.add(id(node))
    if isinstance(node, Scalar):
        is_text = one_line and node.style in ("|", ">") and "\n" in node.value.strip()
        if node.type == "str" and not is_text:
            yield Value(name, node, id(node) in secrets or is_secret_name(name), flow)
    elif isinstance(node, Map):
        for key, (_, value) in node.fields.items():
            yield from _texts(value, key, secrets, seen, one_line, flow or node.flow, depth + 1)
    elif isinstance(node, Seq):
        for item in node.items:
            yield from _texts(item, name, secrets, seen, one_line, flow or node.flow, depth + 1)


class Destination(NamedTuple):
    """A host that a connection goes to; `local` None where it is known at run time only."""

    name: str
    node: Scalar
    local: bool | None


def has_secret(entry: Connection) -> bool:
    """Tell whether a secret field of a connection has a value."""
    return any(
        node.type not in ("null", "unknown") and node.value.strip() for _, node in entry.secrets
    )


def destinations(entry: Connection) -> Iterator[Destination]:
    """Yield the hosts that a connection names, those of nested fields included; no proxies."""
    for mapping, schema in entry.mappings:
        properties = schema.get("properties", {})
        for name, (_, value) in mapping.fields.items():
            node = deref(value)
            field = properties.get(name)
            if not isinstance(node, Scalar) or not isinstance(field, Mapping) or name == "proxy":
                continue
            kind = field.get("x-network")
            if kind in ("host", "url", "dsn") and node.type != "null":
                yield Destination(name, node, _is_local(name, kind, node))


def default_is_remote(schema: Schema) -> bool:
    """Tell whether a family has a host of its own on the internet, when none is named."""
    properties = schema.get("properties", {})
    defaults = (field.get("default") for field in properties.values() if isinstance(field, Mapping))
    return any(isinstance(item, str) and item.startswith("https://") for item in defaults)


def _is_local(name: str, kind: str, node: Scalar) -> bool | None:
    if node.type != "str":
        return None
    if name == "unix_socket":
        return True
    value = node.value.strip()
    host = value
    if kind != "host":
        match = _HOST.match(value)
        if match is None:
            return None
        host = match[1]
        if "@" not in value and has_variable(value[: match.end()]):
            return None
    if has_variable(host) or "$" in host or "}" in host:
        return None
    if kind == "host" and name != "host":
        return False
    return is_local_host(host)


def is_local_host(host: str) -> bool | None:
    """Tell whether a host is this machine or a container beside it; None for an empty one."""
    host = host.lower().rstrip(".")
    if not host:
        return None
    if host.startswith("/") or host == "host.docker.internal":
        return True
    if _LOOPBACK.fullmatch(host):
        return True
    return "." not in host and ":" not in host
