"""What dropout did to a sentence's numbers, as figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float32

from gptviz.figures.axes import (
    framed,
    height_of_rows,
    legend_above,
    plain_axis,
    ruled_axis,
    token_axis,
)
from gptviz.figures.theme import Theme


def mask_map(
    stays: Bool[np.ndarray, "n_tokens emb_dim"],
    labels: Sequence[str],
    theme: Theme,
    first: int = 0,
) -> go.Figure:
    """The mask: a token in each row, a dimension in each column; what was dropped is coloured.

    ``labels`` are the whole sentence's; the mask may be a part of it, from token ``first`` on.
    """
    dropped, ground = theme.kinds["head"], theme.sequential[0]
    mask = go.Heatmap(
        z=stays.astype(np.uint8),
        y0=first,
        colorscale=[(0, dropped), (1, ground)],
        zmin=0,
        zmax=1,
        showscale=False,
        hovertemplate="token %{y:d} <b>%{y}</b><br>dimension %{x:d}<br>"
        "%{z} (0: dropped, 1: stays)<extra></extra>",
    )
    ends = [-0.5, stays.shape[1] - 0.5]
    across = plain_axis("dimension", theme, range=ends, tickformat="d")
    rows = token_axis(labels, "token", theme, range=[first + len(stays) - 0.5, first - 0.5])
    return framed(mask, theme, height_of_rows(len(stays)), across, rows)


def dropped_shares(
    shares: Float32[np.ndarray, " n_tokens"], rate: float, labels: Sequence[str], theme: Theme
) -> go.Figure:
    """Which share of each token's numbers was dropped, and the rate that was asked for."""
    bars = go.Bar(
        y=shares,
        marker={"color": theme.kinds["head"], "opacity": 0.7, "line": {"width": 0}},
        hovertemplate="%{x:d} <b>%{x}</b><br>dropped %{y:.1%}<extra></extra>",
    )
    across = token_axis(labels, "token", theme, tickangle=-45)
    figure = framed(bars, theme, 320, across, ruled_axis("share dropped", theme, tickformat=".0%"))
    return figure.add_hline(
        y=rate,
        line={"color": theme.text, "width": 1.5, "dash": "dash"},
        annotation={"text": f"drop_rate {rate:.0%}", "font": {"size": 12, "color": theme.text}},
    )


def before_and_after(
    before: Float32[np.ndarray, " emb_dim"],
    after: Float32[np.ndarray, " emb_dim"],
    stays: Bool[np.ndarray, " emb_dim"],
    theme: Theme,
) -> go.Figure:
    """One token's numbers, before dropout across and after it upwards: two straight lines.

    What stays lies on a line steeper than the diagonal (it is enlarged), what is dropped on 0.
    """
    points = [
        go.Scatter(
            x=before[chosen],
            y=after[chosen],
            name=name,
            mode="markers",
            marker={"color": theme.kinds[kind], "size": 5, "opacity": 0.7},
            customdata=np.flatnonzero(chosen),
            hovertemplate="dimension %{customdata}<br>before %{x:.4~g}<br>after %{y:.4~g}"
            "<extra></extra>",
        )
        for name, chosen, kind in (
            ("stays, enlarged", stays, "attention"),
            ("dropped", ~stays, "head"),
        )
    ]
    across = ruled_axis("before dropout", theme, nticks=6)
    up = ruled_axis("after dropout", theme, nticks=6)
    return framed(points, theme, 320, across, up, **legend_above(theme))
