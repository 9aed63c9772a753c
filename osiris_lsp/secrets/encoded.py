"""Secrets in base64, one level deep."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from osiris_lsp.secrets.providers import find_tokens
from osiris_lsp.secrets.structures import find_json, find_parts
from osiris_lsp.text import Span, lazy

_BASE64: Final = lazy(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_SCHEME: Final = "basic "


class Encoded(NamedTuple):
    """The encoded part of a value; `subject` is what messages call the secret in it."""

    span: Span
    subject: str


def find_encoded(value: str) -> Encoded | None:
    """Return the part of a value that holds a secret in base64, or None."""
    start = len(_SCHEME) if value[: len(_SCHEME)].lower() == _SCHEME else 0
    if " " in value[start:].rstrip():
        return None
    text = decode(value[start:])
    subject = None if text is None else next(_secrets_in(text), None)
    return None if subject is None else Encoded(Span(start, len(value.rstrip())), subject)


def decode(value: str) -> str | None:
    """Return the text that a value holds in base64, or None."""
    import base64

    packed = value if _BASE64.fullmatch(value) else "".join(value.split())
    if len(packed) % 4 == 1 or not _BASE64.fullmatch(packed):
        return None
    packed = packed.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        text = base64.b64decode(packed + "=" * (-len(packed) % 4)).decode("ascii")
    except ValueError:
        return None
    return text if all(char.isprintable() or char in "\t\r\n" for char in text) else None


def _secrets_in(text: str) -> Iterator[str]:
    folded = text.lower()
    yield from (token.name for token in find_tokens(text, folded) if token.severity is None)
    yield from (part.subject for part in find_parts(text, folded))
    yield from (f"`{name}`" for name, _ in find_json(text))
    if '"auths"' in text:
        yield "the login of a registry"
