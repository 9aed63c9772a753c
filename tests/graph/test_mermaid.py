"""`osiris-lsp graph --format mermaid`, drawn by Mermaid itself."""

from collections.abc import Iterator
from io import StringIO

import pytest
from playwright.sync_api import Page

from osiris_lsp.graph import Edge, Graph, Node, writer
from tests.services import node
from tests.services.browser import chromium

HOSTILE = (
    'a"b', "a]b", "a)b", "a}b", "<img src=x onerror=alert(1)>", "<br/>", "end", "#34;", "#quot;",
    "a --> b", "%%{init: {}}%%", "`code`", "**bold**", "1. one", "a;b", "a|b", "click a", "漢😀é",
    "javascript:alert(1)", "style n1 fill:#f00", "&lt;b&gt;", "a\\b", "a\nb", "\x1b[31m", "\u202ex",
)  # fmt: skip


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page with Mermaid."""
    script = node.package("mermaid", "11.12.2") / "dist" / "mermaid.min.js"
    with chromium() as browser:
        page = browser.new_page()
        page.set_content("<main></main>")
        page.add_script_tag(path=script)
        page.evaluate("mermaid.initialize({startOnLoad: false})")
        yield page


def _graph(labels: tuple[str, ...]) -> Graph:
    steps = [Node(f"s{at}", "step", label, label, "p") for at, label in enumerate(labels)]
    links = [Node(f"c{at}", "connection", label) for at, label in enumerate(labels)]
    edges = [
        Edge(link.id, step.id, "reads", "broken" if at % 2 else "")
        for at, (link, step) in enumerate(zip(links, steps, strict=True))
    ]
    found = {item.id: item for item in (*steps, *links)}
    return Graph({"p": " ".join(labels)}, found, edges)


def test_mermaid_draws_every_label_as_it_is(page: Page) -> None:
    """Names that mean something to Mermaid or HTML are shown, and nothing in them runs."""
    out = StringIO()
    writer("mermaid")(out, _graph(HOSTILE))
    drawn = page.evaluate(
        "async text => (document.querySelector('main').innerHTML ="
        " (await mermaid.render('g', text)).svg)",
        out.getvalue(),
    )
    assert "<script" not in drawn
    assert page.locator("main img").count() == 0
    assert page.locator("main .node").count() == 2 * len(HOSTILE)
    assert page.locator("main .flowchart-link").count() == len(HOSTILE)
    shown = [text.strip() for text in page.locator("main .node").all_text_contents()]
    labels = [_shown(label) for label in HOSTILE]
    # Mermaid reads emphasis as Markdown in labels of two lines, even where it is escaped.
    twice = [(2 * label).replace("**", "") for label in labels]
    assert sorted(shown) == sorted([*labels, *twice])


def _shown(label: str) -> str:
    for char in "\n\x1b\u202e":
        label = label.replace(char, f"\\u{ord(char):04x}")
    return label
