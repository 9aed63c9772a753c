"""`--format markdown`."""

import pytest
from markdown_it import MarkdownIt

from osiris_lsp.reports.markdown import inline
from tests.reports.conftest import Golden, Report


def test_findings_are_a_list_for_each_file(report: Report, golden: Golden) -> None:
    """The counts come first."""
    golden("markdown.md", report("markdown").out)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("`a|b` is no name", "<code>a|b</code> is no name"),
        ("see <b>&amp;</b>", "see &lt;b&gt;&amp;amp;&lt;/b&gt;"),
        ("[x](http://evil) ![y](z)", "[x](http://evil) ![y](z)"),
        ("**a** _b_ ~~c~~ @team a: b", "**a** _b_ ~~c~~ @team a: b"),
        ("one ` backtick", "one ` backtick"),
        ("`` is empty", " is empty"),
        ("C:\\temp\\", "C:\\temp\\"),
    ],
)
def test_a_message_is_shown_as_it_is(message: str, shown: str) -> None:
    """Only backticks mean something, because messages of ours use them."""
    parser = MarkdownIt("gfm-like", {"linkify": False})
    assert parser.renderInline(inline(message)) == shown
