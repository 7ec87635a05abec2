"""A real server and a real browser, and ways to wait that don't come back too early."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from scripts.chromium import launch

expect.set_options(timeout=20_000)

PATIENCE = 120_000  # ms; a first page imports torch on what may be a busy machine
QUIET = 250  # ms without a message from the server: the rerun has said all it had to say

# Counts what goes to the server and what comes back, before the page's own code runs.
COUNT_MESSAGES = """(() => {
  const Plain = window.WebSocket, seen = window.messages = {sent: 0, received: 0, last: 0};
  window.WebSocket = class extends Plain {
    constructor(...all) {
      super(...all);
      this.addEventListener("message", () => { seen.received++; seen.last = performance.now(); });
    }
    send(data) { seen.sent++; seen.received = 0; return super.send(data); }
  };
})()"""

IDLE = """quiet => {
  const app = document.querySelector('[data-testid="stApp"]');
  return app && app.dataset.testScriptState === "notRunning"
    && app.dataset.testConnectionState === "CONNECTED"
    && !document.querySelector('[data-testid="stSkeleton"], [data-stale="true"]')
    && performance.now() - window.messages.last > quiet;
}"""

ANSWERED = "sent => window.messages.sent > sent && window.messages.received > 1"


@contextmanager
def serving(folder: Path, *command: str) -> Iterator[str]:
    """Serve the app as a person would, from this folder, by default with ``streamlit run app.py``.

    Gives the server's address, and shows its log if the test fails.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = command or (sys.executable, "-m", "streamlit", "run", "app.py")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"STREAMLIT_SERVER_PORT": str(port), "STREAMLIT_SERVER_HEADLESS": "true"}
    address = f"http://127.0.0.1:{port}"
    with TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_until_healthy(process, address)
            yield address
        finally:
            process.terminate()
            process.wait(20)
            log.seek(0)
            print(log.read())


def wait_until_healthy(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the server stopped before it served anything")
        try:
            urllib.request.urlopen(address + "/_stcore/health", timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not get ready within a minute")


@pytest.fixture(scope="session")
def server(root: Path) -> Iterator[str]:
    """The address of a server that all tests share."""
    with serving(root) as address:
        yield address


@pytest.fixture
def fresh_server(root: Path) -> Iterator[str]:
    """The address of a server that nobody has visited yet."""
    with serving(root) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright, launch(playwright) as browser:
        yield browser


def settled(page: Page) -> Page:
    """Wait until the page is drawn and quiet; fail if it shows an exception."""
    page.wait_for_function(IDLE, arg=QUIET, timeout=PATIENCE)
    exceptions = page.get_by_test_id("stException")
    assert exceptions.count() == 0, exceptions.first.inner_text()
    return page


def act(page: Page, do: Callable[[], object]) -> Page:
    """Do something that makes the app run again, and wait until that run has been drawn.

    Right after a click the page still says that no script is running; so this waits for a message
    to go out, for answers to come in, and only then for quiet.
    """
    sent = page.evaluate("window.messages.sent")
    do()
    page.wait_for_function(ANSWERED, arg=sent, timeout=PATIENCE)
    return settled(page)


def elsewhere(url: str, address: str) -> list[str]:
    """The address asked for, if it is not our own server's."""
    here = url.startswith((address + "/", "data:", "blob:"))
    return [] if here else [f"the page asks {url}"]


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Open a path of the app; an error in its JavaScript, or a request elsewhere, fails the test.

    ``visit(path, width=1440, height=900, dark=False, server=None)``: each call is a visitor of its
    own, by default on the shared server.
    """
    contexts, errors = [], []

    def open_page(
        path: str = "/",
        width: int = 1440,
        height: int = 900,
        dark: bool = False,
        server: str | None = None,
    ) -> Page:
        address = server or request.getfixturevalue("server")
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        context.add_init_script(COUNT_MESSAGES)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(f"{path}: {error}"))
        page.on("request", lambda request: errors.extend(elsewhere(request.url, address)))
        page.goto(address + path, timeout=PATIENCE)
        return settled(page)

    yield open_page
    for context in contexts:
        context.close()
    assert not errors, errors


@pytest.fixture(name="serving", scope="session")
def serving_fixture() -> Callable[..., AbstractContextManager[str]]:
    """``with serving(folder, *command) as address``: a server that was started in another way."""
    return serving


@pytest.fixture(name="settled")
def settled_fixture() -> Callable[[Page], Page]:
    """``settled(page)``: wait until the page is drawn and quiet."""
    return settled


@pytest.fixture(name="act")
def act_fixture() -> Callable[[Page, Callable[[], object]], Page]:
    """``act(page, do)``: do something that makes the app run again, and wait until it has."""
    return act
