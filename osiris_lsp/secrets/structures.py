"""Secrets inside longer texts: addresses, `key=value`, headers, SQL, command lines, PEM."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from osiris_lsp.refs import (
    connection_string_secrets,
    is_reference,
    literal_defaults,
    literal_secrets,
    without_references,
)
from osiris_lsp.secrets import Kind
from osiris_lsp.secrets.literals import is_code, is_secret, looks_random
from osiris_lsp.secrets.names import Role, role, word_set
from osiris_lsp.text import Span, lazy

_RUN: Final = lazy(r"://[^\s'\"`<>]{3,2000}")
_USERINFO: Final = lazy(r"://([^\s/?#:@]*):([^\s/?#]{1,300})@(?=[\w\[%.\0-])")
# Addresses of drivers that are no URLs, and the lines of .netrc: a mark, and where the password is.
_LOGINS: Final = (
    ("jdbc:oracle:", lazy(r"jdbc:oracle:\w+:[^\s/:@{]+/([^\s@{$]+)@")),
    ("@tcp(", lazy(r"(?<![\w.-])[\w.-]+:([^\s@/:{$]+)@tcp\(")),
    ("@unix(", lazy(r"(?<![\w.-])[\w.-]+:([^\s@/:{$]+)@unix\(")),
    ("machine ", lazy(r"\bmachine[ \t]+\S+\s+login[ \t]+\S+\s+password[ \t]+(\S+)")),
)
_BEFORE: Final = lazy(r"[A-Za-z_][\w.-]{0,60}[ \t]?$")
_VALUE: Final = lazy(
    r"""(?![=>~])[ \t]{0,2}(?:\\?'((?:[^'\\\r\n]|\\.){0,1000}?)\\?'
    |\\?"((?:[^"\\\r\n]|\\.){0,1000}?)\\?"
    |\{(?!\{)([^{}\r\n]{0,1000})\}
    |((?:\$\{[^}\r\n]{0,200}\}|\{\{[^}\r\n]{0,200}\}\}|[^\s;&'"`<>|]){1,4000}))""",
    re.VERBOSE,
)
_BARE: Final = 4
"""The group of a value without quotes."""

_PEM: Final = lazy(
    r"-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?)-----"
    r"(?:(?s:(?P<body>.{1,12000}?))-----END \1-----|[\w+/=\s\\,:.#-]{0,12000})"
)
_HEADER: Final = lazy(
    r"""\b(?P<name>(?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]{1,40}|[\w-]{0,30}api-?key
    |private-token)["']?[ \t]*:[ \t]*["']?
    (?P<scheme>(?:bearer|basic|token|apikey|bot)[ \t]+)?(?P<value>[^\s"'`,;<>{}][^\s"'`,;<>]*)""",
    re.VERBOSE | re.IGNORECASE,
)
_BEARER: Final = lazy(r"\b(?:Bearer|bearer)[ \t]+([A-Za-z0-9+/=_.~-]{12,})")
_SQL: Final = lazy(
    r"(?i)\b(identified\s+(?:with\s+\S+\s+)?by(?:\s+password)?|password|secret|token)[ \t]+"
    r"(?:'([^'\r\n]+)'|\\?\"([^\"\\\r\n]+)\\?\")"
)
_FLAG: Final = lazy(
    r"(?<![\w-])--?([A-Za-z][\w-]{2,40})[ \t]+(?:'([^'\r\n]+)'|\"([^\"\r\n]+)\"|([^\s'\"-]\S*))"
)
_USER: Final = lazy(r"(?<!\S)(?:-u|--user)[ =]['\"]?[^\s:'\"]+:([^\s'\"]+)")
_JSON: Final = lazy(r'\\?"([\w.-]{2,60})\\?"\s*:\s*(?:\[\s*)?\\?"((?:[^"\\\r\n]|\\[^"])+)\\?"')


class Part(NamedTuple):
    """A secret part of a text; `subject` is what messages call it."""

    kind: Kind
    span: Span
    subject: str


def find_parts(text: str, folded: str) -> Iterator[Part]:
    """Yield the secrets in the structures of a text; `folded` is the text in lower case."""
    if "PRIVATE KEY" in text:
        yield from _pem(text)
    if "://" in text and "@" in text:
        yield from _addresses(text)
    for mark, pattern in _LOGINS:
        if mark in text:
            for match in pattern.finditer(text):
                if is_secret("password", "", match[1]) and not is_code(match[1]):
                    span = Span(*match.span(1))
                    yield Part("url-credentials", span, "the password in the address")
    if "=" in text:
        yield from _assignments(text)
    if "authorization" in folded or "x-" in folded or "api-key" in folded or "cookie" in folded:
        yield from _headers(text)
    if "earer " in text:
        for match in _BEARER.finditer(text):
            if is_secret("token", "", match[1]) and _is_irregular(match[1]):
                yield Part("plaintext-secret", Span(*match.span(1)), "the bearer token")
    if "'" in text or '"' in text:
        yield from _sql(text, folded)
    if " --" in text or '"--' in text or "'--" in text or " -u " in text:
        yield from _flags(text)


def _pem(text: str) -> Iterator[Part]:
    for match in _PEM.finditer(text):
        body = match["body"]
        if body is None or sum(map(str.isalnum, body)) >= 40:
            end = match.start() + len(match[0].rstrip())
            yield Part("private-key", Span(match.start(), end), "the private key")


def _addresses(text: str) -> Iterator[Part]:
    for run in _RUN.finditer(text):
        if "@" in run[0]:
            yield from _address(run[0], run.start())


def _address(run: str, offset: int) -> Iterator[Part]:
    match = _USERINFO.match(without_references(run))
    if match is None or (match[2].lower() in _STAND_INS and match[1].lower() in _USERS):
        return
    start, end = match.span(2)
    value = run[start:end]
    if is_reference(value):
        return
    start += offset
    for part in connection_string_secrets(f"x://:{value}@"):
        span = Span(start + part.start - 5, start + part.end - 5)
        yield Part("url-credentials", span, "the password in the address")
    for part in literal_defaults(value):
        span = Span(start + part.start, start + part.end)
        yield Part("secret-default", span, "the default of the password in the address")


_STAND_INS: Final = word_set("password passwd pass pwd pw secret token")
_USERS: Final = word_set("user username usr name login me foo dbuser db_user")


def _assignments(text: str) -> Iterator[Part]:
    """Yield secrets of `name=value`: variables, connection strings, queries of addresses."""
    at = text.find("=")
    while at >= 0:
        following = at + 1
        before = _BEFORE.search(text, max(0, at - 62), at)
        if before is not None:
            name = before[0].rstrip()
            kind = role(name.rpartition(".")[2] or name)
            if kind or name.lower() in _QUERY:
                value = _VALUE.match(text, following)
                if value is not None:
                    yield from _assigned(text, at, name, kind or "maybe", value)
                    following = value.end()
        at = text.find("=", following)


_QUERY: Final = frozenset(("sig", "code", "key", "subscription-key"))


def _assigned(text: str, at: int, name: str, kind: Role, match: re.Match[str]) -> Iterator[Part]:
    group = match.lastindex or 0
    start, end = match.span(group)
    spaced = text[at - 1].isspace()
    if group == _BARE:
        end = start + len(text[start:end].rstrip(",)]}\\" if "{" not in match[group] else ",)\\"))
        apart = spaced or text[at + 1].isspace()
        if apart and not (_is_line(text, at, end) and _is_irregular(text[start:end])):
            return  # prose, code or a condition
    elif spaced and kind == "maybe":
        return
    value = text[start:end]
    if not value or is_code(value) or (group == _BARE and value.lower() == name.lower()):
        return  # an argument may go by the name of a variable
    for part in literal_secrets(value):
        if is_secret(kind, name, value[part.start : part.end]):
            in_url = "://" in text[_token_start(text, at) : at]
            subject = f"`{name}` in the address" if in_url else f"`{name}`"
            span = Span(start + part.start, start + part.end)
            yield Part("url-credentials" if in_url else "plaintext-secret", span, subject)


def _is_line(text: str, at: int, end: int) -> bool:
    """Tell whether a line holds `name = value` and nothing else, as files of settings do."""
    start = text.rfind("\n", max(0, at - 100), at) + 1
    if start == 0 and at > 100:
        return False
    return text[end : end + 1] in ("", "\r", "\n") and len(text[start:at].split()) == 1


def _token_start(text: str, at: int) -> int:
    """Return where the run without white space begins in which an offset lies."""
    low = max(0, at - 600)
    return max((text.rfind(char, low, at) for char in " \t\n\"'`"), default=low) + 1


def _headers(text: str) -> Iterator[Part]:
    for match in _HEADER.finditer(text):
        name = match["name"]
        kind = role(name)
        value = match["value"]
        if kind not in ("password", "token") or not is_secret("token", name, value):
            continue
        if match["scheme"] or _is_irregular(value):
            for part in literal_secrets(value):
                start = match.start("value")
                span = Span(start + part.start, start + part.end)
                yield Part("plaintext-secret", span, f"`{name}`")


# One of them stands in each statement that gives a secret.
_SUBJECTS: Final = ("identified", "password", "secret", "token")
_STATEMENTS: Final = (
    "identified ",
    "create secret",
    "or replace secret",
    "persistent secret",
    "create user",
    "create role",
    "alter user",
    "alter role",
    "set password",
)


def _sql(text: str, folded: str) -> Iterator[Part]:
    if not any(map(folded.__contains__, _SUBJECTS)):
        return
    if not any(map(folded.__contains__, _STATEMENTS)):
        return
    for match in _SQL.finditer(text):
        group = match.lastindex or 0
        if is_secret("password", "", match[group]) and not is_code(match[group]):
            word = match[1].split()[0].lower()
            yield Part("plaintext-secret", Span(*match.span(group)), f"the secret after `{word}`")


def _flags(text: str) -> Iterator[Part]:
    for match in _FLAG.finditer(text):
        kind = role(match[1])
        group = match.lastindex or 0
        value = match[group].rstrip(",)]}\"'")
        if kind not in ("password", "token") or is_code(value):
            continue
        if is_secret(kind, match[1], value) and (kind == "token" or "--" in match[0]):
            for part in literal_secrets(value):
                start = match.start(group)
                span = Span(start + part.start, start + part.end)
                yield Part("plaintext-secret", span, f"the value of `--{match[1]}`")
    for match in _USER.finditer(text):
        if is_secret("password", "", match[1]) and not is_code(match[1]):
            yield Part("plaintext-secret", Span(*match.span(1)), "the password of `--user`")


def find_json(value: str) -> Iterator[tuple[str, Span]]:
    """Yield the names and spans of secrets in a text that is JSON."""
    for match in _JSON.finditer(value):
        kind = role(match[1])
        if kind in ("password", "token") and "PRIVATE KEY" not in match[2]:
            for part in literal_secrets(match[2]):
                if is_secret(kind, match[1], match[2][part.start : part.end]):
                    start = match.start(2)
                    yield match[1], Span(start + part.start, start + part.end)


def _is_irregular(value: str) -> bool:
    return looks_random(value) or (len(value) > 15 and any(char.isdigit() for char in value))
