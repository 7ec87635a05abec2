"""Is attention an explanation? A head is silenced, and the next token's probabilities compared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from gptviz.figures.silencing import before_and_after, weight_and_effect
from gptviz.tracing.changes import Head, silence
from gptviz.ui.attention.heads import grid
from gptviz.ui.attention.options import SILENCED
from gptviz.ui.shell import live, shared
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import chart

if TYPE_CHECKING:
    from gptviz.analysis.silencing import Shift
    from gptviz.tracing.trace import Trace

COUNT = 8  # likeliest tokens of each distribution


def show(screen: Screen, trace: Trace) -> None:
    """One head silenced, then each in turn."""
    st.subheader("A bright head need not matter", anchor=False)
    st.caption(
        "An attention map says where a head looks, not whether the answer hangs on it. So take a "
        "head away (its context vector is set to 0, for the whole sentence) and see whether the "
        "model foretells anything else."
    )
    position = shared.token(screen, "Foretell the token after")
    which = SILENCED.draw(screen)
    head = _head(screen, trace, position, which)
    _one(screen, trace, position, head)
    _each(screen, trace, position)
    _debate()


def _head(screen: Screen, trace: Trace, position: int, which: str) -> Head:
    """The head to silence."""
    if which == "chosen":
        left, right = st.columns(2)
        with left:
            layer = shared.layer(screen)
        with right:
            return layer, shared.head(screen)
    from gptviz.analysis.silencing import brightest_head

    return brightest_head(trace, position)


def _one(screen: Screen, trace: Trace, position: int, head: Head) -> None:
    """The likeliest next tokens with the head and without it."""
    from gptviz.analysis.silencing import largest_weights, shift

    weights = largest_weights(trace, position)
    found = shift(trace, _without(screen, head), position, COUNT)
    layer, number = head
    st.markdown(
        f"**Layer {layer}, head {number}**: the largest weight it has from token {position} to "
        f"any one token is {weights[head]:.4f}; the largest of all heads is {weights.max():.4f}."
    )
    labels = screen.tokenizer.labels(found.token_ids.tolist())
    _verdict(found)
    figure = before_and_after(found.before, found.after, labels, theme())
    chart(figure, "before_after", "Bar chart: the likeliest next tokens with the head and without.")


def _without(screen: Screen, head: Head) -> Trace:
    with st.spinner("Reading the sentence without the head…"):
        return live.another(screen, replace(screen.of, changes=silence({head})))


def _verdict(found: Shift) -> None:
    with st.container(horizontal=True):
        st.metric("The distribution moved by", f"{found.bits:.4g} bits", border=True)
        same = found.top_before == found.top_after
        st.metric("The likeliest token", "is the same" if same else "is another", border=True)
    st.caption(
        "Bits: the Kullback-Leibler divergence over the whole vocabulary, Σ p · log₂(p / q), of "
        "what is foretold without the head (q) from what is foretold with it (p). 0 would be no "
        "move at all."
    )


def _each(screen: Screen, trace: Trace, position: int) -> None:
    """Every head silenced alone: on demand, as the sentence is read once for each."""
    st.markdown("**Each head silenced alone**")
    what = ("bits of each head", position)
    bits = live.kept(screen.of, what)
    asked = (screen.of, position)
    if bits is None:
        is_asked = st.session_state.get("silencing") == asked
        words = (
            f"Silence each of the {screen.config.n_layers * screen.config.n_heads} heads in turn"
        )
        place, icon = st.empty(), ":material/volume_off:"
        place.button(words, icon=icon, on_click=_start, args=(asked,), disabled=is_asked)
        if not is_asked:
            return
        bits = live.once(screen.of, what, lambda: _bits(trace, position))
        place.empty()
    _pictures(trace, position, bits)


def _bits(trace: Trace, position: int) -> np.ndarray:
    """The long work, with its progress and a way to stop it."""
    from gptviz.analysis.silencing import bits_of_each_head

    n_heads, total = trace.config.n_heads, trace.config.n_layers * trace.config.n_heads
    place = st.empty()
    progress = live.Progress(total, f"Head {{}} of 0 to {total - 1}", place, _stop)

    def before_each(head: Head) -> None:
        progress(head[0] * n_heads + head[1])

    bits = bits_of_each_head(trace, position, before_each, live.stop_if_stale)
    place.empty()
    return bits


def _start(asked: object) -> None:
    st.session_state["silencing"] = asked


def _silence_chosen() -> None:
    SILENCED.choose("chosen")


def _stop() -> None:
    st.session_state.pop("silencing", None)


def _pictures(trace: Trace, position: int, bits: np.ndarray) -> None:
    from gptviz.analysis.silencing import largest_weights

    left, right = st.columns(2, gap="large")
    with left:
        most = float(bits.max())
        grid(bits, "bits moved when silenced", most, "silence_grid", _silence_chosen)
    with right:
        weights = largest_weights(trace, position)
        chart(
            weight_and_effect(weights, bits, theme()),
            "weight_effect",
            "Scatter chart: each head's largest weight across, the bits its silence moves upwards.",
        )
    st.caption(
        "Left: how far the distribution moves when each head alone is silenced; a click shows that "
        "one above. Right: the same, "
        "against how bright the head is. If bright heads were those that matter, the points would "
        "rise from left to right."
    )


def _debate() -> None:
    st.markdown(
        "**What the field says.** Jain & Wallace (2019, *Attention is not Explanation*) found, for "
        "classifiers of text, that attention weights often have little to do with other measures "
        "of importance, such as gradients, and that quite other weights can lead to the same "
        "answer. Wiegreffe & Pinter (2019, *Attention is not not Explanation*) replied that this "
        "depends on what one calls an explanation, and gave tests of when it can be one. So: look "
        "at the map, then check what happens without it."
    )
    st.caption(
        "A single head that moves nothing can still matter: others may do the same work and step "
        "in for it. Silencing to 0 is also a state that the model has never met in training."
    )
