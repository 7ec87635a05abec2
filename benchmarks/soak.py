"""Claim: many visitors at once leave nothing in memory but what the cache accounts for."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.session import Session, session
from benchmarks.table import Row, Table
from benchmarks.visitor import serving

VISITORS = 20
WARM_UP = 2.0  # minutes: kernels, imports and the cache itself come to their size
REST = 10.0  # seconds, until the last visitor's run has ended and what it freed was handed back
GROWTH = 100  # MB
CACHE = (
    2 * 2**30
)  # bytes: so little that it is full before the warm-up ends, and drops all the time
PAGES = ("", "tokens", "activations", "attention", "attention", "prediction", "parameters")
WORDS = "once upon a time there was a king who had three daughters".split()
SMALL = {"model": "custom", "vocab_size": 1000, "context_length": 64, "emb_dim": 96, "n_heads": 4}


@dataclass(frozen=True)
class Look:
    """The server's memory at one moment.

    Args:
        at: seconds since 1970.
        resident, cached: bytes of the process, and of what its cache keeps.
    """

    at: float
    resident: int
    cached: int

    @property
    def beyond(self) -> float:
        """MB that the cache doesn't account for."""
        return (self.resident - self.cached) / 1e6


def tables(minutes: float) -> Iterator[Table]:
    """Twenty visitors for so many minutes, of which the first are there to warm up."""
    with tempfile.TemporaryDirectory() as folder:
        looks = Path(folder) / "memory.txt"
        with serving("benchmarks.watched", str(CACHE), str(looks)) as address:
            visits = _visit(address, WARM_UP, 0)
            before = _at_rest(looks)
            visits += _visit(address, max(0, minutes - WARM_UP), VISITORS)
            after = _at_rest(looks)
        highest = max(_read(looks), key=lambda look: look.resident)
    case = f"{VISITORS} visitors, {minutes:g} minutes"
    yield Table(
        "Memory of the server",
        [
            Row("growth after minute two, beyond the cache", "MB",
                {case: [after.beyond - before.beyond]}, GROWTH),
            Row("at rest, beyond the cache", "MB", {case: [after.beyond]}),
            Row("at rest, kept by the cache", "MB", {case: [after.cached / 1e6]}),
            Row("at its highest", "MB", {case: [highest.resident / 1e6]}),
            Row("visits", "", {case: [visits]}),
        ],
    )  # fmt: skip


def _visit(address: str, minutes: float, first_seed: int) -> int:
    """All visitors come and go for so long; gives the number of visits."""
    end = time.monotonic() + 60 * minutes
    with ThreadPoolExecutor(VISITORS) as pool:
        seeds = range(first_seed, first_seed + VISITORS)
        return sum(pool.map(lambda seed: _one_visitor(address, Random(seed), end), seeds))


def _one_visitor(address: str, chance: Random, end: float) -> int:
    visits = 0
    while time.monotonic() < end:
        with session(address) as visitor:
            _look_around(visitor, chance)
        visits += 1
    return visits


def _look_around(visitor: Session, chance: Random) -> None:
    """Open a page, move a slider fast, take a file along; or leave while the page is made."""
    text = " ".join(chance.choices(WORDS, k=chance.randint(4, 50)))
    visitor.open(chance.choice(PAGES), text=text, **_model(chance))
    if chance.random() < 0.1:
        time.sleep(chance.random())
        return
    visitor.settle()
    if chance.random() < 0.3:
        for heads in chance.sample((1, 2, 3, 4, 6, 8, 12), 3):
            visitor.move("n_heads", heads)
            time.sleep(0.1)
        visitor.settle()
    if visitor.downloads:
        visitor.download(chance.choice(visitor.downloads))
    time.sleep(chance.random())


def _model(chance: Random) -> dict[str, object]:
    name = chance.choice(("tales", "tales", "custom", "gpt2-small"))
    of_custom = SMALL | {"n_layers": chance.randint(1, 6)}
    seed = {} if name == "tales" else {"seed": chance.randint(0, 50)}
    return {"model": name, **seed, **(of_custom if name == "custom" else {})}


def _at_rest(looks: Path) -> Look:
    time.sleep(REST)
    return _read(looks)[-1]


def _read(looks: Path) -> list[Look]:
    whole_lines = looks.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
    numbers = (line.split() for line in whole_lines)
    return [Look(float(at), int(resident), int(cached)) for at, resident, cached in numbers]
