"""Claim: the page answers at once, in Chromium, from the click to the paint."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

from playwright.sync_api import Browser, Page

from benchmarks.table import Row, Table
from benchmarks.visitor import (
    choose_model,
    diagram_of,
    see,
    seen_after,
    serving,
    settle,
    type_sentence,
    visiting,
)
from gptviz.config import GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.presets import PRESETS
from gptviz.tokenizer import Tokenizer

REPAINT, FIRST_PAINT = 300, 3000  # ms
DEFAULT = next(iter(PRESETS))
LIVE = ("tokens", "activations", "attention", "prediction")

Wanted = Callable[[GPTConfig], dict[str, object]]
Samples = dict[str, list[float]]


def tables(browser: Browser, repeats: int) -> Iterator[Table]:
    """From the start to the first paint, then a change of configuration, then of the sentence."""
    yield _opening(browser, repeats)
    with serving() as address:
        yield _configuration(browser, address, repeats)
        yield _sentence(browser, address, repeats)


def _opening(browser: Browser, repeats: int) -> Table:
    first, second = [], []
    for _ in range(repeats):
        start = time.perf_counter()
        with serving() as address:
            first.append(_until_diagram(browser, address, start))
            second.append(_until_diagram(browser, address, time.perf_counter()))
    return Table(
        "Opening the app, until the diagram is there",
        [
            Row("from the start of the server", "ms", {"": first}, FIRST_PAINT),
            Row("second visitor", "ms", {"": second}),
        ],
    )


def _until_diagram(browser: Browser, address: str, start: float) -> float:
    with visiting(browser, address) as page:
        see(page, "diagram", diagram_of(PRESETS[DEFAULT])["diagram"])
        passed = (time.perf_counter() - start) * 1000
        settle(page)  # the next visitor comes when this one has been served
        return passed


def _configuration(browser: Browser, address: str, repeats: int) -> Table:
    pages: tuple[tuple[str, Wanted], ...] = (("", diagram_of), ("parameters", _ledger_of))
    rows = []
    for path, wanted in pages:
        with visiting(browser, f"{address}/{path}") as page:
            shown, server = _each_model(page, repeats, wanted)
        for what in shown:
            rows.append(Row(f"{what} repainted", "ms", shown[what], REPAINT))
            rows.append(Row("  of which until the server's last word", "ms", server[what]))
    return Table("Another model is chosen", rows)


def _ledger_of(config: GPTConfig) -> dict[str, object]:
    ledger = Ledger(config)
    return {"totals": f"{ledger.parameters:,}", "treemap": ledger.parameters}


def _each_model(
    page: Page, repeats: int, wanted: Wanted
) -> tuple[dict[str, Samples], dict[str, Samples]]:
    """From model to model, round and round, each time after everything has come to rest."""
    shown: dict[str, Samples] = {}
    server: dict[str, Samples] = {}
    names = [*(name for name in PRESETS if name != DEFAULT), DEFAULT]
    settle(page)
    for name in names * repeats:
        times = seen_after(page, partial(choose_model, page, name), wanted(PRESETS[name]))
        for what, each in times.items():
            shown.setdefault(what, {}).setdefault(name, []).append(each["shown"])
            server.setdefault(what, {}).setdefault(name, []).append(each["server"])
        settle(page)
    return shown, server


def _sentence(browser: Browser, address: str, repeats: int) -> Table:
    """Another sentence on each live page, until nothing on the page changes any more."""
    rows = []
    for model, n_tokens, aim in (("tales", 64, 400), ("gpt2-small", 256, 1500)):
        at_rest: Samples = {}
        for name in LIVE:
            with visiting(browser, f"{address}/{name}?model={model}&text=") as page:
                at_rest[name] = _each_sentence(page, model, n_tokens, repeats)
        rows.append(Row(f"{model}, {n_tokens} tokens", "ms", at_rest, aim))
    return Table("Another sentence is typed, until the page is at rest", rows)


def _each_sentence(page: Page, model: str, n_tokens: int, repeats: int) -> list[float]:
    """Sentences of one length, each of them new, so that nothing is at hand."""
    tokenizer = Tokenizer(PRESETS[model].vocab_size)
    settle(page)
    times = []
    for turn in range(repeats + 1):
        text = f"{10 + turn} " + "and then the king said to his daughter that " * 50
        ids = tokenizer.encode(text)[:n_tokens]
        type_sentence(page, tokenizer.decode(ids))
        settle(page)
        times.append(page.evaluate("bench.restless()"))
    return times[1:]  # the first one waits for the model, too
