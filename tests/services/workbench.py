"""The window of VS Code, driven as a person does: keys, clicks, and what is to be seen."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from playwright.sync_api import FloatRect, Locator, Page, expect

_PATIENCE: Final = 30_000  # milliseconds; a hang ends the test, slowness does not
_CURSOR: Final = ".editor-instance .monaco-editor.focused .cursor"
_SUGGESTIONS: Final = ".suggest-widget.visible"


class Workbench:
    """A page with an open folder."""

    def __init__(self, page: Page, address: str, folder: Path, file: str) -> None:
        self.page = page
        page.set_default_timeout(_PATIENCE)
        expect.set_options(timeout=_PATIENCE)
        opened = f"vscode-remote://{urlsplit(address).netloc}{folder / file}"
        payload = quote(json.dumps([["openFile", opened], ["skipWelcome", "true"]]))
        page.goto(f"{address}/?folder={quote(str(folder))}&payload={payload}")

    @contextmanager
    def pictured(self, path: Path) -> Iterator[None]:
        """Keep a picture of the window where what is done in it fails."""
        try:
            yield
        except BaseException:
            self.page.screenshot(path=path)
            raise

    def open(self, name: str) -> None:
        """Open a file by its name."""
        self.page.keyboard.press("Control+P")
        self.page.locator(".quick-input-widget input").first.fill(name)
        expect(self.page.locator(".quick-input-list .monaco-list-row").first).to_contain_text(name)
        self.page.keyboard.press("Enter")
        self.shown(name)

    def shown(self, name: str) -> None:
        """Wait until a file is the one in front."""
        expect(self.page.locator(".tab.active")).to_contain_text(name)
        expect(self.page.locator(".editor-instance .view-line").first).to_be_visible()

    def command(self, title: str) -> None:
        """Run a command of the palette."""
        self.page.keyboard.press("F1")
        self.page.locator(".quick-input-widget input").first.fill(f">{title}")
        first = self.page.locator(".quick-input-list .monaco-list-row").first
        expect(first).to_contain_text(title)
        self.page.keyboard.press("Enter")

    def go(self, line: int, column: int) -> FloatRect:
        """Put the cursor to a place, and return where it stands in the window."""
        self.page.keyboard.press("Control+G")
        self.page.locator(".quick-input-widget input").first.fill(f":{line}:{column}")
        self.page.keyboard.press("Enter")
        self.at(line, column)
        return box(self.page.locator(_CURSOR).first)

    def at(self, line: int, column: int) -> None:
        """Wait until the cursor is at a place."""
        expect(self.page.locator(".statusbar")).to_contain_text(f"Ln {line}, Col {column}")

    def squiggles(self, line: int) -> list[tuple[float, float]]:
        """Return where the underlined places of a line begin and end in the window."""
        places = [box(item) for item in self.page.locator(".squiggly-error").all()]
        top = self.go(line, 1)["y"]
        return [
            (at["x"], at["x"] + at["width"]) for at in places if abs(at["y"] - top) < at["height"]
        ]

    def suggestion(self, text: str) -> Locator:
        """Ask for completion, and return the suggestion with that text."""
        self.page.keyboard.press("Control+Space")
        return self.page.locator(f"{_SUGGESTIONS} .monaco-list-row", has_text=text).first

    def saved(self, files: Mapping[Path, str]) -> None:
        """Save everything, and wait until the files hold what they should."""
        self.page.keyboard.press("Control+K")
        self.page.keyboard.press("S")
        limit = time.monotonic() + _PATIENCE / 1000
        while time.monotonic() < limit:
            found = {path: path.read_text("utf-8") for path in files}
            if found == files:
                return
            self.page.wait_for_timeout(100)
        assert files == found

    def row(self, text: str) -> Locator:
        """The row of a tree with that text."""
        return self.page.locator(".pane .monaco-list-row", has_text=text).first


def box(item: Locator) -> FloatRect:
    """Return the place of an element in the window."""
    item.wait_for()
    found = item.bounding_box()
    assert found is not None
    return found
