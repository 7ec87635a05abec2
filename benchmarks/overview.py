"""Claim: all heads of GPT-2 small over 1,024 tokens, in one picture, at once."""

from __future__ import annotations

import time
from collections.abc import Iterator

from playwright.sync_api import Browser, Page, WebSocket

from benchmarks.table import Row, Table
from benchmarks.visitor import seen_after, serving, settle, type_sentence, visiting
from gptviz.analysis.overview import Overview, all_heads
from gptviz.loading import load
from gptviz.presets import PRESETS
from gptviz.tokenizer import Tokenizer
from gptviz.tracing.trace import trace

MODEL = "gpt2-small"
PAINTED, PAYLOAD = 1000, 2  # ms, MB
N_TOKENS = PRESETS[MODEL].context_length
CASE = f"{N_TOKENS:,} tokens"


def tables(browser: Browser, repeats: int) -> Iterator[Table]:
    """Python alone, then all the way into the page."""
    computed, overview = _computed(repeats)
    painted, server, megabytes = _painted(browser, repeats, _size(overview))
    yield Table(
        "All heads of GPT-2 small in one picture",
        [
            Row("all_heads", "ms", {CASE: computed}),
            Row("painted after a click on the page", "ms", {CASE: painted}, PAINTED),
            Row("  of which until the server's last word", "ms", {CASE: server}),
            Row("sent to the browser", "MB", {CASE: megabytes}, PAYLOAD),
        ],
    )


def _text(turn: int) -> str:
    """As many tokens as the model reads, and other ones in every turn."""
    ids = Tokenizer(PRESETS[MODEL].vocab_size).encode(f"Tale {turn}. " + _LINE * N_TOKENS)
    return Tokenizer(PRESETS[MODEL].vocab_size).decode(ids[:N_TOKENS])


_LINE = "Once upon a time there was a king who had three daughters, and he loved them dearly. "


def _computed(repeats: int) -> tuple[list[float], Overview]:
    loaded = load(MODEL)
    traced = trace(loaded.model, loaded.tokenizer.encode(_text(0)))
    taken = []
    overview = all_heads(traced)  # warms up
    for _ in range(repeats):
        start = time.perf_counter()
        overview = all_heads(traced)
        taken.append((time.perf_counter() - start) * 1000)
    return taken, overview


def _size(overview: Overview) -> tuple[int, int]:
    """Width and height of the picture that heads.js paints, in its own pixels."""
    layers, heads, size, _ = overview.maps.shape
    gap = round(size * 0.12)
    return heads * (size + gap) - gap, layers * (size + gap) - gap


def _painted(
    browser: Browser, repeats: int, size: tuple[int, int]
) -> tuple[list[float], list[float], list[float]]:
    """The sentence has been read on another page; then a click leads to the picture."""
    painted, server, megabytes = [], [], []
    with serving() as address:
        for turn in range(repeats + 1):
            with visiting(browser, f"{address}/activations?model={MODEL}") as page:
                received = _listen(page)
                settle(page)
                type_sentence(page, _text(turn))
                settle(page)
                received.clear()
                link = page.get_by_test_id("stSidebar").get_by_role("link", name="Attention")
                times = seen_after(page, link.click, {"overview": size})["overview"]
                settle(page)
            if turn:
                painted.append(times["shown"])
                server.append(times["server"])
                megabytes.append(_sent(received) / 1e6)
    return painted, server, megabytes


def _listen(page: Page) -> list[bytes]:
    received: list[bytes] = []

    def keep(payload: str | bytes) -> None:
        received.append(payload if isinstance(payload, bytes) else payload.encode())

    def follow(socket: WebSocket) -> None:
        socket.on("framereceived", keep)

    page.on("websocket", follow)
    return received


def _sent(received: list[bytes]) -> int:
    """Bytes of the messages that carry the picture: they name its key."""
    sizes = [len(payload) for payload in received if b"all_heads" in payload]
    assert sizes, "no message carried the overview"
    return max(sizes)
