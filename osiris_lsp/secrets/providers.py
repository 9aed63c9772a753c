"""Formats of tokens by who issues them (`providers.json`), with their checksums."""

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from osiris_lsp.finding import Severity
from osiris_lsp.refs import is_indirect
from osiris_lsp.text import Span

CANDIDATE: Final = re.compile(r"(?<!\{)(?<![\w~+-])[\w~+-]{16}|Q~|sig=")
"""What stands in every token; the name of a variable is none."""

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

LEAST: Final = 20
"""Characters of the shortest token."""

NEAR: Final = 200
"""Characters before a token in which the word that tells of it stands."""


class Provider:
    """A format: `marks` of which one stands in each text that holds such a token.

    A mark with `~` in front is a word in lower case near tokens that have no mark of their own.
    `check` names what else must hold.
    """

    __slots__ = ("_compiled", "check", "marks", "name", "source", "words")

    def __init__(self, data: dict[str, Any]) -> None:
        self.name: str = data["name"]
        self.marks = tuple(mark for mark in data["marks"] if mark[0] != "~")
        self.words = tuple(mark[1:] for mark in data["marks"] if mark[0] == "~")
        self.check: str = data.get("check", "")
        self.source: str = data["pattern"]
        self._compiled: re.Pattern[str] | None = None

    @property
    def pattern(self) -> re.Pattern[str]:
        """The pattern of the whole token; its group, if any, is the secret part."""
        if self._compiled is None:
            self._compiled = re.compile(rf"(?<![A-Za-z0-9])(?:{self.source})(?![A-Za-z0-9])")
        return self._compiled


class Token(NamedTuple):
    """A token in a text; `valid` whether its checksum holds, `severity` None is the rule's own."""

    name: str
    span: Span
    valid: bool
    severity: Severity | None


@cache
def providers() -> tuple[Provider, ...]:
    """Return the known formats."""
    path = os.path.join(os.path.dirname(__file__), "providers.json")
    with open(path, encoding="utf-8") as file:
        return tuple(map(Provider, json.load(file)))


@cache
def _marks() -> tuple[str, ...]:
    return tuple(dict.fromkeys(mark for provider in providers() for mark in provider.marks))


@cache
def _worded() -> tuple[tuple[str, Provider], ...]:
    return tuple((word, provider) for provider in providers() for word in provider.words)


def find_tokens(text: str, folded: str) -> Iterator[Token]:
    """Yield the tokens of a text; `folded` is the text in lower case.

    A token is long and holds no white space, so that marks are looked for in long words only.
    """
    words = " ".join(
        [word for word in text.split() if len(word) >= LEAST and CANDIDATE.search(word)]
    )
    if not words:
        return
    seen = {mark for mark in _marks() if mark in words}
    if seen:
        for provider in providers():
            if not seen.isdisjoint(provider.marks):
                yield from _matches(provider, text)
    for provider in dict.fromkeys([item for word, item in _worded() if word in folded]):
        for token in _matches(provider, text):
            before = folded[max(0, token.span.start - NEAR) : token.span.start]
            if any(word in before for word in provider.words):
                yield token


def _matches(provider: Provider, text: str) -> Iterator[Token]:
    for match in provider.pattern.finditer(text):
        span = Span(*match.span(match.lastindex or 0))
        value = text[span.start : span.end]
        if provider.check == "mixed" and not any(map(str.isdigit, value)):
            continue
        if not is_indirect(value) and not _is_dummy(value):
            name, valid, severity = _judge(provider, value)
            yield Token(name, span, valid, severity)


def _is_dummy(value: str) -> bool:
    """Tell whether one character makes up most of a token: `ghp_0000…`."""
    tail = value[-24:]
    return max(map(tail.count, set(tail))) * 2 > len(tail)


def _judge(provider: Provider, value: str) -> tuple[str, bool, Severity | None]:
    if provider.check == "crc32-base62":
        return provider.name, has_checksum(value), None
    if provider.check == "jwt":
        return _judge_jwt(provider.name, value)
    return provider.name, True, None


def has_checksum(token: str) -> bool:
    """Tell whether the last six characters of a GitHub or npm token are the CRC-32 of its body.

    https://github.blog/engineering/behind-githubs-new-authentication-token-formats/
    """
    import zlib

    body = token.partition("_")[2]
    number = zlib.crc32(body[:-6].encode())
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return digits.rjust(6, "0") == body[-6:]


def _judge_jwt(name: str, value: str) -> tuple[str, bool, Severity | None]:
    """Judge a signed token by its payload: Supabase gives out keys that are meant to be public."""
    header, payload = (_decoded(part) for part in value.split(".")[:2])
    if payload is None:
        return name, header is not None, None
    role = payload.get("role")
    if role == "service_role":
        return "a Supabase service_role key", True, None
    if role == "anon":
        return "a Supabase anon key", True, "info"
    return name, True, None


def _decoded(part: str) -> dict[str, Any] | None:
    import base64

    try:
        data = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
