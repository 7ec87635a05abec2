"""What the attention page shows: all heads in one picture, and the chosen head's exact map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from gptviz.figures.attention import attention_map
from gptviz.ui import choose, live
from gptviz.ui.chart import chart
from gptviz.ui.controls import Screen
from gptviz.ui.frame import theme
from gptviz.ui.heads import heads_overview

if TYPE_CHECKING:
    from gptviz.tracing import Trace

OVERVIEW = "all_heads"


def show(screen: Screen, trace: Trace) -> None:
    """Both views of where the heads look."""
    if not screen.config.has("attention"):
        st.info("Attention is a placeholder here: there are no heads to look at.")
        return
    exact, beside = st.columns([3, 2], gap="large")
    with beside:  # first, as it is the smaller message
        _all_heads(screen, trace, (st.session_state["layer"], st.session_state["head"]))
    with exact:
        _one_head(screen, trace)


def _one_head(screen: Screen, trace: Trace) -> None:
    from gptviz.analysis.attention import head_map

    left, right = st.columns(2)
    with left:
        layer = choose.number("Layer", "layer", screen.config.n_layers)
    with right:
        head = choose.number("Head", "head", screen.config.n_heads)
    st.caption(
        "Each row is one token looking back: it spreads a weight of 1 over itself and the tokens "
        "before it. What comes later is hidden from it (the causal mask)."
    )
    if screen.dropout:
        st.caption("Shown as the softmax makes it: after that, dropout sets some weights to 0.")
    figure = attention_map(head_map(trace, layer, head), screen.labels, theme())
    about = f"Heatmap: layer {layer}, head {head}; who looks in the row, who is looked at across."
    chart(figure, "exact", about)


def _all_heads(screen: Screen, trace: Trace, chosen: tuple[int, int]) -> None:
    st.markdown("**All heads: a layer in each row, a head in each column**")
    overview = live.overview(screen, trace)
    note = "Colour: the square root of the weight, so that faint ones can be seen."
    if overview.factor > 1:
        note += f" Each cell shows the largest of {overview.factor} × {overview.factor} weights."
    heads_overview(overview, screen.labels, chosen, theme(), _chosen, OVERVIEW)
    st.caption(note)


def _chosen() -> None:
    pair = st.session_state[OVERVIEW].chosen
    if pair:
        st.session_state["layer"], st.session_state["head"] = (int(number) for number in pair)
