"""What is masked stays masked however the text behind it is broken."""

from collections.abc import Sequence
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from osiris_lsp.secret import mask
from tests.secrets.planted import BREAKS, Planted, declared


@cache
def files(weak: bool) -> Sequence[Planted]:
    """Return the files with the fields that schemas declare secret, in every form."""
    return [file for file in declared(weak=weak, every=True) if file.marks]


@settings(max_examples=150, derandomize=True, database=None, deadline=None)
@given(st.booleans(), st.data())
def test_no_break_uncovers_a_secret(weak: bool, data: st.DataObject) -> None:
    """A line that does not parse, at any place and indentation, and a cut anywhere behind it."""
    file = data.draw(st.sampled_from(files(weak)))
    lines = file.text.splitlines(keepends=True)
    # Not right behind the header of a block, where the line is part of its text.
    starts = [at for at, line in enumerate(lines) if "-\n" not in line]
    at = data.draw(st.sampled_from(starts)) + 1
    indent = " " * data.draw(st.sampled_from((0, 2, 4, 6)))
    broken = f"{indent}{data.draw(st.sampled_from(BREAKS))}\n"
    text = "".join([*lines[:at], broken, *lines[at:]])
    seen = text[: data.draw(st.integers(len("".join(lines[:at])), len(text)))]
    shown = mask(seen, file._replace(text=seen).document.masked_spans)
    assert [mark for mark in file.marks if mark in shown] == []
