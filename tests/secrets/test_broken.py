"""What is masked stays masked however the text behind it is broken."""

from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osiris_lsp.documents import Document
from osiris_lsp.secret import mask
from tests.secrets.planted import BREAKS, GLUED, Planted, declared


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


@settings(max_examples=150, derandomize=True, database=None, deadline=None)
@given(st.booleans(), st.data())
def test_no_slip_uncovers_a_secret(weak: bool, data: st.DataObject) -> None:
    """Something glued to the end of any line: of a secret, of a key above it, of a header."""
    file = data.draw(st.sampled_from(files(weak)))
    lines = file.text.splitlines(keepends=True)
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = f"{lines[at].rstrip()}{data.draw(st.sampled_from(GLUED))}\n"
    seen = "".join(lines[: data.draw(st.integers(at + 1, len(lines)))])
    shown = mask(seen, file._replace(text=seen).document.masked_spans)
    assert [mark for mark in file.marks if mark in shown] == []


@pytest.mark.parametrize(
    "text",
    [
        "password: zxjkqx: [",
        "password: zxjkqx... {",
        "password: zxjkqx}: ]",
        "password: zxjkqx, b: [",
        "password: zxjkqx' : x: [",
        'password: "zxjkqx" y',
        'password: "zxjkqx\nfoo: bar',
        "password: &a zxjkqx: {",
        "password: !x zxjkqx: [",
        "password:zxjkqx\nx: [",
        "password:\n\n  zxjkqx\nx: }",
        "password:\n  - a\n  - zxjkqx{:",
        "password: |{\n  zxjkqx\nb: c",
        "password: >- [\n  zxjkqx\nb: c",
        "? password{:\n: zxjkqx",
        "? password: {\n: zxjkqx",
        "? password\n: zxjkqx{:",
        "a:\n  ? password\n{:\n  : zxjkqx",
        'a:\n  ? password\nx: "a" b\n  : zxjkqx',
        "env:\n  - name: API_TOKEN, x: [\n    value: zxjkqx",
        "a: cGFzc3dvcmQ9enhqa3F4IGFuZCBzbyBvbg==]",
    ],
)
def test_no_slip_uncovers_what_a_name_tells(text: str) -> None:
    """In YAML that is not ours only names tell."""
    shown = mask(text, Document("a.yaml", text).masked_spans)
    assert "zxjkqx" not in shown
    assert "enhqa3F4" not in shown


@pytest.mark.parametrize(
    "value", ["postgres://reader:zxj kqx@db/shop", '"postgres://rea\n        der:zxjkqx@db/shop"']
)
def test_white_space_in_an_address_uncovers_nothing(value: str) -> None:
    """Its password is hidden though this is no address yet."""
    text = f"connections:\n  postgres:\n    a:\n      dsn: {value}\n"
    shown = mask(text, Planted("osiris_connections.yaml", text, ()).document.masked_spans)
    assert "kqx" not in shown
    assert "@db/shop" in shown


@pytest.mark.parametrize(
    "text",
    [
        "key: [\n        zxjkqx,\n      {",
        "key:\n        zxjkqx\n      {",
        "key: # mine\n        - zxjkqx\n      {",
        "key: &a\n        zxjkqx: [",
        "{key: zxjkqx, url: x, y: [",
        "key {: zxjkqx\n      x: [",
        "? key\n      : zxjkqx: [",
        "? key\n      x: [\n      : zxjkqx",
    ],
)
def test_no_slip_uncovers_what_only_a_schema_tells(text: str) -> None:
    """A name such as `key` says nothing by itself; the value may go on below it."""
    text = f"connections:\n  supabase:\n    a:\n      {text}\n"
    shown = mask(text, Planted("osiris_connections.yaml", text, ()).document.masked_spans)
    assert "zxjkqx" not in shown
