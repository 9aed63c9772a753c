"""The scalars of a field that is declared secret, and what of them is written out."""

from collections.abc import Iterator

from osiris_lsp.refs import connection_string_secrets, literal_secrets, variable_name
from osiris_lsp.secrets import Place
from osiris_lsp.secrets.names import is_secret_name
from osiris_lsp.text import Span
from osiris_lsp.tree import Map, Node, Scalar, Seq, deref


def places_in(
    value: Node, origin: tuple[str, ...], is_address: bool, depth: int = 0
) -> Iterator[Place]:
    """Yield the scalars of a secret value; `origin` gives the variable its name.

    In a mapping such as `headers`, credentials stand beside harmless values: names tell.
    """
    value = deref(value)
    if isinstance(value, Scalar):
        named = (*origin[:-1], "password") if is_address else origin
        yield Place(origin[-1], variable_name(*named), value, is_address)
    elif isinstance(value, Seq) and depth < 5:
        for item in value.items:
            yield from places_in(item, origin, is_address, depth + 1)
    elif isinstance(value, Map) and depth < 5:
        for key, (_, item) in value.fields.items():
            if is_secret_name(key):
                yield from places_in(item, (*origin, key), is_address, depth + 1)


def written(place: Place) -> tuple[Span, ...]:
    """Return the literal parts of a declared value; in an address only its password counts."""
    if place.node.type in ("null", "bool", "unknown"):
        return ()
    if place.is_address:
        return tuple(connection_string_secrets(place.node.value))
    return literal_secrets(place.node.value)
