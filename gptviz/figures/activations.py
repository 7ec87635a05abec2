"""The numbers at one station of a block, as figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Float32, Int64
from plotly.subplots import make_subplots

from gptviz.figures.axes import (
    below_its_bar,
    clip_limit,
    clipped_bar,
    framed,
    height_of_rows,
    line_mode,
    plain_axis,
    scale,
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
    limit = clip_limit(values)
    figure = go.Figure(
        go.Heatmap(
            z=values if order is None else values[:, order],
            x=None if order is None else list(map(str, order)),
            y0=first,
            colorscale=scale(theme.diverging),
            zmin=-limit,
            zmax=limit,
            hovertemplate="token %{y:d} <b>%{y}</b><br>dimension %{x}<br>"
            "value %{z:.6~g}<extra></extra>",
            colorbar=clipped_bar("value", "±", limit, theme),
        )
    )
    figure.update_xaxes(
        plain_axis("dimension", theme), range=[-0.5, values.shape[1] - 0.5], tickformat="d"
    )
    if order is not None:
        figure.update_xaxes(type="category", title_text="dimension, the largest on the left")
    rows = token_axis(labels, "token", theme)
    figure.update_yaxes(rows, range=[first + len(values) - 0.5, first - 0.5])
    return below_its_bar(framed(figure, theme, height_of_rows(len(values))), theme)


def station_histogram(
    counts: Int64[np.ndarray, " n_bins"],
    edges: Float[np.ndarray, " n_edges"],
    theme: Theme,
) -> go.Figure:
    """How often each size of number occurs.

    The upright axis is logarithmic: a few far-out numbers are what one looks for here.
    """
    figure = go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=np.diff(edges),
            customdata=np.stack([edges[:-1], edges[1:]], axis=1),
            marker={"color": theme.kinds["attention"], "line": {"width": 0}},
            hovertemplate="%{y:,} numbers from %{customdata[0]:.4~g} to %{customdata[1]:.4~g}"
            "<extra></extra>",
        )
    )
    figure.update_layout(bargap=0)
    figure.update_xaxes(plain_axis("value", theme))
    counted = plain_axis("how many (logarithmic)", theme)
    figure.update_yaxes(counted, type="log", dtick=1, showgrid=True, gridcolor=theme.line)
    return framed(figure, theme, 260)


def station_statistics(
    mean: Float32[np.ndarray, " n_tokens"],
    std: Float32[np.ndarray, " n_tokens"],
    norm: Float32[np.ndarray, " n_tokens"],
    labels: Sequence[str],
    theme: Theme,
) -> go.Figure:
    """Each token's mean, standard deviation and norm, one above the other, over one sentence."""
    rows = [
        ("mean", mean, "stream"),
        ("spread (std)", std, "norm"),
        ("size (norm)", norm, "attention"),
    ]
    figure = make_subplots(rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.06)
    for row, (name, numbers, kind) in enumerate(rows, start=1):
        line = go.Scatter(
            y=numbers,
            name=name,
            mode=line_mode(len(numbers)),
            line={"color": theme.kinds[kind], "width": 2},
            marker={"size": 5},
            hovertemplate="%{x:d} <b>%{x}</b><br>" + name + " %{y:.4~g}<extra></extra>",
        )
        figure.add_trace(line, row=row, col=1)
        figure.update_yaxes(
            plain_axis(name, theme), showgrid=True, gridcolor=theme.line, nticks=4, row=row, col=1
        )
    figure.update_xaxes(token_axis(labels, "", theme), showticklabels=False, tickangle=-45)
    figure.update_xaxes(showticklabels=True, title_text="token", row=3, col=1)
    return framed(figure, theme, 420)
