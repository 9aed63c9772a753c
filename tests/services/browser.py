"""Chromium for pages that must be seen: the one of this machine, else Debian's unpacked."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.services import packages


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium; `Unavailable` where there is none and none can be downloaded."""
    root, program = packages.find("usr/lib/chromium/chromium", "chromium", "fonts-dejavu-core")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            env={**os.environ, **packages.environment(root)},
            # Root has no sandbox; the pages are ours.
            args=["--no-sandbox", "--disable-dev-shm-usage"],
        )
        try:
            yield browser
        finally:
            browser.close()
