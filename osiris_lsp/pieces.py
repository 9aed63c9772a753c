"""Cut a text into pieces that can be read alone: the steps, or the connections, of a file.

Only text of the ordinary layout is cut. Whether the pieces mean the same alone as together is for
`assembly` to say: a line inside a quoted value may look like the start of a piece.
"""

import re
from itertools import repeat
from typing import Final, NamedTuple

from osiris_lsp.text import Span, lazy

_TOP: Final = lazy(r"(steps|connections):[ \t]*(?:#[^\r\n]*)?\r?(?=\n)")
_KEYS: Final = ("steps:", "connections:")
_STEPS: Final = "steps:\n"
_CONTENT: Final = lazy(r"\n( *)(?=[^\s#])")
_TAIL: Final = lazy(r"\n[A-Za-z_][\w.-]*:(?=\s|\Z)")
_NAME: Final = r"""(?:[A-Za-z_][\w.-]*|"[^"\r\n]*"|'[^'\r\n]*')[ \t]*:"""
# Documents and directives, merge keys, and what starts a line for PyYAML but not for an editor.
_NEVER: Final = ("\n---", "\n...", "\n%", "<<", "\ufeff", "\x85", "\u2028", "\u2029")


class Group(NamedTuple):
    """A key whose entries are cut: `steps`, or a family; `context` are the lines to read one below.

    `key` is the offset of the key, `name` the key as it is written.
    """

    key: int
    name: str
    context: str

    @property
    def is_list(self) -> bool:
        """Whether the entries are the steps of a pipeline."""
        return self.context == _STEPS


class Piece(NamedTuple):
    """One step or connection with the blank lines and comments behind it."""

    start: int
    end: int
    group: Group


class Cut(NamedTuple):
    """A text as a frame and pieces; `frame` are the ranges that are left, in order."""

    frame: tuple[Span, ...]
    pieces: tuple[Piece, ...]


def cut(text: str) -> Cut | None:
    """Cut a text at its steps or connections; None where its layout is another one."""
    # A single character is found much faster than several.
    if any(word[-1] in text and word in text for word in _NEVER):
        return None
    if text.startswith(("---", "...", "%")):
        return None
    if "\r" in text and text.count("\r") != text.count("\r\n"):
        return None
    lines = [text.find("\n" + key) + 1 for key in _KEYS]
    starts = [0] if text.startswith(_KEYS) else [start for start in lines if start]
    top = _TOP.match(text, starts[0]) if len(starts) == 1 else None
    first = None if top is None else _CONTENT.search(text, top.end())
    if top is None or first is None:
        return None
    indent = len(first[1])
    stop = _body_end(text, top.end(), indent)
    if stop is None or stop <= first.start():
        return None
    body = Span(top.end(), stop)
    pieces = (
        _steps(text, top.start(), body, indent)
        if top[1] == "steps"
        else _connections(text, body, indent)
    )
    return Cut(_frame(text, pieces), tuple(pieces)) if pieces else None


def _body_end(text: str, start: int, indent: int) -> int | None:
    """Return where the lines below a top-level key end; None where one fits nowhere."""
    if indent == 0:
        tail = _TAIL.search(text, start)
        return len(text) if tail is None else tail.start() + 1
    outside = _outside(indent).search(text, start)
    if outside is None:
        return len(text)
    return outside.start() + 1 if _TAIL.match(text, outside.start()) else None


def _outside(indent: int) -> re.Pattern[str]:
    """Return what finds a line that is indented less."""
    return re.compile(rf"\n(?! {{{indent}}})[ \t]*[^\s#]")


def _steps(text: str, key: int, body: Span, indent: int) -> list[Piece]:
    group = Group(key, "steps", _STEPS)
    entry = re.compile(rf"\n {{{indent}}}-(?=\s|\Z)")
    return _entries(text, body, entry, group)


def _connections(text: str, body: Span, indent: int) -> list[Piece]:
    if indent == 0:
        return []
    context = f"connections:\n{' ' * indent}x:\n"
    line = re.compile(rf"\n {{{indent}}}(?=[^\s#])")
    heading = re.compile(rf"\n {{{indent}}}({_NAME})[ \t]*(?:#[^\r\n]*)?\r?(?=\n)")
    lines = [match.start() for match in line.finditer(text, *body)]
    pieces = []
    for start, end in zip(lines, [*lines[1:], body.end - 1], strict=True):
        head = heading.match(text, start)
        if head is None:
            continue
        below = Span(head.end(), end + 1)
        first = _CONTENT.search(text, *below)
        if first is None or len(first[1]) <= indent:
            continue
        inner = len(first[1])
        if _outside(inner).search(text, *below) is None:
            entry = re.compile(rf"\n {{{inner}}}(?={_NAME}(?:\s|\Z))")
            group = Group(start + 1 + indent, head[1], context)
            pieces += _entries(text, below, entry, group)
    return pieces


def _entries(text: str, body: Span, entry: re.Pattern[str], group: Group) -> list[Piece]:
    """Return the pieces of a group, or none where its first line starts no piece."""
    starts = [match.start() + 1 for match in entry.finditer(text, *body)]
    first = _CONTENT.search(text, *body)
    if not starts or first is None or first.start() + 1 != starts[0]:
        return []
    return [*map(Piece._make, zip(starts, [*starts[1:], body.end], repeat(group)))]


def _frame(text: str, pieces: list[Piece]) -> tuple[Span, ...]:
    bounds = [0]
    for piece in pieces:
        bounds += [piece.start, piece.end]
    bounds.append(len(text))
    spans = zip(bounds[0::2], bounds[1::2], strict=True)
    return tuple(Span(start, end) for start, end in spans if start < end)
