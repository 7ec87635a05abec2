"""The sentence, read by the model: at once where that is cheap, explained where it is not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psutil
import streamlit as st

from gptviz.config import PRESETS
from gptviz.ledger import Ledger
from gptviz.ui.controls import Screen, return_to
from gptviz.ui.frame import WARM

if TYPE_CHECKING:
    import numpy as np

    from gptviz.analysis.overview import Overview
    from gptviz.tracing import Trace

CHEAP = 1_000_000_000  # bytes: up to here a model is made without being asked for
USABLE = 0.8  # of the memory that is free


def ready(screen: Screen) -> Trace | None:
    """The sentence's trace if it is at hand; never waits, and never imports torch."""
    if not WARM.is_set() or not screen.token_ids:
        return None
    from gptviz.cache import kept_trace

    return kept_trace(screen.source, screen.token_ids, screen.seed, screen.dropout)


def is_cheap(screen: Screen) -> bool:
    """Whether the model is small enough to be made without being asked for."""
    return _needed(screen) <= CHEAP


def fits(screen: Screen) -> bool:
    """Whether there is memory to make the model and read the sentence with it."""
    return _needed(screen) <= free_memory()


def read(screen: Screen) -> Trace | None:
    """The sentence's trace; none, with the reason on the page, where it can't be had."""
    if not screen.token_ids:
        st.info("The sentence is empty: type one in the sidebar and the model will read it.")
        return None
    if not fits(screen):
        _too_large(screen)
        return None
    found = ready(screen)
    if found is not None:
        return found
    with st.spinner("Reading the sentence…", show_time=True):
        if not screen.is_trained:
            time.sleep(0.2)  # a slider on the move: let the next value come first
            _stop_if_stale()
        from gptviz.cache import cached_trace

        return cached_trace(
            screen.source, screen.token_ids, screen.seed, _stop_if_stale, screen.dropout
        )


def _stop_if_stale(_layer: int = 0) -> None:
    """Streamlit stops a run that nobody waits for when the session's state is looked at."""
    st.session_state.get("model")


def _needed(screen: Screen) -> int:
    """Bytes of memory to read the sentence: the model's own count only if it isn't made yet."""
    ledger = Ledger(screen.config)
    needed = ledger.memory_to_run(len(screen.token_ids))
    if WARM.is_set():
        from gptviz.cache import has_model

        if has_model(screen.source, screen.seed):
            return needed - ledger.weight_bytes(4)
    return needed


def free_memory() -> int:
    """Bytes that can be used now."""
    return int(psutil.virtual_memory().available * USABLE)


def _too_large(screen: Screen) -> None:
    """Say what it would take, and offer the largest model that fits."""
    needed = _needed(screen)
    st.warning(
        f"Reading with {screen.model} would take {needed / 2**30:,.1f} GiB of memory; "
        f"{free_memory() / 2**30:,.1f} GiB can be used now. Its diagram and its parameters need "
        "none."
    )
    fitting = [
        (Ledger(config).parameters, name)
        for name, config in PRESETS.items()
        if Ledger(config).memory_to_run(config.context_length) <= free_memory()
    ]
    if fitting:
        _, name = max(fitting)
        st.button(f"Use {name} instead", on_click=return_to, args=(name,))


def overview(screen: Screen, trace: Trace) -> Overview:
    """All heads' maps made small, once for each sentence."""
    from gptviz.analysis.overview import all_heads
    from gptviz.cache import shared

    key = ("all heads", screen.source, screen.seed, screen.token_ids, screen.dropout)
    return shared().get(key, lambda: all_heads(trace, before_layer=_stop_if_stale))


def losses(screen: Screen, trace: Trace) -> np.ndarray:
    """The loss at each token of the sentence in nats, made once for each sentence."""
    from gptviz.analysis.loss import losses
    from gptviz.cache import shared

    key = ("losses", screen.source, screen.seed, screen.token_ids, screen.dropout)
    return shared().get(key, lambda: losses(trace))
