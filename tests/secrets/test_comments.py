"""Comments and lines without a tree."""

import pytest

from osiris_lsp.secrets.comments import find_comments, find_pair
from osiris_lsp.text import Span


def test_a_hash_inside_a_value_starts_no_comment() -> None:
    """Only a `#` at the start or behind white space, outside of quoted values."""
    text = '# a\nb: "x # y"\nc: d#e # f\n'
    spans = list(find_comments(text, Span(0, len(text)), [(7, 14)]))
    assert [text[slice(*span)] for span in spans] == ["# a", "# f"]


@pytest.mark.parametrize(
    ("line", "loose", "expected"),
    [
        ("# password: dragon1", False, "dragon1"),
        ("#! password: dragon1", False, "dragon1"),
        ("#  - token: 'tractor-99'", False, "tractor-99"),
        ("# password=dragon1 # old", False, "dragon1"),
        ('  password: "dragon1', True, "dragon1"),
        ("password: orange tractor", True, "orange tractor"),
        ("# password: orange tractor", False, None),
        ("# password: ${PW}", False, None),
        ("# host: dragon1", False, None),
        ("# Username/password: dragon1", False, None),
        ("# the password is dragon1", False, None),
        ("# password:", False, None),
    ],
)
def test_find_pair(line: str, loose: bool, expected: str | None) -> None:
    """A comment that is `key: value` and nothing else; white space is prose there."""
    found = [line[slice(*span)] for _, span in find_pair(line, loose)]
    assert found == ([] if expected is None else [expected])
