"""What stands around the cursor, read from the text line by line, so that broken YAML does too.

The parser repairs a broken text by hiding pieces of it, which would hide what is being typed. This
reads only keys, list items and brackets, believes the indentation, and lets nothing that is left
open (a quote, a bracket) reach further than its line or block.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from osiris_lsp.lsp.completion.brackets import Brackets
from osiris_lsp.lsp.completion.outline import QUOTED, Cursor, Entry, Place, Role, skip
from osiris_lsp.text import LineIndex, Span, lazy

_PROPERTIES: Final = lazy(r"(?:[&!][^\s,\[\]{}]*(?:[ \t]+|$))*")
_ANCHOR: Final = lazy(r"&([^\s,\[\]{}]+)")
_COLON: Final = lazy(r":(?=[ \t]|$)|(?<=[ \t])#")
_HEADER: Final = lazy(r"[|>][-+0-9]*[ \t]*(?:#.*)?$")
_NOT_KEY: Final = frozenset("{[&*!|>%@`\"'")


class Context:
    """The outline of a text and the places at an offset, those that fit best first."""

    def __init__(self, text: str, lines: LineIndex, offset: int) -> None:
        self.text = text
        self.lines = lines
        self.cursor = Cursor(text, lines, offset)
        self.brackets = Brackets(self.cursor)
        self.root = Entry(None, -1, None, 0)
        self.anchors: dict[str, Entry] = {}
        self._stack = [self.root]
        self._open: list[Entry] = []
        self._unfinished: Span | None = None
        row = 0
        while 0 <= row < len(lines):
            row = self._line(row)
        if self._unfinished is not None:
            self.cursor.places.extend(self._between(self._unfinished))

    def keys(self, entry: Entry) -> Mapping[str, Entry]:
        """Return the keys below an entry, those of aliases and merges too."""
        found: dict[str, Entry] = {}
        waiting, seen = [entry], set()
        while waiting:
            source = waiting.pop(0)
            if id(source) in seen:
                continue
            seen.add(id(source))
            target = self.anchors.get(source.text[1:]) if source.text.startswith("*") else None
            waiting += [target] if target is not None else []
            for child in source.children:
                if child.key == "<<":
                    waiting += [child, *child.children]
                elif child.key is not None:
                    found.setdefault(child.key, child)
        return found

    def _line(self, row: int) -> int:
        """Read a line, and those below that belong to it; return the next one, or -1."""
        span = self.lines.line_span(row)
        text = self.text
        here = row == self.cursor.row
        at = skip(text, span.start, span.end)
        if here:
            self._open = list(self._stack)
        if at == span.end:
            if here:
                self._unfinished = Span(self.cursor.offset, self.cursor.offset)
            return row + 1
        if text.startswith(("---", "..."), span.start) and span.end - span.start == 3:
            if row > self.cursor.row:
                return -1
            self.root = Entry(None, -1, None, span.end)
            self._stack = [self.root]
            return row + 1
        is_item = False
        while text[at] == "-" and (at + 1 == span.end or text[at + 1] in " \t"):
            is_item = True
            item = self._item(at - span.start, at)
            dash, at = at, skip(text, at + 1, span.end)
            if at == span.end or text[at] == "#":
                if here and dash + 2 <= self.cursor.offset <= at:
                    self.cursor.add("item", item, Span(self.cursor.offset, self.cursor.offset))
                break
        if at == span.end or text[at] == "#":
            if here and at < self.cursor.offset:
                self.cursor.comment(at)
            elif here and not is_item:
                self._unfinished = Span(self.cursor.offset, self.cursor.offset)
            return row + 1
        return self._content(at, span, row, is_item)

    def _item(self, column: int, start: int) -> Entry:
        stack = self._stack
        while len(stack) > 1 and (
            stack[-1].column > column
            or (stack[-1].column == column and (stack[-1].key is None or stack[-1].text))
        ):
            stack.pop()
        stack.append(Entry(None, column, stack[-1], start))
        return stack[-1]

    def _content(self, at: int, line: Span, row: int, is_item: bool) -> int:
        """Read what stands behind indentation and dashes: a key, or a value without one."""
        key = self._key(at, line.end)
        stack = self._stack
        if key is None:
            last = stack[-1]
            if is_item:
                return self._value(last, "item", at, line, row)
            if self.text[at] in "{[" and (last is self.root or last.column < at - line.start):
                return self._value(last, "value", at, line, row)
            if row == self.cursor.row:
                self._word(at, line)
            return row + 1
        name, inner, colon = key
        while len(stack) > 1 and stack[-1].column >= at - line.start:
            stack.pop()
        entry = Entry(name, at - line.start, stack[-1], at)
        stack.append(entry)
        if row == self.cursor.row and inner.start <= self.cursor.offset <= inner.end:
            quote = self.text[at] if inner.start > at else ""
            self.cursor.add("key", stack[-2], inner, quote, bool(quote), colon=True)
        return self._value(entry, "value", colon + 1, line, row)

    def _key(self, at: int, end: int) -> tuple[str, Span, int] | None:
        """Return the name of a key, where its text is, and where its colon is; None for others."""
        text = self.text
        match = QUOTED.match(text, at, end)
        if match:
            colon = skip(text, match.end(), end)
            behind = colon + 1 == end or text[colon + 1 : colon + 2] in (" ", "\t")
            if text[colon : colon + 1] == ":" and colon < end and behind:
                return match[match.lastindex or 0], Span(match.start() + 1, match.end() - 1), colon
            return None
        if text[at] in _NOT_KEY:
            return None
        found = _COLON.search(text, at, end)
        if found is None or found[0] == "#":
            return None
        name = text[at : found.start()].rstrip()
        return name, Span(at, at + len(name)), found.start()

    def _value(self, entry: Entry, role: Role, at: int, line: Span, row: int) -> int:
        """Read a value; return the line behind it."""
        text, colon = self.text, at
        at = skip(text, at, line.end)
        properties = _PROPERTIES.match(text, at, line.end)
        if properties and properties.end() > at:
            anchor = _ANCHOR.search(properties[0])
            if anchor:
                self.anchors[anchor[1]] = entry
            at = properties.end()
        here = row == self.cursor.row
        if at == line.end or (text[at] == "#" and at > colon):
            if here and colon < self.cursor.offset <= at:
                self.cursor.add(role, entry, Span(self.cursor.offset, self.cursor.offset))
            elif here and at < self.cursor.offset:
                self.cursor.comment(at)
            return row + 1
        if text[at] in "{[":
            return self._brackets(entry, at, line, row)
        if _HEADER.match(text, at, line.end):
            return self._skip_text(entry, row)
        span, quote, closed = self.cursor.scalar(at, line.end)
        entry.text = text[span.start : span.end]
        behind = span.end + (1 if closed else 0)
        if here and span.start <= self.cursor.offset <= span.end:
            self.cursor.add(role, entry, span, quote, closed)
        elif here and behind < self.cursor.offset:
            self.cursor.comment_behind(behind, line.end)
        return row + 1

    def _skip_text(self, entry: Entry, row: int) -> int:
        """Return the line behind a block scalar."""
        row += 1
        while row < len(self.lines):
            start, end = self.lines.line_span(row)
            at = skip(self.text, start, end)
            outside = row == self.cursor.row and self.cursor.offset - start <= entry.column
            if at < end and at - start <= entry.column:
                break
            if at == end and outside:
                break
            row += 1
        entry.text = "|"
        return row

    def _word(self, at: int, line: Span) -> None:
        """Note a word on a line of its own, which may become a key or a value."""
        span, _, _ = self.cursor.scalar(at, line.end)
        if span.start <= self.cursor.offset <= span.end:
            self._unfinished = span
        else:
            self.cursor.comment_behind(span.end, line.end)

    def _between(self, span: Span) -> Iterator[Place]:
        """Yield what a line without key can go on with: by its column, else the block above."""
        line = self.lines.line_span(self.cursor.row)
        blank = span.start == span.end
        quote = self.text[span.start - 1 : span.start] if span.start > line.start else ""
        quote = quote if quote in ("'", '"') else ""
        start = span.start - len(quote)
        closed = bool(quote) and self.text[span.end : span.end + 1] == quote
        column = start - line.start
        if self.text[line.start : start].strip():
            return
        typed = self.text[span.start : self.cursor.offset]
        holders = [item for item in reversed(self._open) if not item.text and not item.flow]
        fitting = [item for item in holders if item.child_column == column]
        whole = Span(line.start, self.cursor.offset)
        lead = self.text[line.start : self.cursor.offset]
        moved = [
            Place("key", entry, whole, lead, indent=entry.child_column, below=True)
            for entry in holders
            if blank and entry not in fitting
        ]
        if moved and moved[0].entry is self._open[-1] and not moved[0].entry.children:
            yield moved.pop(0)
        for entry in fitting:
            yield Place("key", entry, span, typed, quote, closed, below=True)
        if not fitting or column == 0:
            yield from moved
        if not blank and not fitting:
            for entry in holders:
                if entry.column < column:
                    yield Place("key", entry, span, typed, quote, closed, below=True)
                    return

    def _brackets(self, entry: Entry, at: int, line: Span, row: int) -> int:
        """Read a value in brackets, over several lines where these are indented more."""
        end = self.brackets.read(entry, at, line.end)
        last = row
        if end is None:
            last = self._last_line(entry, row)
            if last > row:
                entry.children.clear()
                self.cursor.places.clear()
                end = self.brackets.read(entry, at, self.lines.line_span(last).end)
        if end is None:
            return last + 1
        last = self.lines.position(end).line
        if last == self.cursor.row and end < self.cursor.offset:
            self.cursor.comment_behind(end, self.lines.line_span(last).end)
        return last + 1

    def _last_line(self, entry: Entry, row: int) -> int:
        """Return the last line that an open bracket may reach to."""
        while row + 1 < len(self.lines):
            start, end = self.lines.line_span(row + 1)
            at = skip(self.text, start, end)
            if at < end and at - start <= entry.column and self.text[at] not in "]}":
                break
            row += 1
        return row
