"""A headless Chromium, the one of the system or of playwright, and what it loads."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SIZE = {"width": 1280, "height": 880}


@contextmanager
def browser() -> Iterator[sync_api.BrowserContext]:
    """Yield a browser that may use the clipboard; skip the test if there is none."""
    own = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium
        if own is None and not Path(chromium.executable_path).exists():
            pytest.skip("there is no Chromium")
        running = chromium.launch(executable_path=own, args=["--no-sandbox"])
        try:
            yield running.new_context(
                viewport=SIZE, permissions=["clipboard-read", "clipboard-write"]
            )
        finally:
            running.close()
