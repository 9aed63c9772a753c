"""Grammars inside YAML values: `@family.alias`, `${...}`, and the literal part of a value."""

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from osiris_lsp.text import Span, lazy

NAME: Final = lazy(r"[a-z][a-z0-9_]*")
"""A family or alias name (CONN-004); match it as a whole, for `$` lets a newline through."""

_STRICT: Final = lazy(r"@([a-z][a-z0-9_]*)(?:\.([a-z][a-z0-9_]*))?")
_WIDE: Final = lazy(r"@([a-zA-Z0-9_-]+)(?:\.([a-zA-Z0-9_-]+))?")


class Reference(NamedTuple):
    """A reference to a connection; `alias` is None for the bare form `@family`."""

    family: str
    alias: str | None
    strict: bool

    def __str__(self) -> str:
        return f"@{self.family}" if self.alias is None else f"@{self.family}.{self.alias}"


def parse_reference(text: str) -> Reference | None:
    """Read `@family.alias` or `@family`; None where not even the runtime's wide form matches.

    `strict` tells whether CONN-004 holds; the wide form is what the existing runtime takes (R-07).
    """
    match = _STRICT.fullmatch(text)
    if match:
        return Reference(match[1], match[2], True)
    match = _WIDE.fullmatch(text)
    return Reference(match[1], match[2], False) if match else None


PROVIDERS: Final = ("vault", "aws-sm", "keyring", "file")
"""Credential providers that `${provider:...}` may name."""

_VARIABLE_NAME: Final = lazy(r"[A-Za-z_][A-Za-z0-9_]*")
_REFERENCE: Final = lazy(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_PARAMETER: Final = lazy(r"params\.[A-Za-z_][A-Za-z0-9_.-]*")
_NOT_IN_NAMES: Final = lazy(r"[^A-Z0-9_]")
_BLANK: Final = lazy(r"\s|$")
_OPENING: Final = lazy(r"\$\$\{|\$\{")

SegmentKind = Literal["literal", "variable", "provider", "parameter", "malformed"]


# The text itself is not repeated: it may stand in a secret field.
_NO_NAME: Final = "a name has letters, digits and `_`, and does not start with a digit"


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


def is_reference(value: str) -> bool:
    """Tell whether a value is one variable without a default, and nothing else."""
    return _REFERENCE.fullmatch(value) is not None


def segments(value: str) -> Iterator[Segment]:
    """Cut a value into literal text, variables, parameters, provider references and the rest."""
    at = 0
    search = 0
    last = value.rfind("}")
    while True:
        opening = _OPENING.search(value, search)
        if opening is None:
            break
        if opening[0] == "$${":
            close = value.find("}", opening.end()) if opening.end() <= last else -1
            search = opening.end() if close < 0 else close + 1
            continue
        if opening.start() > at:
            yield Segment("literal", at, opening.start())
        piece = _variable(value, opening.start(), last)
        yield piece
        at = search = piece.end
    if at < len(value):
        yield Segment("literal", at, len(value))


def _variable(value: str, start: int, last: int) -> Segment:
    """Read the piece that starts with `${`; `last` is where the last `}` of the value stands."""
    close = value.find("}", start) if start < last else -1
    nested = value.find("${", start + 2, close) if close >= 0 else -1
    if close < 0:
        stop = _BLANK.search(value, start)
        end = stop.start() if stop else len(value)
        return Segment("malformed", start, max(end, start + 2), reason="it has no closing `}`")
    if nested >= 0:
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
        reason = _NO_NAME if body.strip() else "it is empty"
        return Segment("malformed", start, end, reason=reason)
    rest = body[match.end() :]
    if not rest or rest.startswith(":?"):
        return Segment("variable", start, end, match[0])
    if rest.startswith(":-"):
        return Segment("variable", start, end, match[0], Span(start + 4 + match.end(), close))
    return Segment("malformed", start, end, reason=_NO_NAME)


def variable_name(*parts: str) -> str:
    """Return the name of the variable for a field: `FAMILY_ALIAS_FIELD`."""
    return _NOT_IN_NAMES.sub("_", "_".join(parts).upper())


# What stands for a secret without being one: templates, references to stores, encrypted values.
_INDIRECT: Final = lazy(
    r"""\{\{.*\}\}|\{%.*%\}|\$\(.*\)|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%|<%.*%>|\#\{.*\}\#?|@@\w+@@|__\w+__
    |%\(\w+\)[sd]|@[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*|@Microsoft\.KeyVault\(.*\)
    |(?:vault|op|ssm|env|file|keyring|aws-sm|awssm|gcp-sm|gcpsm|azkv|secret|secretref|secrets?-manager)
      :\S.*
    |ref\+\S+|arn:aws[\w-]*:(?:secretsmanager|ssm):\S+|projects/[^/\s]+/secrets/\S+
    |https://[\w-]+\.vault\.azure\.net/\S*|/(?:run|var/run|etc)/secrets/\S+
    |ENC\[.*\]|ENC\(.*\)|\{cipher\}.*|\$ANSIBLE_VAULT;.*|AgA[A-Za-z0-9+/=]{200,}
    |-----BEGIN[ ](?:[A-Z0-9 ]*PUBLIC[ ]KEY|CERTIFICATE)-----.*""",
    re.VERBOSE | re.DOTALL,
)

# What people write where a secret will stand later; matched in lower case.
_PLACEHOLDER: Final = lazy(
    r"""change[-_ ]?(?:me|it)|replace[-_ ]?(?:me|this|with\b.*)|todo|fixme|tbd|none|null|nil|n/?a
    |undefined|unset|true|false|redacted|masked|mask|hidden|placeholder|dummy|example|your\b.*
    |(?:example|sample|dummy|fake|placeholder)[-_ ](?:key|token|password|secret|value)
    |not[-_ ]a[-_ ](?:real|valid)[-_ ].*|my[-_].*here|insert\b.*|enter\b.*|put\b.*
    |.*[-_ ]goes[-_ ]here|.*[-_ ]here
    |(?:your|my|the|an?|some)[-_ ][a-z0-9_ -]*(?:key|token|password|secret|here)
    |(?:\w{2,10}[-_])?your[-_][a-z0-9_ -]+
    |<[^<>]*>|\[[^\[\]]*\]|\*+|•+|x{3,}|\.{2,}|-+|_+|\#+|0+
    |.*example(?:key)?|.*xxxx.*|.*\*\*\*.*|.*\.\.\.
    """,
    re.VERBOSE | re.DOTALL,
)
_AROUND: Final = "!?\"'`~:;,. "
_CAPITALS: Final = lazy(
    r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIALS?|API-?KEY|KEY"
)
_SCHEME: Final = lazy(r"(?:bearer|basic|token|apikey)(?:\s+|$)", re.IGNORECASE)

# References inside a longer text; what is between them is literal.
_TEMPLATE: Final = lazy(
    r"\{\{[^{}\r\n]*\}\}|\{%[^%\r\n]*%\}|<%[^%\r\n]*%>|\#\{[^{}\r\n]*\}\#?|\$\([^()\r\n]*\)|@@\w+@@"
)
_BRACED: Final = lazy(r"\$\{[^{}\r\n]*\}|" + _TEMPLATE.pattern)
_HOLE: Final = "\0"
_LITERAL: Final = lazy(r"[^\0]+")

# The fallback of a template: `{{ v | default('text') }}`, `{{ env_var('V', 'text') }}`.
_FALLBACK: Final = lazy(
    r"""\{\{[^{}]*?(?:\|\s*(?:default|d)\s*\(\s*|\b(?:env_var|env|getenv)\s*\(\s*["'][^"'{}]*["']\s*,\s*
    |\bor\s+)(?:"([^"{}]*)"|'([^'{}]*)')""",
    re.VERBOSE,
)

# The scheme has a limit, so that a long run of letters is not read again from each of them.
_URL: Final = lazy(r"\s*(?:[A-Za-z][A-Za-z0-9+.-]{0,30}:)+//")
_USERINFO: Final = lazy(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s/?#:@]*:([^\s/?#]*)@")
# A password may hold `/`, `?` or `#`, though it should not; what looks like a port is none.
_RAW_USERINFO: Final = lazy(
    r"\s*(?:[A-Za-z][A-Za-z0-9+.-]{0,30}:)+//[^\s/?#:@\[\]]*:(?!(?:\d{1,5}|\0+)(?:[/?#,;\s]|$))(\S+)@"
)
# An address as it should be; there is nothing to look for in it.
_GOOD_ADDRESS: Final = lazy(r"[A-Za-z][\w+.-]*://[\w.-]*:\$\{[A-Za-z_]\w*\}@[\w.:/,-]*")
_UNFINISHED: Final = lazy(
    r"\s*(?:[A-Za-z][A-Za-z0-9+.-]{0,30}:)+//"
    r"([^/?#:@\[\]]*:(?!(?:\d{1,5}|\0+)(?:[/?#,;\s]|$))(?P<password>.+(?=@)|[^@]+))",
    re.DOTALL,
)
_QUOTED: Final = r"""'(?:[^'\\\r\n]|\\.)*'|"[^"\r\n]*"|\{[^{}\r\n]*\}"""
_ASSIGNED: Final = lazy(
    r"""(?:^|[\s;?&])(?:password|passwd|pwd|(?:\w{0,20}_)?token|(?:shared_?)?access_?key|api_?key
    |account_?key|(?:client_?)?secret|sslpassword)[ \t]*=[ \t]*
    (?:'((?:[^'\\\r\n]|\\.)*)'|"([^"\r\n]*)"|\{([^{}\r\n]*)\}|([^\s;&'"]+))""",
    re.VERBOSE | re.IGNORECASE,
)
# `host=a password=b` (libpq), `Server=a;Password=b` (ADO): pairs and nothing else.
_PAIRS: Final = lazy(
    rf"""\s*[A-Za-z_][\w ]{{0,40}}=(?:{_QUOTED}|(?!\{{)[^\s;'"]*)
    (?:(?:\s*;\s*|\s+)[A-Za-z_][\w ]{{0,40}}=(?:{_QUOTED}|(?!\{{)[^\s;'"]*))+\s*;?\s*""",
    re.VERBOSE,
)

# With a single colon the name must look like one, for `${ssm:/path}` is a reference to a store.
_OTHER_DEFAULT: Final = lazy(
    r"\$\{(?:[A-Za-z_]\w*(?::=|=|-)|(?:[A-Z][A-Z0-9_]*|[a-z][\w-]*(?:\.[\w-]+)+):)([^{}$?+:=/-][^{}$]*)\}"
)

_ADDRESS: Final = lazy(
    r"(?:^|[\s;])(?:host|hostaddr|server|dbname|database|data source|addr|address|user|user id"
    r"|username|uid|port|driver|endpoint|accountname|defaultendpointsprotocol)\s*=",
    re.IGNORECASE,
)


def literal_secrets(value: str) -> tuple[Span, ...]:
    """Return the parts of a secret value that are written out, as spans in the value.

    References (`${V}`, `{{ v }}`, `vault:…`), encrypted values and placeholders have none. In a
    connection string only the password and tokens count. The text of a default (`${V:-text}`) is
    left to `literal_defaults`; that of a template counts.
    """
    if not value.strip() or is_reference(value):
        return ()
    fallbacks = tuple(_fallbacks(value)) if "{{" in value else ()
    if fallbacks or is_indirect(value):
        return fallbacks
    masked = _TEMPLATE.sub(_hole, _without_variables(value))
    if _URL.match(value) or ("=" in value and _ADDRESS.search(value) and _PAIRS.fullmatch(masked)):
        return tuple(connection_string_secrets(value))
    mixed = _HOLE in masked
    found = []
    for match in _LITERAL.finditer(masked):
        start, end = _trim(value, *match.span())
        scheme = _SCHEME.match(value, start, end)
        if scheme and (mixed or scheme.end() < end):
            start = scheme.end()
        if _is_written(value[start:end], mixed):
            found.append(Span(start, end))
    return tuple(found)


def literal_defaults(value: str) -> tuple[Span, ...]:
    """Return the non-empty literal defaults of the variables in a value (`${V:-default}`).

    Other tools write them as `${V-default}`, `${V:=default}` and `${V:default}`.
    """
    found = []
    for piece in segments(value):
        default = piece.default
        if piece.kind == "malformed":
            match = _OTHER_DEFAULT.match(value, piece.start, piece.end)
            default = Span(*match.span(1)) if match else None
        if default is not None and not is_indirect(value[slice(*default)]):
            found.append(default)
    return tuple(found)


def connection_string_secrets(value: str) -> Iterator[Span]:
    """Yield the passwords written out in URLs, libpq and ADO connection strings in a text."""
    if _GOOD_ADDRESS.fullmatch(value):
        return
    masked = without_references(value)
    logins = list(_USERINFO.finditer(masked)) if "@" in masked else []
    raw = _RAW_USERINFO.match(masked) if "@" in masked and not logins else None
    matches = [
        *(logins if raw is None else [raw]),
        *(_ASSIGNED.finditer(masked) if "=" in masked else ()),
    ]
    at = 0
    for match in sorted(matches, key=lambda match: match.span(match.lastindex or 0)):
        start, end = match.span(match.lastindex or 0)
        if start < at:
            continue
        at = end
        mixed = _HOLE in masked[start:end]
        for part in _LITERAL.finditer(masked, start, end):
            text = value[slice(*part.span())]
            if "${" not in text and _is_written(text, mixed):
                yield Span(*part.span())


def unfinished_password(value: str) -> Span | None:
    """Return what may be the password of an address that somebody is writing.

    Its `@` may lack still, or white space stand in it.
    """
    match = _UNFINISHED.match(without_references(value))
    if match is None or ("@" in value and not any(map(str.isspace, match[1]))):
        return None
    return Span(*match.span("password"))


def without_references(value: str) -> str:
    """Return a text with the references inside it blanked; no offset changes."""
    if "{" in value or "$(" in value or "@@" in value:
        return _BRACED.sub(_hole, value)
    return value


def is_indirect(value: str) -> bool:
    """Tell whether a value names, encrypts or stands in for a secret instead of being one."""
    text = value.strip()
    if not text:
        return True
    if _INDIRECT.fullmatch(text) or _CAPITALS.fullmatch(text):
        return True
    folded = text.lower()
    return bool(
        _PLACEHOLDER.fullmatch(folded) or _PLACEHOLDER.fullmatch(folded.strip(_AROUND) or "-")
    )


def _is_written(text: str, mixed: bool) -> bool:
    """Tell whether a literal piece is a secret; between references, separators are not."""
    if mixed and sum(char.isalnum() for char in text) < 4:
        return False
    return not is_indirect(text)


def _without_variables(value: str) -> str:
    """Return a value with everything that is not literal blanked; no offset changes."""
    return "".join(
        value[piece.start : piece.end]
        if piece.kind == "literal"
        else _HOLE * (piece.end - piece.start)
        for piece in segments(value)
    )


def _hole(match: re.Match[str]) -> str:
    return _HOLE * (match.end() - match.start())


def _fallbacks(value: str) -> Iterator[Span]:
    for match in _FALLBACK.finditer(value):
        group = match.lastindex or 0
        if match[group] and not is_indirect(match[group]):
            yield Span(*match.span(group))


def _trim(value: str, start: int, end: int) -> tuple[int, int]:
    while start < end and value[start].isspace():
        start += 1
    while end > start and value[end - 1].isspace():
        end -= 1
    return start, end
