"""A text under repair: pieces are overwritten in place, so that every position stays valid."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from osiris_lsp.text import LineIndex, Span, lazy
from osiris_lsp.tree import SyntaxEdit, SyntaxProblem

KEY: Final = lazy(
    r"""(\s*(?:-\s+)*)((?!-\s)(?:"[^"\n]*"|'[^'\n]*'|[^\s#"'\[{][^\n#:]*?)\s*:)(?=\s|$)"""
)
"""The start of a line up to a key and its colon: white space and dashes, the key."""

_DASHES: Final = lazy(r"\s*(?:-\s+)*")
_COMMENT: Final = lazy(r"\s#")


class Diagnosis(NamedTuple):
    """What is wrong at a place, and the repairs that may be offered, the best first."""

    start: int
    end: int
    message: str
    rule: str = "syntax-error"
    title: str = ""
    candidates: tuple[tuple[SyntaxEdit, ...], ...] = ()

    def problem(self, edits: tuple[SyntaxEdit, ...]) -> SyntaxProblem:
        """Return the problem with the repair that was chosen."""
        title = self.title if edits else ""
        return SyntaxProblem(self.rule, self.start, self.end, self.message, title, edits)


class Patient:
    """The text under repair; `text` always has the length of `original`.

    `holes` are the scalars that stand in for broken text, as `compose` takes them. `touched`
    collects the ranges that were overwritten since it was emptied, `blanked` the lines that went.
    """

    def __init__(self, text: str) -> None:
        self.original = text
        self.text = text
        self.lines = LineIndex(text)
        self.holes: dict[int, bool] = {}
        self.blanked: set[int] = set()
        self.touched: list[Span] = []

    def line_of(self, offset: int) -> int:
        """Return the line of an offset."""
        return self.lines.position(offset).line

    def line(self, line: int) -> str:
        """Return what is left of a line, without its line break."""
        start, end = self.lines.line_span(line)
        return self.text[start:end]

    def indent(self, line: int) -> int:
        """Return the width of the white space in front of a line."""
        text = self.line(line)
        return len(text) - len(text.lstrip(" \t"))

    def content(self, line: int) -> Span:
        """Return the range of a line without the white space around it and without its comment."""
        start = self.lines.starts[line] + self.indent(line)
        return Span(start, self.body_end(start))

    def body_end(self, start: int) -> int:
        """Return where the text from an offset on ends in its line, the comment left out."""
        end = self.lines.line_span(self.line_of(start)).end
        text = self.text[start:end]
        comment = _COMMENT.search(text)
        if comment is not None:
            text = text[: comment.start()]
        return start + len(text.rstrip())

    def above(self, line: int) -> int | None:
        """Return the nearest line above that is not blank and no comment, or None."""
        line -= 1
        while line >= 0:
            text = self.line(line).strip()
            if text and not text.startswith("#"):
                return line
            line -= 1
        return None

    def below(self, line: int) -> Iterator[int]:
        """Yield the lines below one that are not blank and no comments."""
        for number in range(line + 1, len(self.lines)):
            text = self.line(number).lstrip()
            if text and not text.startswith("#"):
                yield number

    def key_column(self, line: int) -> int:
        """Return the column of the key of a line, behind dashes; without a key of its text."""
        text = self.line(line)
        match = _DASHES.match(text)
        return match.end() if match else 0

    def value_start(self, line: int) -> int:
        """Return where the value of a line starts: behind its dashes and its key."""
        text = self.line(line)
        match = KEY.match(text) or _DASHES.match(text)
        at = match.end() if match else 0
        return self.lines.starts[line] + at + len(text[at:]) - len(text[at:].lstrip())

    def put(self, start: int, end: int, filler: str) -> None:
        """Overwrite a range, line breaks excepted."""
        old = self.text[start:end]
        new = "".join(char if char in "\r\n" else filler for char in old)
        self.text = self.text[:start] + new + self.text[end:]
        self.touched.append(Span(start, end))

    def block_end(self, line: int, column: int | None = None) -> int:
        """Return the last line of the block that a line opens: those below it, indented deeper.

        `column` is where the block's key stands, by default the indentation of the line.
        """
        if column is None:
            column = self.indent(line)
        last = line
        for below in self.below(line):
            if self.indent(below) <= column:
                break
            last = below
        return last

    def blank(self, first: int, last: int) -> None:
        """Blank lines."""
        self.put(self.lines.starts[first], self.lines.line_span(last).end, " ")
        self.blanked.update(range(first, last + 1))

    def blank_block(self, line: int) -> None:
        """Blank a line and the lines below it that belong to it."""
        self.blank(line, self.block_end(line))

    def hole(self, start: int, end: int) -> None:
        """Take a piece of a line out: a broken scalar stands in its place."""
        self.put(start, end, "x")
        self.holes[start] = False

    def run_end(self, line: int) -> int:
        """Return the last line of the siblings that follow a line, with their blocks."""
        indent = self.indent(line)
        is_item = self.line(line).lstrip().startswith("-")
        last = line
        for below in self.below(line):
            own = self.indent(below)
            if own < indent:
                break
            if own == indent and self.line(below).lstrip().startswith("-") != is_item:
                break
            last = below
        return last

    def take_value(self, line: int, at: int) -> None:
        """Take out the value of a line, in which `at` lies, with what belongs to it."""
        start = self.value_start(line)
        lead = self.line(line)[: start - self.lines.starts[line]].strip()
        end = self.body_end(start)
        if not lead or end <= start or at < start:
            self.blank_block(line)
            return
        last = self.block_end(line, self.key_column(line) if ":" in lead else None)
        if last > line:
            self.blank(line + 1, last)
        self.hole(start, end)


def insertion(at: int, text: str) -> tuple[SyntaxEdit, ...]:
    """Return the edits that insert a text."""
    return (SyntaxEdit(at, at, text),)


def quoting(text: str, start: int, end: int) -> tuple[tuple[SyntaxEdit, ...], ...]:
    """Return the candidates that quote a range as written; none where it holds both quotes."""
    body = text[start:end]
    if not body:
        return ()
    if '"' not in body and "\\" not in body:
        return ((SyntaxEdit(start, end, f'"{body}"'),),)
    return ((SyntaxEdit(start, end, f"'{body}'"),),) if "'" not in body else ()
