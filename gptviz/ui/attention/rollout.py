"""Attention rollout on the page: all layers' attention as if it were one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from gptviz.figures.attention import rollout_map
from gptviz.ui.shell import live
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import chart

if TYPE_CHECKING:
    from gptviz.tracing.trace import Trace


def show(screen: Screen, trace: Trace) -> None:
    """The map, what it assumes, and what it leaves out."""
    from gptviz.analysis.rollout import rollout

    st.subheader("How much of each token reaches each place?", anchor=False)
    st.caption(
        "After the last block, position by position (rows): the share that each token of the input "
        "(columns) has in it, if attention were all that moves anything (attention rollout). Rows "
        "sum to 1."
    )
    shares = live.once(screen.of, "rollout", lambda: rollout(trace, live.stop_if_stale))
    figure = rollout_map(shares, screen.labels, theme())
    about = "Heatmap: each position after the last block in a row, its share of each token across."
    picture, words = st.columns([3, 2], gap="large")
    with picture:
        chart(figure, "rollout", about, square=True)
    with words:
        _assumptions(screen.config.has("shortcut"))


def _assumptions(has_shortcut: bool) -> None:
    add = (
        "Add the identity for the shortcut, by which each token keeps itself."
        if has_shortcut
        else "Shortcuts are placeholders here, so no identity is added for them."
    )
    st.markdown(
        "**How it is made**  \n"
        "1. In each layer, take the mean of all heads' maps.\n"
        f"2. {add}\n"
        "3. Bring each row back to the sum 1.\n"
        "4. Multiply these maps, from the first layer to the last.\n\n"
        "**What it takes for granted.** It is a guess made of attention weights alone. It holds "
        "all heads for equally important, and it ignores what is carried (the values and the "
        "output projection), the feed-forward and the norms. So it can show a way that nothing "
        "travels on, and it can't show that two heads cancel each other."
    )
    st.caption("Source: Abnar & Zuidema 2020, Quantifying Attention Flow in Transformers.")
