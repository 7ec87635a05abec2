"""Claim: a trace costs little more than a plain forward, and far less than others ask for it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import torch

from benchmarks.hugging_face import their_model, with_their_weights
from benchmarks.memory import can_measure, peak_bytes
from benchmarks.passes import (
    CONFIG,
    NAMES,
    PLAIN_LAST,
    THEIRS,
    THEIRS_LAST,
    TRACE,
    Pass,
    our_passes,
    sentence,
    their_passes,
)
from benchmarks.table import Row, Table, ratios

LENGTHS = (16, 64, 256, 1024)
TIME_OF_THEIRS, TIME_OF_PLAIN, MEMORY_OF_THEIRS = 0.65, 1.1, 0.5


def tables(repeats: int, lengths: Sequence[int] = LENGTHS) -> Iterator[Table]:
    """Time, then memory, at each length of the sentence."""
    yield _times(repeats, lengths)
    if can_measure():
        yield _memory(lengths)


def _times(repeats: int, lengths: Sequence[int]) -> Table:
    theirs = their_model(CONFIG)
    passes = our_passes(with_their_weights(theirs)) | their_passes(theirs)
    rows = _rows("ms", {f"{n} tokens": _rounds(passes, n, repeats) for n in lengths})
    return Table(
        "A trace of GPT-2 small: time",
        [
            *rows.values(),
            ratios("trace / Hugging Face", rows[TRACE], rows[THEIRS], TIME_OF_THEIRS),
            ratios("trace / Hugging Face, last logits", rows[TRACE], rows[THEIRS_LAST]),
            ratios("trace / plain, last logits", rows[TRACE], rows[PLAIN_LAST], TIME_OF_PLAIN),
        ],
    )


@torch.inference_mode()
def _rounds(passes: Mapping[str, Pass], n_tokens: int, repeats: int) -> dict[str, list[float]]:
    """Milliseconds of each pass, taken in turns: what slows the machine slows all of them."""
    ids = sentence(n_tokens)
    taken = defaultdict(list)
    for turn in range(repeats + 1):
        for name, run in passes.items():
            start = time.perf_counter()
            result = run(ids)
            passed = time.perf_counter() - start
            del result
            if turn:  # the first only warms up
                taken[name].append(passed * 1000)
    return taken


def _memory(lengths: Sequence[int]) -> Table:
    rows = _rows(
        "MiB",
        {f"{n} tokens": {name: [peak_bytes(name, n) / 2**20] for name in NAMES} for n in lengths},
    )
    return Table(
        "A trace of GPT-2 small: peak memory above the loaded model",
        [
            *rows.values(),
            ratios("trace / Hugging Face", rows[TRACE], rows[THEIRS], MEMORY_OF_THEIRS),
            ratios("trace / Hugging Face, last logits", rows[TRACE], rows[THEIRS_LAST]),
            ratios("trace / plain, last logits", rows[TRACE], rows[PLAIN_LAST]),
        ],
    )


def _rows(unit: str, measured: Mapping[str, Mapping[str, Sequence[float]]]) -> dict[str, Row]:
    """From case, then name, to one row a name."""
    return {
        name: Row(name, unit, {case: samples[name] for case, samples in measured.items()})
        for name in NAMES
    }
