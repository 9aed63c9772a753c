"""Values in brackets, read so that one which is left open does no harm."""

from typing import Final

from osiris_lsp.lsp.completion.outline import Cursor, Entry, skip
from osiris_lsp.text import Span, lazy

_SPACE: Final = lazy(r"(?:[ \t\r\n]|(?<![^\s])#[^\r\n]*)*")
_PLAIN: Final = lazy(
    r"(?:\$\{[^\s,{}\[\]]*\}?|:(?![\s,\[\]{}]|$)|[^\s,\[\]{}:]|[ \t]+(?=[^\s#,\[\]{}:]))+"
)
_ENDS: Final = ("", " ", "\t", "\r", "\n", ",", "[", "]", "{", "}")


class Brackets:
    """Reads what stands in brackets, and notes the cursor in it."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor

    def read(self, entry: Entry, at: int, limit: int) -> int | None:
        """Read brackets; return where the last one closes, or None where it does not."""
        text = self.cursor.text
        holders: list[tuple[str, Entry]] = []
        current: Entry | None = entry  # what a value would belong to
        fresh = True  # whether a key, value or item may come here
        while at <= limit:
            space = _SPACE.match(text, at, limit)
            token = space.end() if space else at
            char = text[token : token + 1]
            before = current is None and self.cursor.offset < token and char not in "{[:"
            if token >= limit or char in "]}," or before:
                self._gap(holders, current, fresh, at, min(token, limit))
            if token >= limit:
                break
            at = token + 1
            if char in "{[":
                holder = current or Entry(None, token, holders[-1][1], token)
                holder.flow = True
                holders.append((char, holder))
                current, fresh = None, True
            elif char in "]}":
                holders.pop()
                if not holders:
                    return at
                current, fresh = None, False
            elif char == ",":
                current, fresh = None, True
            elif char == ":" and current is not None and text[at : at + 1] in _ENDS:
                fresh = True
            else:
                at, current, fresh = self._token(holders[-1], current, token, limit)
        return None

    def _token(
        self, holder: tuple[str, Entry], current: Entry | None, at: int, limit: int
    ) -> tuple[int, Entry | None, bool]:
        """Read a key or scalar in brackets; return where to go on and what a value belongs to."""
        text = self.cursor.text
        bracket, entry = holder
        span, quote, closed = self._scalar(at, limit)
        end = span.end + (1 if closed else 0)
        inside = span.start <= self.cursor.offset <= span.end
        if current is not None:
            current.text = text[span.start : span.end]
            if inside:
                self.cursor.add("value", current, span, quote, closed, flow=True)
            return end, None, False
        colon = skip(text, end, limit)
        has_colon = text[colon : colon + 1] == ":" and text[colon + 1 : colon + 2] in _ENDS
        if bracket == "{":
            if inside:
                self.cursor.add("key", entry, span, quote, closed, colon=has_colon, flow=True)
            key = Entry(text[span.start : span.end], at, entry, at) if has_colon else None
            return (colon + 1 if has_colon else end), key, has_colon
        item = Entry(None, at, entry, at)
        item.text = text[span.start : span.end]
        if inside:
            self.cursor.add("item", item, span, quote, closed, flow=True)
        return end, None, False

    def _scalar(self, at: int, limit: int) -> tuple[Span, str, bool]:
        text = self.cursor.text
        match = _PLAIN.match(text, at, limit)
        if text[at] in "\"'" or match is None:
            stop = self.cursor.lines.line_span(self.cursor.lines.position(at).line).end
            span, quote, closed = self.cursor.scalar(at, min(limit, stop))
            return (span, quote, closed) if quote else (Span(at, at + 1), "", False)
        return Span(at, match.end()), "", False

    def _gap(
        self,
        holders: list[tuple[str, Entry]],
        current: Entry | None,
        fresh: bool,
        start: int,
        end: int,
    ) -> None:
        """Note a cursor in white space in brackets."""
        if not holders or not fresh or not start <= self.cursor.offset <= end:
            return
        line = self.cursor.lines.line_span(self.cursor.row)
        note = self.cursor.text.find("#", max(line.start, start), self.cursor.offset)
        span = Span(self.cursor.offset, self.cursor.offset)
        bracket, entry = holders[-1]
        if note >= 0:
            self.cursor.comment(note)
        elif current is not None:
            if self.cursor.text[self.cursor.offset - 1] != ":":
                self.cursor.add("value", current, span, flow=True)
        elif bracket == "{":
            self.cursor.add("key", entry, span, flow=True)
        else:
            self.cursor.add(
                "item", Entry(None, self.cursor.offset, entry, self.cursor.offset), span, flow=True
            )
