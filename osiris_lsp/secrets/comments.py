"""Comments, and lines that do not parse: `key: value` without the help of a tree."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from osiris_lsp.refs import literal_defaults, literal_secrets
from osiris_lsp.secrets.literals import is_code, is_secret
from osiris_lsp.secrets.names import role
from osiris_lsp.text import Span, lazy

_LINE: Final = lazy(r"[^\r\n]*")
_ALIASED: Final = lazy(r"""([^\W\d][\w.-]{0,60})["']?[ \t]*:[ \t]*\*([\w.-]{1,60})""")
# A block scalar, or a quote that is not closed on its line.
_OPENING: Final = lazy(
    r"""[ \t]*(?:-[ \t]+)*["']?(?P<name>[^\W\d][\w.-]{0,60})["']?[ \t]*:
    (?:[ \t]+[|>][+\d-]{0,2}[ \t]*(?:\#.*)?|[ \t]+"[^"]*|[ \t]+'[^']*)$""",
    re.VERBOSE,
)
_STOPS: Final = (":", "?", ",", "")
_PAIR: Final = lazy(
    r"""[#!\s]*(?:-[ \t]+)?(?P<mark>["']?)(?P<name>[^\W\d][\w.-]{0,60})(?P=mark)
    [ \t]*(?P<sign>[:=])[ \t]*
    (?P<value>"[^"\r\n]*"?,?|'[^'\r\n]*'?,?|[^\s"'\[{&*!|>@%][^\r\n]*?)(?:[ \t]+\#.*|[ \t]*)$""",
    re.VERBOSE,
)


def find_comments(text: str, part: Span, quoted: Sequence[tuple[int, int]]) -> Iterator[Span]:
    """Yield the comments of a part of a text.

    `quoted` are the scalars, in order, in which `#` is text.
    """
    start, stop = part
    at = text.find("#", start, stop)
    while at >= 0:
        end = at + 1
        if at == start or text[at - 1] in " \t\r\n":
            inside = bisect_right(quoted, (at, stop)) - 1
            if inside < 0 or quoted[inside][1] <= at:
                match = _LINE.match(text, at, stop)
                end = match.end() if match else stop
                yield Span(at, end)
        at = text.find("#", end, stop)


def find_pair(line: str, loose: bool, signs: str = ":=") -> Iterator[tuple[str, Span]]:
    """Yield the name and the secret parts of a line `key: value`, also behind a `#`.

    `loose` lets passwords hold white space; in a comment that would be prose. `signs` are what may
    stand between key and value.
    """
    if not any(sign in line for sign in signs):
        return
    match = _PAIR.match(line)
    if match is None or match["sign"] not in signs:
        return
    kind = role(match["name"])
    if kind not in ("password", "token"):
        return
    start, end = match.span("value")
    if line[start] in "\"'":
        end -= line[end - 1] == ","
        end -= 1 if end > start + 1 and line[end - 1] == line[start] else 0
        start += 1
    value = line[start:end]
    if not loose and (any(map(str.isspace, value)) or value[-1:] in _STOPS or is_code(value)):
        return
    for part in (*literal_secrets(value), *literal_defaults(value)):
        if is_secret(kind, match["name"], value[part.start : part.end]):
            yield match["name"], Span(start + part.start, start + part.end)


def opens_block(line: str) -> str:
    """Return the name of the secret whose value goes on below a line, or an empty text."""
    match = _OPENING.match(line)
    if match is None or role(match["name"]) not in ("password", "token"):
        return ""
    return match["name"]


def find_anchored(text: str) -> Iterator[tuple[str, Span]]:
    """Yield the names and values of anchors that stand for secrets, in a text without a tree."""
    if "*" not in text or "&" not in text:
        return
    aliases = {match[2]: match[1] for match in _ALIASED.finditer(text)}
    for alias, name in aliases.items():
        if role(name) in ("password", "token"):
            pattern = rf"&{re.escape(alias)}[ \t]+([\"']?)([^\s\"',}}\]#][^\r\n\"',}}\]#]*)\1"
            for match in re.finditer(pattern, text):
                yield name, Span(*match.span(2))
