"""What the activations page shows: one of its views; each has a file, but for one station."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from gptviz.analysis.stations import Station, stations
from gptviz.figures.activations import station_heatmap, station_histogram, station_statistics
from gptviz.ui.activations import dropout, neurons, norms, stream
from gptviz.ui.activations.options import BY_SIZE, VIEW, window
from gptviz.ui.shell import live, shared
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import chart
from gptviz.ui.widgets.tables import table

if TYPE_CHECKING:
    from gptviz.analysis.outliers import Outliers
    from gptviz.tracing.trace import Trace

MOST_CELLS = 400_000  # of a heatmap: about 2 MB on their way to the browser
MOST_OUTLIERS = 12


def show(screen: Screen) -> None:
    """Draw the open view."""
    view = VIEW.draw(screen)
    trace = live.read(screen)
    if trace is None:
        return
    views = {
        "stream": stream.show,
        "added": stream.added,
        "token": stream.token,
        "station": station,
        "norms": norms.show,
        "neurons": neurons.show,
        "dropout": dropout.show,
    }
    views[view](screen, trace)


def station(screen: Screen, trace: Trace) -> None:
    """The tensor at a chosen station of a chosen block, and what can be said of it."""
    from gptviz.analysis.station_numbers import station_values

    st.subheader("One station of one block", anchor=False)
    built = stations(screen.config)
    if not built:
        st.info("Every part is a placeholder here: there is no station to look at.")
        return
    left, right = st.columns([1, 3])
    with left:
        layer = shared.layer(screen, "Block")
    with right:
        chosen = _station(screen, built)
    values = station_values(trace, layer, chosen.path)
    st.caption(
        f"{chosen.name} in block {layer} ({chosen.term}; `blocks.{layer}.{chosen.path}`): "
        f"{values.shape[0]:,} tokens × {values.shape[1]:,} dimensions. A token's numbers stand in "
        "a row; a column that is strong from top to bottom is a dimension that is large whatever "
        "the token."
    )
    if screen.dropout and chosen.path in ("attention", "feed_forward"):
        st.caption("Dropout is on: numbers that are exactly 0 were dropped (see *Dropout*).")
    about = f"Heatmap: {chosen.name} in block {layer}, a token in each row."
    _heatmap(screen, values, about)
    _outliers(values)
    left, right = st.columns(2)
    with left:
        _statistics(screen, values)
    with right:
        _histogram(values)


def _station(screen: Screen, built: tuple[Station, ...]) -> Station:
    """One of a block's stations, by its plain name."""
    by_path = {each.path: each for each in built}
    if shared.STATION.value not in by_path:
        shared.STATION.choose(next(iter(by_path)))
    drawn = replace(shared.STATION, allowed=list(by_path), words=lambda path: by_path[path].name)
    return by_path[drawn.draw(screen)]


def _heatmap(screen: Screen, values: np.ndarray, about: str) -> None:
    from gptviz.analysis.outliers import by_size

    order = by_size(values) if BY_SIZE.draw(screen) else None
    first, end = window(screen, len(values), max(1, MOST_CELLS // values.shape[1]))
    figure = station_heatmap(values[first:end], screen.labels, theme(), first, order)
    chart(figure, "heatmap", about)


def _outliers(values: np.ndarray) -> None:
    from gptviz.analysis.outliers import outlier_dimensions

    found = outlier_dimensions(values)
    count = len(found.dimensions)
    st.markdown(f"**Outlier dimensions: {count:,} of {values.shape[1]:,}**")
    least = f"{found.least_tokens} token{'s' * (found.least_tokens > 1)}"
    st.caption(
        f"An outlier dimension has numbers farther from 0 than **{found.threshold:.4g}**, 6 times "
        f"the mean size in the median dimension, on at least 6 % of the tokens (here {least}). "
        "After Dettmers et al. 2022, LLM.int8(), who count 6.0 where the usual size is about 1."
    )
    if count:
        _outlier_table(found, len(values))
    if count > MOST_OUTLIERS:
        st.caption(f"The {MOST_OUTLIERS} largest of {count:,} are listed.")


def _outlier_table(found: Outliers, n_tokens: int) -> None:
    columns = (found.dimensions, found.means, found.ratios, found.n_tokens)
    rows = [
        (str(dimension), f"{mean:.4g}", f"{ratio:.1f} ×", f"{large} of {n_tokens:,}")
        for dimension, mean, ratio, large in zip(*columns, strict=True)
    ]
    head = ("dimension", "mean", "size, beside the median dimension", "tokens past the threshold")
    table("The outlier dimensions of this station.", head, rows[:MOST_OUTLIERS])


def _statistics(screen: Screen, values: np.ndarray) -> None:
    from gptviz.analysis.station_numbers import statistics

    st.markdown("**Each token's mean, standard deviation and norm**")
    numbers = statistics(values)
    figure = station_statistics(numbers.mean, numbers.std, numbers.norm, screen.labels, theme())
    about = "Three line charts: each token's mean, standard deviation and norm."
    chart(figure, "statistics", about)


def _histogram(values: np.ndarray) -> None:
    from gptviz.analysis.station_numbers import histogram

    st.markdown("**How often each size of number occurs**")
    counts = histogram(values)
    figure = station_histogram(counts.counts, counts.edges, theme())
    chart(figure, "histogram", "Histogram: how often each size of number occurs.")
