"""The outline of a text: keys and list items, and the places where the cursor was met."""

from typing import Final, Literal, NamedTuple

from osiris_lsp.text import LineIndex, Span, lazy
from osiris_lsp.tree import MAX_DEPTH

Role = Literal["key", "value", "item", "comment"]

_BLANKS: Final = lazy(r"[ \t]*")
QUOTED: Final = lazy(r'"((?:[^"\\\r\n]|\\.)*)"|' + r"'((?:[^'\r\n]|'')*)'")
_COMMENT: Final = lazy(r"[ \t]#")
_WORD: Final = lazy(r"[\w@.$-]*")


class Entry:
    """A key with its value, a list item (`key` is None), or the document itself.

    `path` is how it is reached, `text` the value where it is written as a scalar, and `flow` tells
    whether it is in brackets.
    """

    __slots__ = ("children", "column", "flow", "key", "parent", "path", "start", "text")

    def __init__(self, key: str | None, column: int, parent: "Entry | None", start: int) -> None:
        self.key = key
        self.column = column
        self.parent = parent
        self.start = start
        self.children: list[Entry] = []
        self.text = ""
        self.flow = False
        self.path: tuple[str | int, ...] = ()
        if parent is not None:
            part = len(parent.children) if key is None else key
            self.path = (*parent.path, part) if len(parent.path) < MAX_DEPTH else parent.path
            parent.children.append(self)

    @property
    def child_column(self) -> int:
        """The column of what stands, or would stand, below."""
        if self.children and not self.flow:
            return self.children[0].column
        return 0 if self.parent is None else self.column + 2


class Place(NamedTuple):
    """What can be completed at the cursor.

    `entry` is what holds a key, the key of a value, or the list item; `span` what was typed without
    its quotes, `typed` the part of it before the cursor. `quote` is the opening quote and `closed`
    whether there is another behind; `colon` whether a key has one already. `indent` is the column
    to move to where the cursor stands elsewhere on an empty line; `below` whether the value stands
    on a line of its own.
    """

    role: Role
    entry: Entry
    span: Span
    typed: str
    quote: str = ""
    closed: bool = False
    colon: bool = False
    flow: bool = False
    indent: int | None = None
    below: bool = False


class Cursor:
    """A cursor in a text, and what it was met at; it stays on its line."""

    def __init__(self, text: str, lines: LineIndex, offset: int) -> None:
        self.text = text
        self.lines = lines
        self.offset = min(max(offset, 0), len(text))
        self.row = lines.position(self.offset).line
        self.offset = min(self.offset, lines.line_span(self.row).end)
        self.places: list[Place] = []

    def add(
        self,
        role: Role,
        entry: Entry,
        span: Span,
        quote: str = "",
        closed: bool = False,
        colon: bool = False,
        flow: bool = False,
    ) -> None:
        """Note a place."""
        typed = self.text[span.start : self.offset]
        self.places.append(Place(role, entry, span, typed, quote, closed, colon, flow))

    def comment(self, at: int) -> None:
        """Note that the cursor stands in the comment that starts there."""
        self.add("comment", Entry(None, -1, None, 0), Span(at, self.offset))

    def comment_behind(self, at: int, end: int) -> None:
        """Note a cursor in the comment behind a value, if there is one."""
        note = _COMMENT.search(self.text, at, end)
        if note is not None and note.end() <= self.offset:
            self.comment(note.end() - 1)

    def scalar(self, at: int, end: int) -> tuple[Span, str, bool]:
        """Return where the content of a scalar is, its quote, and whether that is closed."""
        text = self.text
        match = QUOTED.match(text, at, end)
        if match:
            return Span(at + 1, match.end() - 1), text[at], True
        if text[at] in "\"'":
            # Nobody knows where an open quote ends; only the word under the cursor is replaced.
            first = self.offset if at < self.offset <= end else at + 1
            word = _WORD.match(text, first, end)
            return Span(at + 1, word.end() if word else first), text[at], False
        note = _COMMENT.search(text, at, end)
        plain = text[at : note.start() if note else end].rstrip()
        return Span(at, at + len(plain)), "", False


def skip(text: str, at: int, end: int) -> int:
    """Return where blanks end."""
    match = _BLANKS.match(text, at, end)
    return match.end() if match else at
