"""The feed-forward from inside: GELU before and after, silent units, busy neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from gptviz.figures.neurons import busiest_bars, gelu_between, neuron_bars, silence_lines
from gptviz.ui.activations.options import BY_WRITING, neuron
from gptviz.ui.shell import live, shared
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import chart

if TYPE_CHECKING:
    from gptviz.analysis.neurons import Hidden, Silence
    from gptviz.tracing.trace import Trace

LISTED = 20


def show(screen: Screen, trace: Trace) -> None:
    """GELU in one block, how many units say nothing, and what single neurons do."""
    if not screen.config.has("feed_forward"):
        st.info("The feed-forward is a placeholder here: there are no neurons to look at.")
        return
    from gptviz.analysis.neurons import hidden, silence

    st.subheader("GELU: a soft switch for each hidden unit", anchor=False)
    st.caption(
        "In the feed-forward each token gets 4 × emb_dim hidden units (neurons). GELU lets large "
        "numbers through, holds numbers below 0 back, and is soft between. Follow a number from "
        "below up to the curve, and from there to the right."
    )
    layer = shared.layer(screen, "Block")
    units = live.once(screen.of, ("hidden", layer), lambda: hidden(trace, layer))
    _gelu(units)
    with st.spinner("Counting silent units in all blocks…"):
        found = live.once(screen.of, "silence", lambda: silence(trace, live.stop_if_stale))
    _silence(screen, found, layer)
    _single(screen, units, layer)


def _gelu(units: Hidden) -> None:
    from gptviz.analysis.neurons import gelu_curve
    from gptviz.analysis.station_numbers import histogram

    before, after = histogram(units.before), histogram(units.after)
    least, most = float(before.edges[0]), float(before.edges[-1])
    curve = gelu_curve(min(least, -3.0), max(most, 2.0))
    figure = gelu_between(
        (curve.x, curve.y), (before.counts, before.edges), (after.counts, after.edges), theme()
    )
    about = "The curve of GELU, with histograms of the numbers before it and after it."
    chart(figure, "gelu", about)


def _silence(screen: Screen, found: Silence, layer: int) -> None:
    always, ff_dim = found.always_silent[layer], screen.config.ff_dim
    st.subheader("How many units say nothing", anchor=False)
    st.caption(
        "**Held back**: the number before GELU is below 0, so what comes out is between −0.1701 "
        "and 0. "
        "**Silent**: what comes out has a size below 0.01, so next to nothing is passed on. Shares "
        f"of the {ff_dim:,} units, over the sentence's tokens. In block {layer}, "
        f"{always:,} {'is' if always == 1 else 'are'} silent at every token of the sentence."
    )
    left, right = st.columns(2)
    with left:
        st.markdown("**In each block**")
        figure = silence_lines(found.held_back.mean(axis=1), found.silent.mean(axis=1), theme())
        chart(figure, "silence_blocks", "Lines: shares of units held back and silent, by block.")
    with right:
        st.markdown(f"**At each token, in block {layer}**")
        figure = silence_lines(found.held_back[layer], found.silent[layer], theme(), screen.labels)
        chart(figure, "silence_tokens", "Lines: shares of units held back and silent, by token.")


def _single(screen: Screen, units: Hidden, layer: int) -> None:
    from gptviz.analysis.neurons import busiest

    st.subheader("Single neurons", anchor=False)
    by_writing = bool(BY_WRITING.value)
    left, right = st.columns(2)
    with left:
        position = shared.token(screen)
        found = busiest(units, position, LISTED, by_writing)
        st.markdown("**The busiest neurons for this token**")
        BY_WRITING.draw(screen)
        bars = (found.neurons, found.activations, found.written)
        figure = busiest_bars(*bars, by_writing, theme())
        chart(figure, "busiest", "Bars: the busiest neurons for the chosen token.")
    with right:
        chosen = neuron(screen, int(found.neurons[0]))
        st.markdown(f"**What drives neuron {chosen} of block {layer}**")
        figure = neuron_bars(units.after[:, chosen], screen.labels, theme())
        chart(figure, "driven", "Bars: one neuron's activation at each token of the sentence.")
