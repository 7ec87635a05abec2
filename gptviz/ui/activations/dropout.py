"""Train mode: what dropout set to 0 on the way, and what it made of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from gptviz.figures.dropout import before_and_after, dropped_shares, mask_map
from gptviz.ui.activations.options import DROPOUTS, DROPPED_AT, window
from gptviz.ui.shell import shared
from gptviz.ui.shell.fields import TRAIN
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import chart

if TYPE_CHECKING:
    from gptviz.analysis.dropouts import Dropped
    from gptviz.tracing.trace import Trace

MOST_CELLS = 1_600_000  # of a mask: a byte each


def show(screen: Screen, trace: Trace) -> None:
    """The chosen dropout's mask, and the numbers before and after it."""
    st.subheader("Dropout's mask at work", anchor=False)
    if screen.dropout is None:
        _none(screen)
        return
    from gptviz.analysis.dropouts import dropped_at

    st.caption(
        "While training, each number is set to 0 by chance, so that the model can't lean on any "
        "single one. What stays is enlarged, so that the mean is kept. The seed of the masks in "
        "the sidebar decides which numbers go."
    )
    name, layer = _chosen(screen)
    found = dropped_at(trace, name, layer)
    _mask(screen, found, name)
    left, right = st.columns(2)
    with left:
        st.markdown("**The share dropped of each token's numbers**")
        figure = dropped_shares(found.shares, found.rate, screen.labels, theme())
        chart(figure, "dropped_shares", "Bars: the share of each token's numbers dropped.")
    with right:
        _one_token(screen, found)


def _none(screen: Screen) -> None:
    if TRAIN.value:
        st.info("drop_rate is 0, so nothing is dropped: raise it in the sidebar to see a mask.")
        return
    more = " and raise drop_rate above 0" if not screen.config.drop_rate else ""
    st.info(
        "There is no mask: the model is in eval mode, where nothing is dropped. Switch on "
        f"“dropout on (train mode)” in the sidebar{more} to see one."
    )


def _chosen(screen: Screen) -> tuple[str, int]:
    left, right = st.columns([3, 1])
    with left:
        name = DROPPED_AT.draw(screen)
    if name == "drop_emb":
        return name, 0
    with right:
        return name, shared.layer(screen, "Block")


def _mask(screen: Screen, found: Dropped, name: str) -> None:
    st.markdown(
        f"**{found.share:.2%} of {found.stays.size:,} numbers were dropped; drop_rate is "
        f"{found.rate:.0%}**"
    )
    st.caption(
        f"Each number is dropped on its own, so the share is {found.rate:.0%} give or take "
        f"{found.deviation:.2%} (one standard deviation). Dropped numbers are coloured."
    )
    first, end = window(screen, len(found.stays), max(1, MOST_CELLS // found.stays.shape[1]))
    figure = mask_map(found.stays[first:end], screen.labels, theme(), first)
    chart(figure, "mask", f"Heatmap: which numbers of {DROPOUTS[name]} were dropped.")


def _one_token(screen: Screen, found: Dropped) -> None:
    position = shared.token(screen)
    st.markdown(f"**Its numbers: dropped, or enlarged {1 / (1 - found.rate):.4g} times**")
    numbers = (found.before[position], found.after[position], found.stays[position])
    figure = before_and_after(*numbers, theme())
    chart(figure, "before_after", "Points: one token's numbers before dropout and after it.")
