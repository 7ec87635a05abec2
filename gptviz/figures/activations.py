"""The numbers at one station of a block, as figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Float32, Int64

from gptviz.figures.axes import (
    bar_on_top,
    clip_limit,
    clipped,
    framed,
    height_of_rows,
    line_mode,
    plain_axis,
    ruled_axis,
    scale,
    stacked,
    token_axis,
)
from gptviz.figures.theme import Theme


def station_heatmap(
    values: Float32[np.ndarray, "n_tokens width"],
    labels: Sequence[str],
    theme: Theme,
    first: int = 0,
    order: Int64[np.ndarray, " width"] | None = None,
) -> go.Figure:
    """A token in each row, a dimension in each column: blue below 0, orange above.

    ``labels`` are the whole sentence's; the values may be a part of it, from token ``first`` on.
    ``order`` gives the dimensions from left to right; without it they stand by their number.
    A few very large numbers would leave all others without colour, so colours end at the 99.5th
    percentile of size, which the bar names; the hover text shows every number as it is.
    """
    limit, height = clip_limit(values), height_of_rows(len(values))
    bar, room = bar_on_top(clipped("value", "±", limit), theme)
    heatmap = go.Heatmap(
        z=values if order is None else values[:, order],
        x=None if order is None else list(map(str, order)),
        y0=first,
        colorscale=scale(theme.diverging),
        zmin=-limit,
        zmax=limit,
        hovertemplate="token %{y:d} <b>%{y}</b><br>dimension %{x}<br>"
        "value %{z:.6~g}<extra></extra>",
        colorbar=bar,
    )
    ends = [-0.5, values.shape[1] - 0.5]
    if order is None:
        across = plain_axis("dimension", theme, range=ends, tickformat="d")
    else:
        title = "dimension, the largest on the left"
        across = plain_axis(title, theme, range=ends, type="category")
    rows = token_axis(labels, "token", theme, range=[first + len(values) - 0.5, first - 0.5])
    return framed(heatmap, theme, height, across, rows, **room)


def station_histogram(
    counts: Int64[np.ndarray, " n_bins"],
    edges: Float[np.ndarray, " n_edges"],
    theme: Theme,
) -> go.Figure:
    """How often each size of number occurs.

    The upright axis is logarithmic: a few far-out numbers are what one looks for here.
    """
    bars = go.Bar(
        x=(edges[:-1] + edges[1:]) / 2,
        y=counts,
        width=np.diff(edges),
        customdata=np.stack([edges[:-1], edges[1:]], axis=1),
        marker={"color": theme.kinds["attention"], "line": {"width": 0}},
        hovertemplate="%{y:,} numbers from %{customdata[0]:.4~g} to %{customdata[1]:.4~g}"
        "<extra></extra>",
    )
    counted = ruled_axis("how many (logarithmic)", theme, type="log", dtick=1)
    return framed(bars, theme, 260, plain_axis("value", theme), counted, bargap=0)


def station_statistics(
    mean: Float32[np.ndarray, " n_tokens"],
    std: Float32[np.ndarray, " n_tokens"],
    norm: Float32[np.ndarray, " n_tokens"],
    labels: Sequence[str],
    theme: Theme,
) -> go.Figure:
    """Each token's mean, standard deviation and norm, one above the other, over one sentence."""
    rows = [
        (ruled_axis(name, theme, nticks=4), [_line(name, numbers, theme.kinds[kind])])
        for name, numbers, kind in (
            ("mean", mean, "stream"),
            ("spread (std)", std, "norm"),
            ("size (norm)", norm, "attention"),
        )
    ]
    return stacked(rows, token_axis(labels, "token", theme, tickangle=-45), theme, 420)


def _line(name: str, numbers: Float32[np.ndarray, " n_tokens"], colour: str) -> go.Scatter:
    return go.Scatter(
        y=numbers,
        name=name,
        mode=line_mode(len(numbers)),
        line={"color": colour, "width": 2},
        marker={"size": 5},
        hovertemplate="%{x:d} <b>%{x}</b><br>" + name + " %{y:.4~g}<extra></extra>",
    )
