"""Take the README's picture from the real app: docs/images/birds-eye.png.

make run PORT=8600 &
python scripts/screenshot.py http://127.0.0.1:8600
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from scripts.chromium import launch

TARGET = Path(__file__).parents[1] / "docs" / "images" / "birds-eye.png"


def main(address: str) -> None:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 960})
        page.goto(f"{address}/?block=2")
        page.locator("[data-path='blocks.2.attention.core']").click()
        page.locator("image").first.wait_for()  # the sentence has been read
        page.mouse.move(0, 0)
        page.wait_for_timeout(1000)  # until the last repaint
        page.screenshot(path=TARGET)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
