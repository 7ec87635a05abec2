"""What the activations page shows: the stream over all blocks, then one station of one block."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from gptviz.figures.activations import (
    station_heatmap,
    station_histogram,
    station_statistics,
    stream_norms,
)
from gptviz.ui import choose
from gptviz.ui.chart import chart
from gptviz.ui.controls import Screen
from gptviz.ui.frame import theme

if TYPE_CHECKING:
    from gptviz.tracing import Trace

MOST_CELLS = 400_000  # of a heatmap: about 2 MB on their way to the browser


def stream(screen: Screen, trace: Trace) -> None:
    """The residual stream's norm for each token, before block 0 and after each block."""
    from gptviz.analysis.stations import residual_norms

    st.subheader("The residual stream over all blocks", anchor=False)
    st.caption(
        "How long each token's list of numbers is (its norm) as it enters the first block and as "
        "it leaves each one. Every block reads the stream and adds to it."
    )
    figure = stream_norms(residual_norms(trace), screen.labels, theme())
    chart(figure, "stream", "Line chart: each token's norm in the residual stream, block by block.")


def station(screen: Screen, trace: Trace) -> None:
    """The tensor at a chosen station of a chosen block: heatmap, statistics and histogram."""
    from gptviz.analysis.stations import histogram, station_values, stations, statistics

    st.subheader("One station of one block", anchor=False)
    built = stations(screen.config)
    if not built:
        st.info("Every part is a placeholder here: there is no station to look at.")
        return
    left, right = st.columns([1, 3])
    with left:
        layer = choose.number("Block", "layer", screen.config.n_layers)
    with right:
        chosen = choose.station(built)
    values = station_values(trace, layer, chosen.path)
    st.caption(
        f"{chosen.name} in block {layer} ({chosen.term}; `blocks.{layer}.{chosen.path}`): "
        f"{values.shape[0]:,} tokens × {values.shape[1]:,} dimensions."
    )
    first, shown = _window(values)
    heatmap = station_heatmap(shown, screen.labels, theme(), first)
    about = f"Heatmap: {chosen.name} in block {layer}, a token in each row."
    chart(heatmap, "heatmap", about)
    left, right = st.columns(2)
    numbers = statistics(values)
    with left:
        st.markdown("**Each token's mean, standard deviation and norm**")
        figure = station_statistics(numbers.mean, numbers.std, numbers.norm, screen.labels, theme())
        about = "Three line charts: each token's mean, standard deviation and norm."
        chart(figure, "statistics", about)
    with right:
        st.markdown("**How often each size of number occurs**")
        counts = histogram(values)
        figure = station_histogram(counts.counts, counts.edges, theme())
        chart(figure, "histogram", "Histogram: how often each size of number occurs.")


def _window(values: np.ndarray) -> tuple[int, np.ndarray]:
    """The rows to draw, and the first one's token: all, or a part where all would be too much."""
    n_tokens, width = values.shape
    rows = max(1, MOST_CELLS // width)
    if n_tokens <= rows:
        return 0, values
    first = st.slider(
        f"Show {rows} tokens, from token",
        0,
        n_tokens - rows,
        key="first_token",
        help="The whole would be too large for a browser. Statistics below are of all tokens.",
    )
    return first, values[first : first + rows]
