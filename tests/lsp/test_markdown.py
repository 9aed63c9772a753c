"""Markdown of hovers: text of files shows as it is, and nothing in it does anything."""

import pytest
from lsprotocol import types

from osiris_lsp.lsp.markdown import markup
from osiris_lsp.markdown import MAX_LENGTH, code, escape, plain

HOSTILE = (
    "`x`",
    "a`b``c",
    "[x](command:osiris.doctor)",
    "<img src=x onerror=y>",
    "www.example.com https://example.com a@example.com",
    "**b** _i_ ~~s~~ # h",
    "```yaml",
    r"\` \\",
    "&amp; &#x41;",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_a_file_comes_back_as_it_is(text: str) -> None:
    """Escaped or as code, the plain form is the text again."""
    assert (plain(escape(text)), plain(code(text))) == (text, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`x`", "`` `x` ``"),
        ("a`b``c", "```a`b``c```"),
        ("a\n\n# b", "`a # b`"),
        ("\u202egnp", r"`\u202egnp`"),
        (" ", ""),
    ],
)
def test_nothing_ends_a_code_span(text: str, expected: str) -> None:
    """The fence is longer than any in the text; line breaks and odd characters are gone."""
    assert code(text) == expected


def test_every_sign_is_escaped() -> None:
    """No link, HTML, entity or address is left."""
    assert escape("[a](b) <i> &lt; www.x.y c@d") == (r"\[a\]\(b\) \<i\> \&lt\; www\.x\.y c\@d")


def test_long_text_is_cut() -> None:
    """A text of a file takes a few lines at most."""
    assert escape("a" * 1000) == "a" * (MAX_LENGTH - 1) + "…"


def test_a_client_without_markdown_gets_plain_text() -> None:
    """The first format of the client counts, and none means plain text; code stays as it is."""
    text = "# Title\n\n**`port`**: integer\n\n```yaml x.yaml\n# **kept** `as is`\n```\n"
    shown = "Title\n\nport: integer\n\n# **kept** `as is`"
    markdown, plain_text = types.MarkupKind.Markdown, types.MarkupKind.PlainText
    assert markup(text, None) == types.MarkupContent(plain_text, shown)
    assert markup(text, [plain_text, markdown]) == types.MarkupContent(plain_text, shown)
    assert markup(text, [markdown]) == types.MarkupContent(markdown, text)
