"""Take the pictures in docs/images from the real app, which this starts itself.

python -m scripts.screenshots            # all of them
python -m scripts.screenshots birds-eye  # one, by its name
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.visitor import serving
from scripts.chromium import launch

FOLDER = Path(__file__).parents[1] / "docs" / "images"
AT_REST = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  return app?.dataset.testScriptState === "notRunning"
    && !document.querySelector('[data-testid="stSkeleton"], [data-stale="true"]');
}"""


@dataclass(frozen=True)
class Shot:
    """One picture.

    Args:
        name: the file's, without its ending.
        link: what is shown.
        shows: a CSS selector of what must be there: the sentence has been read.
    """

    name: str
    link: str
    shows: str
    width: int = 1440
    height: int = 960
    dark: bool = False


SHOTS = (
    Shot("birds-eye", "/?block=2&inside=attention", "image"),
    Shot("birds-eye-whole", "/?colours=added", ".cell"),
    Shot("birds-eye-dark", "/?block=2&colours=entropy", ".cell", dark=True),
    Shot("birds-eye-narrow", "/?block=2", "image", width=390, height=1500, dark=True),
    Shot("tokens", "/tokens", ".chip", height=900),
    Shot("activations", "/activations", ".js-plotly-plot", height=900),
    Shot("attention", "/attention?layer=0&head=5", ".js-plotly-plot", height=900),
    Shot("prediction", "/prediction", ".js-plotly-plot", height=900),
)


def take(browser: Browser, address: str, shot: Shot) -> None:
    page = browser.new_page(
        viewport={"width": shot.width, "height": shot.height},
        color_scheme="dark" if shot.dark else "light",
    )
    page.goto(address + shot.link)
    page.locator(shot.shows).first.wait_for(timeout=120_000)
    page.wait_for_function(AT_REST)
    page.wait_for_timeout(1500)  # until what moves is at its place
    page.screenshot(path=FOLDER / f"{shot.name}.png")
    page.close()


def main(names: list[str]) -> None:
    """Take the pictures of these names; all, if there are none."""
    known = [shot.name for shot in SHOTS]
    if unknown := set(names) - set(known):
        sys.exit(f"no picture is called {', '.join(sorted(unknown))}: there are {', '.join(known)}")
    with serving() as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for shot in SHOTS:
            if not names or shot.name in names:
                take(browser, address, shot)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
