"""A server of the app, and a visitor in Chromium who measures how long things take to be seen."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from gptviz.config import GPTConfig

ROOT = Path(__file__).parents[1]
WATCH = Path(__file__).with_name("watch.js").read_text(encoding="utf-8")
PATIENCE = 120_000  # ms


@contextmanager
def serving(module: str = "", *arguments: str) -> Iterator[str]:
    """A server of its own process; gives its address as soon as somebody answers there.

    Args:
        module: what serves, if it isn't Streamlit's own command: it is given the port first.
        arguments: what it is given then.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = ["streamlit", "run", "app.py", "--server.port", str(port)]
    own += ["--server.headless", "true", "--logger.level", "error"]
    command = [module, str(port), *arguments] if module else own
    process = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        _wait_for(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE / 1000)


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    late = time.monotonic() + PATIENCE / 1000
    while process.poll() is None and time.monotonic() < late:
        with socket.socket() as door:
            if door.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError("the server did not start")


@contextmanager
def visiting(browser: Browser, address: str) -> Iterator[Page]:
    """A new visitor, with nothing in the browser's cache, who has come to this address."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        context.add_init_script(WATCH)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(address, wait_until="commit")
        yield page
    finally:
        context.close()


def settle(page: Page) -> None:
    """Wait until nothing runs any more."""
    page.wait_for_function("() => bench.settled()")


def see(page: Page, what: str, argument: object) -> None:
    """Wait for the frame in which something of ``watch.js`` is there."""
    page.wait_for_function(
        "([what, argument]) => bench.there[what](argument)", arg=[what, argument], polling="raf"
    )


def seen_after(
    page: Page, act: Callable[[], object], wanted: Mapping[str, object]
) -> dict[str, dict[str, float]]:
    """Milliseconds from the act until each wanted thing was ``shown``, and ``server`` before it.

    Raises:
        ValueError: if one of them is there already.
    """
    for what, argument in wanted.items():
        if page.evaluate("([w, a]) => Boolean(bench.there[w](a))", [what, argument]):
            raise ValueError(f"{what} {argument} is on the page before anything was done")
    page.evaluate("wanted => { window.seen = bench.watch(wanted); }", dict(wanted))
    act()
    times: dict[str, dict[str, float]] = page.evaluate("() => window.seen")
    return times


def choose_model(page: Page, name: str) -> None:
    """Choose a model in the sidebar; the last act is the click on its name."""
    page.locator(".st-key-model input").click()
    page.get_by_role("option", name=name, exact=True).click()


def type_sentence(page: Page, text: str) -> None:
    """Write a sentence; the last act is the key that ends it."""
    page.locator(".st-key-text textarea").fill(text)
    page.locator(".st-key-text textarea").press("Control+Enter")


def diagram_of(config: GPTConfig) -> dict[str, Any]:
    """What ``watch.js`` is to look for in the diagram of this configuration."""
    shapes = [f"× {config.n_layers}", f"{config.emb_dim} → {config.vocab_size}"]
    return {"diagram": shapes}
