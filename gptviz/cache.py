"""Models and traces that were made once and may be asked for again, in a bounded amount of memory.

What comes out of here is shared by everyone who asks for it: read it, never write to it.
"""

from __future__ import annotations

from collections.abc import Callable

from gptviz.config import GPTConfig
from gptviz.counting.ledger import FP32_BYTES, Ledger
from gptviz.loading import Loaded, build, load
from gptviz.memory import promised, shared
from gptviz.tracing.hooks import BeforeBlock
from gptviz.tracing.passes import ModelKey, Pass
from gptviz.tracing.trace import Trace, run

BeforeEach = Callable[[], object]


def cached_model(key: ModelKey, before_each: BeforeEach | None = None) -> Loaded:
    """A preset (``load``) or any configuration (``build``), made once and shared.

    Args:
        before_each: called before each band of random weights, and while this waits for memory or
            for another thread that makes the same model; what it raises stops the work, reaches
            this caller alone, and nothing is kept.

    Raises:
        ValueError: if there is no preset of that name.
        WeightsError: if trained weights are missing or damaged.
        NotEnoughMemoryError: if it doesn't fit, whatever the cache drops.
    """

    def make() -> Loaded:
        with promised(Ledger(key.config).weight_bytes(FP32_BYTES), before_each):
            if isinstance(key.source, str):
                return load(key.source, key.seed, before_each)
            return build(key.source, key.seed, before_each)

    return shared().get(key, make, while_waiting=before_each)


def cached_trace(
    of: Pass, before_block: BeforeBlock | None = None, before_each: BeforeEach | None = None
) -> Trace:
    """The trace of a pass, made once and shared, with the model that it is about.

    Raises:
        ValueError: if there is no such preset, or the model can't read these ids or has no part
            that a change is about.
        WeightsError: if trained weights are missing or damaged.
        NotEnoughMemoryError: if model or pass doesn't fit, whatever the cache drops.
    """
    assert isinstance(of.model, ModelKey), "only a model that has a key can be made again"
    key = of.model

    def make() -> Trace:
        model = cached_model(key, before_each).model
        with promised(_bytes_of_pass(model.config, len(of.ids)), before_each):
            return run(model, of, before_block)

    return shared().get(of, make, holds=key, while_waiting=before_each)


def kept_trace(of: Pass) -> Trace | None:
    """What ``cached_trace`` would give if it is at hand; None, at once, if it would take a pass."""
    return shared().peek(of, holds=of.model)


def has_model(key: ModelKey) -> bool:
    """Whether ``cached_model`` is at hand, so that a sentence needs no memory for weights."""
    return shared().peek(key) is not None


def _bytes_of_pass(config: GPTConfig, n_tokens: int) -> int:
    ledger = Ledger(config)
    return ledger.memory_to_run(n_tokens) - ledger.weight_bytes(FP32_BYTES)
