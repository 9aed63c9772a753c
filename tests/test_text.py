"""Offsets, positions and the units of editors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_lsp.text import Encoding, LineIndex, Position, printable, units

TEXTS = st.text(st.sampled_from("ab\n\r é😀\t\u2028\x85\x0c漢"), max_size=40)
ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")


def test_only_lf_crlf_and_cr_end_a_line() -> None:
    """LSP counts three line breaks; NEL, U+2028 and form feed are ordinary characters."""
    index = LineIndex("a\r\nb\rc\nd\u2028e\x85f\x0cg")
    assert [index.line(line) for line in range(len(index))] == ["a", "b", "c", "d\u2028e\x85f\x0cg"]


@given(TEXTS)
def test_offsets_survive_positions(text: str) -> None:
    """Each offset outside a line break comes back from its position."""
    index = LineIndex(text)
    for offset in range(len(text) + 1):
        line, column = index.position(offset)
        back = index.offset(Position(line, column))
        assert back == offset or text[back:offset] == "\r"


@given(TEXTS, st.integers(0, 40), st.integers(0, 40), TEXTS)
def test_an_edited_index_is_that_of_the_new_text(text: str, one: int, two: int, new: str) -> None:
    """Also where line breaks come together or apart."""
    start, end = sorted((min(one, len(text)), min(two, len(text))))
    edited = LineIndex(text).edited(start, end, new)
    fresh = LineIndex(text[:start] + new + text[end:])
    assert (edited.text, edited.starts) == (fresh.text, fresh.starts)
    assert edited.encode(len(fresh.text), "utf-16") == fresh.encode(len(fresh.text), "utf-16")


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(TEXTS)
def test_encoded_positions_come_back(encoding: Encoding, text: str) -> None:
    """A position in the units of an editor gives the offset that it was made from."""
    index = LineIndex(text)
    for offset in range(len(text) + 1):
        back = index.decode(index.encode(offset, encoding), encoding)
        assert back == index.offset(index.position(offset))


@given(TEXTS, st.integers(-3, 60), st.integers(-3, 60))
def test_positions_outside_the_text_are_clamped(text: str, line: int, column: int) -> None:
    """Any position gives an offset inside the text."""
    index = LineIndex(text)
    assert 0 <= index.offset(Position(line, column)) <= len(text)
    for encoding in ENCODINGS:
        assert 0 <= index.decode(Position(line, column), encoding) <= len(text)


@given(TEXTS)
def test_units_are_those_of_python(text: str) -> None:
    """Units equal the length of the encoded text."""
    assert units(text, "utf-8") == len(text.encode())
    assert units(text, "utf-16") == len(text.encode("utf-16-le")) // 2
    assert units(text, "utf-32") == len(text)


def test_the_middle_of_a_character_is_its_start() -> None:
    """A column inside a surrogate pair means the character."""
    assert LineIndex("a😀b").decode(Position(0, 2), "utf-16") == 1


def test_printable_shows_what_terminals_obey() -> None:
    """ESC, bidirectional marks and line breaks become escapes; letters and tabs stay."""
    assert printable("é\t\x1b[31m\u202e\n") == "é\t\\u001b[31m\\u202e\\u000a"
