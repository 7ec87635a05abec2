"""What a layer norm does, as figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float32, Float64

from gptviz.figures.axes import (
    framed,
    legend_above,
    plain_axis,
    ruled_axis,
    stacked,
    token_axis,
)
from gptviz.figures.theme import Theme


def spread_at_stages(
    means: Float64[np.ndarray, "n_stages n_tokens"],
    variances: Float64[np.ndarray, "n_stages n_tokens"],
    stages: Sequence[str],
    labels: Sequence[str],
    theme: Theme,
) -> go.Figure:
    """Each token's numbers as a bar from mean - std to mean + std: a row of bars for each stage.

    Rows have their own upright axes: it is the shape of a row that speaks.
    """
    rows = [
        (ruled_axis(name, theme, nticks=5), _bars(name, mean, variance, theme))
        for name, mean, variance in zip(stages, means, variances, strict=True)
    ]
    across = token_axis(labels, "token", theme, tickangle=-45)
    return stacked(rows, across, theme, 480, 0.05, bargap=0.25)


def _bars(
    name: str,
    mean: Float64[np.ndarray, " n_tokens"],
    variance: Float64[np.ndarray, " n_tokens"],
    theme: Theme,
) -> tuple[go.Bar, go.Scatter]:
    std = np.sqrt(variance)
    spread = go.Bar(
        y=2 * std,
        base=mean - std,
        name=f"{name}: 2 × std",
        marker={"color": theme.kinds["norm"], "opacity": 0.45, "line": {"width": 0}},
        hoverinfo="skip",
    )
    middle = go.Scatter(
        y=mean,
        name=f"{name}: mean",
        mode="markers",
        marker={"color": theme.text, "size": 5},
        customdata=np.stack([variance, std], axis=1),
        hovertemplate=f"%{{x:d}} <b>%{{x}}</b><br>{name}<br>mean %{{y:.4~g}}<br>"
        "variance %{customdata[0]:.6~g}<br>std %{customdata[1]:.4~g}<extra></extra>",
    )
    return spread, middle


def learned_lines(
    scale: Float32[np.ndarray, " emb_dim"], shift: Float32[np.ndarray, " emb_dim"], theme: Theme
) -> go.Figure:
    """What a norm has learned for each dimension: its factor and what is added after it."""
    lines = [
        go.Scatter(
            y=numbers,
            name=name,
            mode="lines",
            line={"color": colour, "width": 1.5},
            hovertemplate=f"dimension %{{x:d}}<br>{name} %{{y:.4~g}}<extra></extra>",
        )
        for name, numbers, colour in (
            ("scale", scale, theme.kinds["norm"]),
            ("shift", shift, theme.kinds["stream"]),
        )
    ]
    across = plain_axis("dimension", theme, tickformat="d")
    return framed(lines, theme, 280, across, ruled_axis("value", theme), **legend_above(theme))
