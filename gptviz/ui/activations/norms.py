"""Before and after a layer norm: the textbook's steps on the sentence's own numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from gptviz.figures.norms import learned_lines, spread_at_stages
from gptviz.ui.activations.options import NORM
from gptviz.ui.shell import shared
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import chart
from gptviz.ui.widgets.tables import table

if TYPE_CHECKING:
    from gptviz.analysis.norms import NormSteps
    from gptviz.tracing.trace import Trace


def show(screen: Screen, trace: Trace) -> None:
    """The chosen norm on all tokens, on one of them, and what it has learned."""
    from gptviz.analysis.norms import norm_steps

    st.subheader("Before and after a layer norm", anchor=False)
    if not screen.config.has("norm"):
        st.info("The norms are placeholders here: nothing is normalised.")
        return
    st.caption(
        "A layer norm brings each token's numbers to the same middle and the same spread, so that "
        "the next part always reads numbers of a usual size. Then each dimension is scaled and "
        "shifted as it was learned."
    )
    path = _chosen(screen)
    found = norm_steps(trace, path)
    _all_tokens(screen, found, path)
    left, right = st.columns(2)
    with left:
        _one_token(screen, found)
    with right:
        st.markdown("**What this norm has learned**")
        if not screen.is_trained:
            st.caption("Random weights have learned nothing: scale is 1 and shift is 0 everywhere.")
        about = "Two lines over the dimensions: the norm's scale and its shift."
        chart(learned_lines(found.scale, found.shift, theme()), "learned", about)


def _chosen(screen: Screen) -> str:
    left, right = st.columns([3, 1])
    with left:
        name: str = NORM.draw(screen)
    if name == "final_norm":
        return name
    with right:
        layer = shared.layer(screen, "Block")
    return f"blocks.{layer}.{name}"


def _all_tokens(screen: Screen, found: NormSteps, path: str) -> None:
    from gptviz.analysis.norms import STAGES

    st.markdown(f"**Every token: mean ± standard deviation of its numbers** (`{path}`)")
    figure = spread_at_stages(found.means, found.variances, STAGES, screen.labels, theme())
    about = "Bars from mean minus to mean plus standard deviation, for each token, at three stages."
    chart(figure, "norm_steps", about)


def _one_token(screen: Screen, found: NormSteps) -> None:
    from gptviz.analysis.norms import STAGES

    position = shared.token(screen)
    rows = [
        (stage, f"{mean[position]:.6f}", f"{variance[position]:.6f}")
        for stage, mean, variance in zip(STAGES, found.means, found.variances, strict=True)
    ]
    table("One token's mean and variance.", ("its numbers", "mean", "variance"), rows)
    st.latex(r"\text{normalised} = \frac{x - \text{mean}}{\sqrt{\text{variance} + 10^{-5}}}")
    st.caption(
        "Because of the 0.00001 (it keeps a spread of 0 from dividing by 0) the variance comes out "
        "a little below 1: variance / (variance + 0.00001). Source: Ba et al. 2016, eq. 4; "
        "variances are biased, divided by emb_dim."
    )
