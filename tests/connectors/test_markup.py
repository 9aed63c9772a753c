import pytest
from hypothesis import given
from hypothesis import strategies as st

from osiris_lsp.connectors import ConnectorParseError
from osiris_lsp.connectors.markup import MAX_XML, parse_xml, text_of_html


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>a<p>b", ("", "a\nb")),
        ("a<br>b", ("", "a\nb")),
        ("<title> x \n y </title><b>a</b>", ("x y", "a")),
        ("<script>x</script><style>y</style>a", ("", "a")),
        ("<head><title>t</title><meta></head><body>a</body>", ("t", "a")),
        ("<head><title>t</title><body>a", ("t", "a")),
        ("<script><p>x</script>a<noscript>b</noscript>", ("", "a")),
        ("&lt;b&gt; &#228;&nbsp;x", ("", "<b> ä x")),
        ("a <!-- x --> b", ("", "a b")),
        ("", ("", "")),
        ("<p", ("", "")),
        ("a <p b", ("", "a")),
        ("1 < 2 <3 a<b>c</b>", ("", "1 < 2 <3 ac")),
        ("a<![CDATA[x]]>b<?php x ?>c<!doctype html>d", ("", "abcd")),
        ("a<!-- <p>x</p>", ("", "a")),
        ("<SCRIPT>x</Script >a<svg><title>n</title><text>x</text></svg>b", ("", "ab")),
        ("<title>never closed", ("never closed", "")),
        ("<title>a</title><title>b</title>c", ("a", "c")),
        ("<template>x<template>y</template>z", ("", "z")),
        ("&#" + "9" * 5000 + ";&#x" + "f" * 5000 + ";&#65;&#0000000066;", ("", "\ufffd\ufffdAB")),
    ],
)
def test_text_of_html(html: str, expected: tuple[str, str]) -> None:
    """What a reader sees, a line for each block."""
    assert text_of_html(html) == expected


@given(st.text(alphabet="<>/![]?-&#;xab9 script title\"'="))
def test_any_html(html: str) -> None:
    """Whatever comes, there is a text."""
    title, text = text_of_html(html)
    assert isinstance(title + text, str)


@pytest.mark.parametrize(
    "piece",
    ["<", "<a", "<!--x", "</", "<!", "<?x", "<![", "&#", "&#9", "<a b='", "<script>", "<title>",
     "<svg>", "</svg>", "<div>", "</div", "<!doctype ", "<p>x", "<a\n", "<head>", "&amp", "&"],
)  # fmt: skip
def test_hostile_html(piece: str) -> None:
    """Much of anything is read in a moment; what takes the square of that would take hours."""
    title, text = text_of_html(piece * (400_000 // len(piece)))
    assert len(title) + len(text) <= 400_000


@given(st.text())
def test_any_xml(text: str) -> None:
    """Whatever comes, it is an element or an error of ours."""
    try:
        assert parse_xml(text.encode("utf-8", "replace"), "x").tag
    except ConnectorParseError as error:
        assert error.code == "xml.unreadable"


def test_xml_that_is_too_large() -> None:
    """It is not even looked at."""
    with pytest.raises(ConnectorParseError, match="more than 8000000 bytes"):
        parse_xml(b"<" * (MAX_XML + 1), "x")
