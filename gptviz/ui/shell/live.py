"""The sentence, read by the model: at once where that is cheap, when asked for where it is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from gptviz.counting.ledger import Ledger
from gptviz.defaults import largest_that_fits
from gptviz.memory import NotEnoughMemoryError, free_memory, shared
from gptviz.tracing.passes import ModelKey, Pass
from gptviz.ui.shell.fields import return_to
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.warm import WARM

if TYPE_CHECKING:
    import numpy as np
    from streamlit.delta_generator import DeltaGenerator

    from gptviz.analysis.overview import Overview
    from gptviz.byte_cache import Sized
    from gptviz.tracing.trace import Trace

T = TypeVar("T", bound="Sized")

SLOW = 0.3  # seconds: a pass that takes longer says how far it is, and can be stopped
# Bytes of memory up to which a model is made without being asked for: GPT-2 small with a sentence
# is within, and leaves a laptop of 8 GB room. What is larger, no link can make by itself.
CHEAP = 1_000_000_000


def ready(screen: Screen) -> Trace | None:
    """The sentence's trace if it is at hand; never waits, and never imports torch."""
    if not WARM.is_set() or not screen.token_ids:
        return None
    from gptviz.cache import kept_trace

    return kept_trace(screen.of)


def fits(screen: Screen) -> bool:
    """Whether there is memory to make the model and read the sentence with it."""
    return _needed(screen) <= free_memory()


def read(screen: Screen) -> Trace | None:
    """The sentence's trace; none, with the reason on the page, where it can't be had."""
    # One place, whatever is said: what stands below it is not moved, and not drawn from nothing.
    place = st.empty()
    with place.container():
        found = ready(screen) or _read(screen, place)
    if found is not None:
        place.empty()
    return found


def _read(screen: Screen, place: DeltaGenerator) -> Trace | None:
    if why := screen.why_no_tokens:
        st.info(why)
        return None
    if not fits(screen):
        _too_large(screen)
        return None
    if not _may_be_made(screen):
        _ask(screen)
        return None
    if st.session_state.get("stopped") == screen.of:
        st.info("Stopped before the sentence was read to its end.")
        st.button("Read it", icon=":material/play_arrow:", on_click=_go_on)
        return None
    with st.spinner("Reading the sentence…", show_time=True):
        if not screen.is_trained:
            time.sleep(0.2)  # a slider on the move: let the next value come first
            stop_if_stale()
        try:
            return _traced(screen, place)
        except NotEnoughMemoryError:
            _too_large(screen)
            return None


def _traced(screen: Screen, place: DeltaGenerator) -> Trace:
    """The model made and the pass run: both end when nobody waits for this run any more."""
    from gptviz.cache import cached_model, cached_trace

    n_layers = screen.config.n_layers
    cached_model(screen.key, stop_if_stale)  # so that the time below is the pass's own
    words = f"Block {{}} of 0 to {n_layers - 1}"
    progress = Progress(n_layers, words, place, partial(_stop, screen.of))
    return cached_trace(screen.of, progress, stop_if_stale)


def again(of: Pass) -> Trace:
    """A pass's trace for a file that is asked for later, outside of any run.

    What waits for the press of a button keeps the pass, which is small, and never a trace: that
    would live, with its model, as long as the page is open.
    """
    from gptviz.cache import cached_trace

    return cached_trace(of)


def another(screen: Screen, of: Pass) -> Trace:
    """A pass besides the page's own; without memory for it, the page ends here and says why."""
    from gptviz.cache import cached_trace

    try:
        return cached_trace(of, stop_if_stale, stop_if_stale)
    except NotEnoughMemoryError:
        _too_large(screen)
        st.stop()


def _may_be_made(screen: Screen) -> bool:
    """Whether it is cheap, with the model as it may be at hand, or this visitor asked for it."""
    asked_for = st.session_state.get("asked_for", ())
    return _needed(screen) <= CHEAP or screen.key in asked_for


def _ask(screen: Screen) -> None:
    """Say what it would take, and wait for a click."""
    st.info(
        f"Making {screen.model} and reading with it takes {_needed(screen) / 2**30:,.1f} GiB of "
        "memory and a while, so it is made only when you ask for it."
    )
    st.button(
        f"Read the sentence with {screen.title}",
        icon=":material/play_arrow:",
        on_click=_make,
        args=(screen.key,),
    )


def _make(model: ModelKey) -> None:
    st.session_state.setdefault("asked_for", set()).add(model)


class Progress:
    """Called at each step of long work: says how far it is, once it has taken a while.

    Args:
        words: what stands at the bar, with ``{}`` for the step's number.
        place: where bar and button are drawn.
        on_stop: runs when a person stops the work.
    """

    def __init__(
        self, n_steps: int, words: str, place: DeltaGenerator, on_stop: Callable[[], None]
    ) -> None:
        self.n_steps, self.words, self.place, self.on_stop = n_steps, words, place, on_stop
        self.started = time.monotonic()
        self.bar: DeltaGenerator | None = None

    def __call__(self, step: int) -> None:
        stop_if_stale()
        if time.monotonic() - self.started < SLOW:
            return
        if self.bar is None:
            with self.place.container():
                self.bar = st.progress(0.0)
                st.button("Stop", icon=":material/stop:", on_click=self.on_stop)
        self.bar.progress(step / self.n_steps, self.words.format(step))


def _stop(which: Hashable) -> None:
    st.session_state["stopped"] = which


def _go_on() -> None:
    st.session_state.pop("stopped", None)


def stop_if_stale(_layer: int = 0) -> None:
    """Streamlit stops a run that nobody waits for when the session's state is looked at."""
    st.session_state.get("model")


def _needed(screen: Screen) -> int:
    """Bytes of memory to read the sentence: the model's own count only if it isn't made yet."""
    ledger = Ledger(screen.config)
    needed = ledger.memory_to_run(len(screen.token_ids))
    if WARM.is_set():
        from gptviz.cache import has_model

        if has_model(screen.key):
            return needed - ledger.weight_bytes(4)
    return needed


def _too_large(screen: Screen) -> None:
    """Say what it would take, and offer the largest model that fits."""
    needed = _needed(screen)
    st.warning(
        f"Reading with {screen.model} would take {needed / 2**30:,.1f} GiB of memory; "
        f"{free_memory() / 2**30:,.1f} GiB can be used now. Its diagram and its parameters need "
        "none."
    )
    if name := largest_that_fits():
        st.button(f"Use {name} instead", on_click=return_to, args=(name,))


def once(of: Pass, what: Hashable, make: Callable[[], T]) -> T:
    """What ``make`` finds out about a pass: made once for each pass and shared.

    Args:
        what: names it, with all that it depends on besides the pass: a layer, a head.
    """
    return shared().get((what, of), make, while_waiting=stop_if_stale)


def kept(of: Pass, what: Hashable) -> Any | None:
    """What ``once`` found out, if it is at hand; never waits, and never imports torch."""
    return shared().peek((what, of))


def overview(trace: Trace) -> Overview:
    """All heads' maps made small."""
    from gptviz.analysis.overview import all_heads

    return once(trace.of, "all heads", lambda: all_heads(trace, before_each=stop_if_stale))


def losses(trace: Trace) -> np.ndarray:
    """The loss at each token of the sentence in nats."""
    from gptviz.analysis.loss import losses

    return once(trace.of, "losses", lambda: losses(trace))
