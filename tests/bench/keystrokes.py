"""Someone at the keyboard: the same edits each time, a character at a time, all over a file."""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from osiris_lsp.text import LineIndex

# A field with its value: `    port: 3306`, `- id: "x" # why`.
_FIELD: Final = re.compile(
    r"^(?P<indent> *(?:- )?)[a-z_]+: (?P<value>\"[^\"\n]*\"|[\w./@$-]+)(?: *#.*)?$", re.MULTILINE
)
_ADDED: Final = ("timeout: 30", 'note: "of the week"', "retries: 3")
# Multiples of it, modulo 1, lie evenly in any number: no place twice, all parts of the file.
_GOLDEN: Final = 0.6180339887498949

Change = Mapping[str, Any]


class Draft:
    """A text that is being written."""

    def __init__(self, text: str) -> None:
        self.text = text

    def replace(self, start: int, end: int, new: str) -> Change:
        """Edit the text, and return the edit as LSP's didChange has it."""
        lines = LineIndex(self.text)
        ends = (lines.encode(offset, "utf-16") for offset in (start, end))
        places = [dict(zip(("line", "character"), place, strict=True)) for place in ends]
        self.text = self.text[:start] + new + self.text[end:]
        return {"range": {"start": places[0], "end": places[1]}, "text": new}

    def type(self, at: int, text: str) -> Iterator[Change]:
        """Type a text."""
        for offset, character in enumerate(text, at):
            yield self.replace(offset, offset, character)


def typed(draft: Draft) -> Iterator[Change]:
    """Yield one edit a keystroke, without end; the draft is what it is after each."""
    actions: tuple[Callable[[Draft, re.Match[str], int], Iterator[Change]], ...]
    actions = (_add_key, _change_value, _quote, _delete_line)
    for number in itertools.count():
        fields = list(_FIELD.finditer(draft.text))
        place = fields[int(number * _GOLDEN % 1 * len(fields))]
        yield from actions[number % len(actions)](draft, place, number // len(actions))


def _add_key(draft: Draft, place: re.Match[str], round_: int) -> Iterator[Change]:
    """Break the line, which the editor indents, and type a key and its value."""
    start = "\n" + " " * len(place["indent"])
    yield draft.replace(place.end(), place.end(), start)
    yield from draft.type(place.end() + len(start), _ADDED[round_ % len(_ADDED)])


def _change_value(draft: Draft, place: re.Match[str], round_: int) -> Iterator[Change]:
    """Take back the last characters of a value, and type them again or others."""
    end = place.end("value") - place["value"].endswith('"')
    old = place["value"].strip('"')[-3:]
    for count in range(len(old)):
        yield draft.replace(end - count - 1, end - count, "")
    yield from draft.type(end - len(old), old if round_ % 2 else "9z"[: len(old)])


def _quote(draft: Draft, place: re.Match[str], round_: int) -> Iterator[Change]:
    """Open a quote, and close it: all between is quoted for a moment."""
    start, end = place.span("value")
    if place["value"].startswith('"'):
        yield draft.replace(end - 1, end, "")
        yield draft.replace(end - 1, end - 1, '"')
    else:
        yield draft.replace(start, start, '"')
        yield draft.replace(end + 1, end + 1, '"')


def _delete_line(draft: Draft, place: re.Match[str], round_: int) -> Iterator[Change]:
    """Delete a line; each second time that is undone."""
    start, line = place.start(), place[0] + "\n"
    yield draft.replace(start, start + len(line), "")
    if round_ % 2:
        yield draft.replace(start, start, line)
