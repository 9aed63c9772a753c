"""Positions in a text: offsets, lines and columns in code points, and the units of editors."""

import re
import unicodedata
from bisect import bisect_right
from itertools import accumulate
from typing import Any, Literal, NamedTuple, cast

Encoding = Literal["utf-8", "utf-16", "utf-32"]
"""A position encoding of LSP 3.17: the unit in which an editor counts columns."""


class _Lazy:
    """A regular expression before its first use."""

    def __init__(self, source: str, flags: int) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self._source, self._flags)
        self.__dict__.update(
            {method: getattr(compiled, method) for method in dir(compiled) if method[0] != "_"}
        )
        return getattr(compiled, name)


def lazy(source: str, flags: int = 0) -> re.Pattern[str]:
    """Return a regular expression that is compiled at its first use, for start-up time counts."""
    return cast("re.Pattern[str]", _Lazy(source, flags))


_LINE_BREAK = re.compile(r"\r\n|\n|\r")
# They end a line for `str.splitlines` only.
_OTHER_BREAKS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


class Span(NamedTuple):
    """A range of code points of one text: 0-based, end exclusive."""

    start: int
    end: int


class Position(NamedTuple):
    """A place in a text: 0-based line, 0-based column in code points."""

    line: int
    column: int


class LineIndex:
    r"""Convert between offsets and positions of one text.

    Only `\r\n`, `\n` and `\r` end a line, as in LSP 3.17; NEL, U+2028, form feed and others that
    `str.splitlines` counts do not. Out-of-range input is clamped to the nearest valid place.
    """

    __slots__ = ("_is_ascii", "starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._is_ascii = text.isascii()
        if any(char in text for char in _OTHER_BREAKS):
            self.starts = [0, *(match.end() for match in _LINE_BREAK.finditer(text))]
        else:  # much faster
            self.starts = [0, *accumulate(map(len, text.splitlines(keepends=True)))]
            if len(self.starts) > 1 and text[-1] not in "\r\n":
                self.starts.pop()

    def edited(self, start: int, end: int, new_text: str) -> "LineIndex":
        """Return the index of the text after an edit; only lines that it touches are looked at."""
        first = max(bisect_right(self.starts, start) - 1, 0)
        if start == self.starts[first] and first:
            first -= 1  # a line break before may become one with what is put in
        rest = bisect_right(self.starts, end)
        by = len(new_text) - (end - start)
        made = object.__new__(LineIndex)
        made.text = self.text[:start] + new_text + self.text[end:]
        made._is_ascii = made.text.isascii()
        begin = self.starts[first]
        behind = [at + by for at in self.starts[rest:]]
        inside = LineIndex(made.text[begin : behind[0] if behind else None]).starts
        if behind and begin + inside[-1] == behind[0]:
            inside = inside[:-1]
        made.starts = [*self.starts[:first], *(begin + at for at in inside), *behind]
        return made

    def _end(self, line: int) -> int:
        """Return where a line ends, its line break left out."""
        if line + 1 == len(self.starts):
            return len(self.text)
        end = self.starts[line + 1] - 1
        return end - 1 if self.text[end - 1 : end + 1] == "\r\n" else end

    def __len__(self) -> int:
        """Return the number of lines; an empty text has one."""
        return len(self.starts)

    def position(self, offset: int) -> Position:
        """Return the position of an offset; an offset inside a line break is the line's end."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self.starts, offset) - 1
        return Position(line, min(offset, self._end(line)) - self.starts[line])

    def offset(self, position: Position) -> int:
        """Return the offset of a position in code points, clamped into the text."""
        line, column = position
        if line < 0:
            return 0
        if line >= len(self.starts):
            return len(self.text)
        return min(self.starts[line] + max(column, 0), self._end(line))

    def line_span(self, line: int) -> Span:
        """Return the span of a line without its line break."""
        return Span(self.starts[line], self._end(line))

    def line(self, line: int) -> str:
        """Return the text of a line without its line break."""
        return self.text[self.starts[line] : self._end(line)]

    def encode(self, offset: int, encoding: Encoding) -> Position:
        """Return the position of an offset with the column in units of `encoding`."""
        found = line, column = self.position(offset)
        if self._is_ascii or not column:
            return found
        start = self.starts[line]
        return Position(line, units(self.text[start : start + column], encoding))

    def decode(self, position: Position, encoding: Encoding) -> int:
        """Return the offset of a position whose column is in units of `encoding`.

        A column in the middle of a character is the start of that character.
        """
        line, column = position
        if encoding == "utf-32" or line < 0 or line >= len(self.starts):
            return self.offset(position)
        start, end = self.line_span(line)
        for offset in range(start, end):
            column -= units(self.text[offset], encoding)
            if column < 0:
                return offset
        return end


def units(text: str, encoding: Encoding) -> int:
    """Return the length of a text in code units of `encoding`."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-16":
        return sum(2 if char > "\uffff" else 1 for char in text)
    return len(text.encode("utf-8", "surrogatepass"))


def width(text: str) -> int:
    """Return the number of columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(_width(char) for char in text)


def _width(char: str) -> int:
    if unicodedata.combining(char) or char in "\u200d\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def printable(text: str) -> str:
    r"""Show control, ESC and bidirectional characters of a text as `\u…`, and keep all others."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff"
    "\ufeff\ufffe\uffff]"
)
