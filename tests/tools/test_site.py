"""The web site of the documentation."""

import re
from html.parser import HTMLParser
from pathlib import Path

from osiris_lsp.rules import RULES
from tests.tools import site

LOADING = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "srcset"}


class Loads(HTMLParser):
    """Gathers the addresses that a page loads by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag loads."""
        address = dict(attrs).get(LOADING.get(tag, ""))
        if address:
            self.found.append(address)


def test_the_site_builds_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    """No link is broken, every rule has its page, and every page is at home on its own host."""
    assert site.build(tmp_path) == 0
    pages = list((tmp_path / "html").rglob("*.html"))
    assert {f"{name}.html" for name in RULES} <= {page.name for page in pages}
    for page in pages:
        loads = Loads()
        loads.feed(page.read_text())
        assert [item for item in loads.found if re.match(r"(?:https?:)?//", item)] == []
    styles = "".join(path.read_text() for path in (tmp_path / "html").rglob("*.css"))
    assert re.findall(r"url\([\"']?(?:https?:)?//[^)]*|@import[^;]*", styles) == []
