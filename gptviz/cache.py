"""Models and traces that were made once and may be asked for again, in a bounded amount of memory.

What comes out of here is shared by everyone who asks for it: read it, never write to it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from gptviz.config import PRESETS, Dropout, GPTConfig
from gptviz.hooks import BeforeBlock
from gptviz.interventions import UNCHANGED, Interventions
from gptviz.ledger import FP32_BYTES, Ledger
from gptviz.loading import TRAINED, Loaded, build, load, preset
from gptviz.memory import promised, shared
from gptviz.tracing import Trace, trace

BeforeBand = Callable[[], object]


def cached_model(
    source: str | GPTConfig, seed: int = 123, before_band: BeforeBand | None = None
) -> Loaded:
    """A preset by name (``load``) or any configuration (``build``), made once and shared.

    Args:
        before_band: called before each band of random weights, and while this waits for memory or
            for another thread that makes the same model; what it raises stops the work, reaches
            this caller alone, and nothing is kept.

    Raises:
        ValueError: if there is no preset of that name.
        WeightsError: if trained weights are missing or damaged.
        NotEnoughMemoryError: if it doesn't fit, whatever the cache drops.
    """

    def make() -> Loaded:
        config = preset(source) if isinstance(source, str) else source
        with promised(Ledger(config).weight_bytes(FP32_BYTES), before_band):
            if isinstance(source, str):
                return load(source, seed, before_band)
            return build(source, seed, before_band)

    return shared().get(_model_key(source, seed), make, while_waiting=before_band)


def cached_trace(
    source: str | GPTConfig,
    token_ids: Iterable[int],
    seed: int = 123,
    before_block: BeforeBlock | None = None,
    dropout: Dropout | None = None,
    interventions: Interventions = UNCHANGED,
    before_band: BeforeBand | None = None,
) -> Trace:
    """``trace`` of ``cached_model``, made once for each sentence and shared.

    Of one sentence there is one for each dropout and each set of interventions.

    Raises:
        ValueError: if there is no such preset, or the model can't read these ids or has no part
            that an intervention is about.
        WeightsError: if trained weights are missing or damaged.
        NotEnoughMemoryError: if model or pass doesn't fit, whatever the cache drops.
    """
    ids, model_key = tuple(token_ids), _model_key(source, seed)

    def make() -> Trace:
        model = cached_model(source, seed, before_band).model
        with promised(_bytes_of_pass(model.config, len(ids)), before_band):
            return trace(model, ids, before_block, dropout, interventions)

    key = (model_key, ids, dropout, interventions)
    return shared().get(key, make, holds=model_key, while_waiting=before_band)


def kept_trace(
    source: str | GPTConfig,
    token_ids: Iterable[int],
    seed: int = 123,
    dropout: Dropout | None = None,
) -> Trace | None:
    """What ``cached_trace`` would give if it is at hand; None, at once, if it would take a pass."""
    model_key = _model_key(source, seed)
    return shared().peek((model_key, tuple(token_ids), dropout, UNCHANGED), holds=model_key)


def has_model(source: str | GPTConfig, seed: int = 123) -> bool:
    """Whether ``cached_model`` is at hand, so that a sentence needs no memory for weights."""
    return shared().peek(_model_key(source, seed)) is not None


def _model_key(source: str | GPTConfig, seed: int) -> Hashable:
    if isinstance(source, str) and source in TRAINED:
        return source  # trained weights have no seed
    # A preset and its configuration are one model.
    return (PRESETS.get(source, source) if isinstance(source, str) else source, seed)


def _bytes_of_pass(config: GPTConfig, n_tokens: int) -> int:
    ledger = Ledger(config)
    return ledger.memory_to_run(n_tokens) - ledger.weight_bytes(FP32_BYTES)
