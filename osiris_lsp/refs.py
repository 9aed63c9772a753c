"""Grammars inside YAML values: `@family.alias`, `${...}`, and the literal part of a value."""

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from osiris_lsp.text import Span

NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
"""A family or alias name (CONN-004); match it as a whole, for `$` lets a newline through."""

_STRICT: Final = re.compile(r"@([a-z][a-z0-9_]*)(?:\.([a-z][a-z0-9_]*))?")
_WIDE: Final = re.compile(r"@([a-zA-Z0-9_-]+)(?:\.([a-zA-Z0-9_-]+))?")


class Reference(NamedTuple):
    """A reference to a connection; `alias` is None for the bare form `@family`."""

    family: str
    alias: str | None
    strict: bool

    def __str__(self) -> str:
        return f"@{self.family}" if self.alias is None else f"@{self.family}.{self.alias}"


def parse_reference(text: str) -> Reference | None:
    """Read `@family.alias` or `@family`; None where not even the runtime's wide form matches.

    `strict` tells whether CONN-004 holds; the wide form is what the existing runtime accepts (R-07).
    """
    match = _STRICT.fullmatch(text)
    if match:
        return Reference(match[1], match[2], True)
    match = _WIDE.fullmatch(text)
    return Reference(match[1], match[2], False) if match else None


PROVIDERS: Final = ("vault", "aws-sm", "keyring", "file")
"""Credential providers that `${provider:...}` may name."""

_VARIABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PARAMETER: Final = re.compile(r"params\.[A-Za-z_][A-Za-z0-9_.-]*")
_NOT_IN_NAMES: Final = re.compile(r"[^A-Z0-9_]")
_BLANK: Final = re.compile(r"\s|$")
_OPENING: Final = re.compile(r"\$\$\{|\$\{")

SegmentKind = Literal["literal", "variable", "provider", "parameter", "malformed"]


class Segment(NamedTuple):
    """A piece of a value; `start` and `end` are offsets in the value.

    `name` is the variable or provider; `default` the span of the text behind `:-`, else None;
    `reason` says what is wrong with a malformed piece.
    """

    kind: SegmentKind
    start: int
    end: int
    name: str = ""
    default: Span | None = None
    reason: str = ""


def has_variable(value: str) -> bool:
    """Tell whether a value holds `${`, so that its type is unknown before resolution."""
    return "${" in value


def segments(value: str) -> Iterator[Segment]:
    """Cut a value into literal text, variables, pipeline parameters, provider references and
    malformed pieces.
    """
    at = 0
    search = 0
    while True:
        opening = _OPENING.search(value, search)
        if opening is None:
            break
        if opening[0] == "$${":
            close = value.find("}", opening.end())
            search = opening.end() if close < 0 else close + 1
            continue
        if opening.start() > at:
            yield Segment("literal", at, opening.start())
        piece = _variable(value, opening.start())
        yield piece
        at = search = piece.end
    if at < len(value):
        yield Segment("literal", at, len(value))


def _variable(value: str, start: int) -> Segment:
    close = value.find("}", start)
    nested = value.find("${", start + 2)
    if close < 0:
        stop = _BLANK.search(value, start)
        end = stop.start() if stop else len(value)
        return Segment("malformed", start, max(end, start + 2), reason="it has no closing `}`")
    if 0 <= nested < close:
        outer = value.find("}", close + 1)
        end = close + 1 if outer < 0 else outer + 1
        return Segment("malformed", start, end, reason="a variable cannot stand inside another")
    end = close + 1
    body = value[start + 2 : close]
    provider, colon, _ = body.partition(":")
    if colon and provider in PROVIDERS:
        if len(body) == len(provider) + 1:
            return Segment("malformed", start, end, reason=f"`{provider}:` names no secret")
        return Segment("provider", start, end, name=provider)
    if _PARAMETER.fullmatch(body):
        return Segment("parameter", start, end, name=body[7:])
    match = _VARIABLE_NAME.match(body)
    if match is None:
        reason = "it is empty" if not body.strip() else f"`{body}` is no variable name"
        return Segment("malformed", start, end, reason=reason)
    rest = body[match.end() :]
    if not rest or rest.startswith(":?"):
        return Segment("variable", start, end, match[0])
    if rest.startswith(":-"):
        return Segment("variable", start, end, match[0], Span(start + 4 + match.end(), close))
    return Segment("malformed", start, end, reason=f"`{body}` is no variable name")


def variable_name(*parts: str) -> str:
    """Return the name of the variable for a field: `FAMILY_ALIAS_FIELD`."""
    return _NOT_IN_NAMES.sub("_", "_".join(parts).upper())


# What stands for a secret without being one: templates, references to stores, encrypted values.
_INDIRECT: Final = re.compile(
    r"""\{\{.*\}\}|\{%.*%\}|\$\(.*\)|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%|<%.*%>
    |(?:vault|op|ssm|env|file|keyring|aws-sm|awssm|gcp-sm|gcpsm|azkv|secret|secretref|secrets?-manager)
      :\S.*
    |ref\+\S+|arn:aws[\w-]*:(?:secretsmanager|ssm):\S+|projects/[^/\s]+/secrets/\S+
    |https://[\w-]+\.vault\.azure\.net/\S*|/(?:run|var/run|etc)/secrets/\S+
    |ENC\[.*\]|ENC\(.*\)|\{cipher\}.*|\$ANSIBLE_VAULT;.*|AgA[A-Za-z0-9+/=]{200,}""",
    re.VERBOSE | re.DOTALL,
)

# What people write where a secret will stand later.
_PLACEHOLDER: Final = re.compile(
    r"""(?:change[-_ ]?(?:me|it)|replace[-_ ]?(?:me|this|with\b.*)|todo|fixme|tbd|none|null|nil|n/?a
      |true|false|redacted|masked|hidden|secret|password|placeholder|dummy|example|your\b.*|my[-_].*here
      |insert\b.*|enter\b.*|put\b.*|add\b.*here|.*[-_ ]goes[-_ ]here|.*[-_ ]here
      |(?:your|my|the|an?|some)[-_ ][a-z0-9_ -]*(?:key|token|password|secret|here)
      |(?:\w{2,10}[-_])?your[-_][a-z0-9_ -]+)
    |<[^<>]*>|\[[^\[\]]*\]|\*+|•+|x{3,}|\.{2,}|-+|_+|\#+|0+
    |(?i:.*example)|.*(?i:xxxx).*|.*\*\*\*.*|.*\.\.\.
    """,
    re.VERBOSE | re.DOTALL,
)
_CAPITALS: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_SCHEME: Final = re.compile(r"\s*(?:Bearer|Basic|Token|token|bearer|basic|ApiKey)\s*")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_USERINFO: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:([^\s/?#:@]*)(?::([^\s/?#]*))?@)")
_ASSIGNED: Final = re.compile(
    r"(?i)(?:^|[\s;?&])(?:password|passwd|pwd|token|api_?key|access_?key|secret|sslpassword)\s*=\s*"
    r"('[^']*'|[^\s;&']+)"
)


def literal_secrets(value: str) -> tuple[Span, ...]:
    """Return the parts of a secret value that are written out, as spans in the value.

    References (`${V}`, `{{ v }}`, `vault:…`), encrypted values and placeholders have none. In a
    connection string only the password and tokens count. The text of a default (`${V:-text}`) is
    left to `literal_defaults`.
    """
    if not value.strip() or is_indirect(value):
        return ()
    if _URL.match(value.strip()) or (" " in value and _ASSIGNED.search(value)):
        return tuple(connection_string_secrets(value))
    pieces = [piece for piece in segments(value) if piece.kind == "literal"]
    mixed = len(pieces) != 1 or pieces[0].end - pieces[0].start != len(value)
    found = []
    for piece in pieces:
        start, end = _trim(value, piece.start, piece.end)
        text = value[start:end]
        scheme = _SCHEME.match(text)
        if scheme:
            start += scheme.end()
            text = value[start:end]
        if mixed and sum(char.isalnum() for char in text) < 4:
            continue
        if text and not is_indirect(text):
            found.append(Span(start, end))
    return tuple(found)


def literal_defaults(value: str) -> tuple[Span, ...]:
    """Return the non-empty literal defaults of the variables in a value (`${V:-default}`)."""
    return tuple(
        piece.default
        for piece in segments(value)
        if piece.default is not None
        and value[piece.default.start : piece.default.end].strip()
        and not is_indirect(value[piece.default.start : piece.default.end])
    )


def connection_string_secrets(value: str) -> Iterator[Span]:
    """Yield the passwords written out in a URL, libpq or ADO connection string."""
    for match in _USERINFO.finditer(value):
        group = 2 if match[2] is not None else 0
        if group:
            yield from _written(value, Span(*match.span(group)))
    for match in _ASSIGNED.finditer(value):
        yield from _written(value, Span(*match.span(1)))


def _written(value: str, span: Span) -> Iterator[Span]:
    text = value[span.start : span.end]
    if text and "${" not in text and not is_indirect(text):
        yield span


def is_indirect(value: str) -> bool:
    """Tell whether a value names, encrypts or stands in for a secret instead of being one."""
    text = value.strip()
    if not text:
        return True
    return bool(
        _INDIRECT.fullmatch(text)
        or _PLACEHOLDER.fullmatch(text.lower())
        or _CAPITALS.fullmatch(text)
    )


def _trim(value: str, start: int, end: int) -> tuple[int, int]:
    while start < end and value[start].isspace():
        start += 1
    while end > start and value[end - 1].isspace():
        end -= 1
    return start, end
