"""The browser for tests and benchmarks: found where one is, installed where none is.

python scripts/chromium.py      # see that one starts; install one if not
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, Playwright, sync_playwright
from playwright.sync_api import Error as PlaywrightError

SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# Nothing of the browser's own may go out while we look at our pages.
ARGUMENTS = (
    "--no-sandbox",  # containers run as root, where the sandbox can't
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)


def candidates() -> Iterator[dict[str, Any]]:
    """Ways to start a browser, as options of Playwright's ``launch``, the likeliest first.

    The environment's ``CHROMIUM``, if it is set, is the only one.
    """
    if chosen := os.environ.get("CHROMIUM"):
        yield {"executable_path": chosen}
        return
    for path in filter(None, map(shutil.which, SYSTEM_NAMES)):
        yield {"executable_path": path}
    yield {"channel": "chrome"}
    yield {}  # Playwright's own


def launch(playwright: Playwright) -> Browser:
    """The first browser that starts.

    Raises:
        RuntimeError: if none does; with what each one said.
    """
    said = []
    for options in candidates():
        try:
            return playwright.chromium.launch(args=ARGUMENTS, **options)
        except PlaywrightError as error:
            said.append(f"{options or 'own'}: {error.message.splitlines()[0]}")
    raise RuntimeError("no Chromium starts: " + "; ".join(said))


def starts() -> bool:
    """Whether some browser starts; says which, or why not."""
    try:
        with sync_playwright() as playwright, launch(playwright) as browser:
            print(f"Chromium {browser.version} starts")
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return False
    return True


def installations() -> Iterator[tuple[str, ...]]:
    """Commands that may bring a browser, run in order until one starts."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        yield "apt-get", "update"
        yield "apt-get", "install", "--yes", "--no-install-recommends", "chromium"
    yield sys.executable, "-m", "playwright", "install", "chromium"


def main() -> int:
    if starts():
        return 0
    if "CHROMIUM" in os.environ:
        return 1  # somebody chose this one: another is no answer
    for command in installations():
        subprocess.run(command, check=False)
        if starts():
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
