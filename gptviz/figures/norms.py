"""What a layer norm does, as figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float32, Float64
from plotly.subplots import make_subplots

from gptviz.figures.axes import framed, plain_axis, token_axis
from gptviz.figures.stream import with_legend
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
    count = len(stages)
    figure = make_subplots(rows=count, cols=1, shared_xaxes=True, vertical_spacing=0.05)
    for row, (name, mean, variance) in enumerate(zip(stages, means, variances, strict=True), 1):
        for trace in _bars(name, mean, variance, theme):
            figure.add_trace(trace, row=row, col=1)
        axis = plain_axis(name, theme)
        figure.update_yaxes(axis, showgrid=True, gridcolor=theme.line, nticks=5, row=row, col=1)
    figure.update_xaxes(token_axis(labels, "", theme), showticklabels=False, tickangle=-45)
    figure.update_xaxes(showticklabels=True, title_text="token", row=count, col=1)
    return framed(figure, theme, 480).update_layout(bargap=0.25)


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
    figure = go.Figure(
        [
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
    )
    figure.update_xaxes(plain_axis("dimension", theme), tickformat="d")
    figure.update_yaxes(plain_axis("value", theme), showgrid=True, gridcolor=theme.line)
    return with_legend(framed(figure, theme, 280), theme)
