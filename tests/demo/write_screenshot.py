"""Write docs/demo.png, what the page looks like, for use after a change of it.

Run it as ``python -m tests.demo.write_screenshot`` in the root of the repository.
"""

from __future__ import annotations

from pathlib import Path

from tests.demo.browser import browser

from onepass import Extractor
from onepass.demo.answering import Answering
from onepass.demo.run import served

FILE = Path(__file__).resolve().parents[2] / "docs" / "demo.png"


def main() -> None:
    """Open the last tab, click its first example, show its program, and write what is seen."""
    with served(Answering(Extractor(), "Extractor()"), port=0) as address, browser() as context:
        page = context.new_page()
        page.set_viewport_size({"width": 1200, "height": 1180})
        page.goto(address)
        page.get_by_role("tab", name="All together").click()
        page.get_by_role("button", name="Everything at once").click()
        page.locator(".found .text").first.wait_for()
        shown = page.get_by_role("tabpanel").filter(visible=True)
        shown.get_by_role("button", name="The same in Python").click()
        shown.get_by_text("from onepass import").wait_for()
        page.wait_for_timeout(1000)  # until what moves has moved
        page.screenshot(path=FILE)


if __name__ == "__main__":
    main()
