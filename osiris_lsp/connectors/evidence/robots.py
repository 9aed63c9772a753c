"""`robots.txt`: what a site lets a program read (RFC 9309)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_to_bytes

MAX_SIZE: Final = 512_000
"""Characters that are read; RFC 9309 wants at least 500 KiB."""


@dataclass(frozen=True)
class Robots:
    """Rules that are for us: (allowed, pattern)."""

    rules: Sequence[tuple[bool, str]] = ()

    def allow(self, path: str) -> bool:
        """Tell whether a path may be read: the longest pattern decides, and `allow` wins a tie."""
        if path == "/robots.txt":
            return True
        target = _normal(path)
        fitting = [
            (len(pattern), allowed) for allowed, pattern in self.rules if _fits(pattern, target)
        ]
        return max(fitting, default=(0, True))[1]


def read_robots(text: str, agent: str) -> Robots:
    """Return the rules of the groups for `agent`, or of those for all where it has none."""
    own: list[tuple[bool, str]] = []
    common: list[tuple[bool, str]] = []
    named = False
    for agents, rules in _groups(text[:MAX_SIZE]):
        if agent.lower() in agents:
            named = True
            own += rules
        elif "*" in agents:
            common += rules
    return Robots(tuple(own if named else common))


def _groups(text: str) -> Iterator[tuple[set[str], list[tuple[bool, str]]]]:
    agents: set[str] = set()
    rules: list[tuple[bool, str]] = []
    begun = False
    for line in text.lstrip("\ufeff").splitlines():
        name, colon, rest = line.partition("#")[0].partition(":")
        key, value = name.strip().lower(), rest.strip()
        if not colon:
            continue
        if key == "user-agent":
            if begun:
                yield agents, rules
                agents, rules, begun = set(), [], False
            token = re.match(r"[A-Za-z_-]+|\*", value)
            agents.add(token[0].lower() if token else "")
        elif key in ("allow", "disallow"):
            begun = True
            if value and agents:
                rules.append((key == "allow", _normal(value)))
    yield agents, rules


def _normal(path: str) -> str:
    """Return a path with the same octets always written in the same way."""
    octets = unquote_to_bytes(path.encode("utf-8", "replace"))
    return quote(octets, safe="/*$?=&:;,@!~+.()'%")


def _fits(pattern: str, path: str) -> bool:
    """Tell whether a path begins as a pattern says; `*` is anything, `$` the end."""
    whole = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    last = others.pop() if whole and others else None
    for piece in others:
        at = path.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    if last is not None:
        return path.endswith(last) and len(path) - len(last) >= at
    return not whole or at == len(path)
