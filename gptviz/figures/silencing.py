"""What silencing a head does to the next token."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float32
from plotly.colors import sample_colorscale

from gptviz.figures.axes import downwards, framed, legend_above, ruled_axis, token_axis
from gptviz.figures.theme import Theme


def before_and_after(
    before: Float32[np.ndarray, " n"],
    after: Float32[np.ndarray, " n"],
    labels: Sequence[str],
    theme: Theme,
) -> go.Figure:
    """The likeliest next tokens, likeliest on top: the probability of each with and without."""
    pairs = (("with the head", before, "attention"), ("without it", after, "feed_forward"))
    bars = [
        go.Bar(
            x=shares,
            y=np.arange(len(shares)),
            orientation="h",
            name=name,
            marker={"color": theme.kinds[kind], "line": {"width": 0}},
            hovertemplate=f"<b>%{{y}}</b> {name}: %{{x:.4~%}}<extra></extra>",
        )
        for name, shares, kind in pairs
    ]
    across = ruled_axis("probability", theme, tickformat="~%", rangemode="tozero")
    rows = downwards(token_axis(labels, "next token", theme))
    look = legend_above(theme, traceorder="normal") | {"bargap": 0.25, "bargroupgap": 0.05}
    return framed(bars, theme, 60 + 34 * len(labels), across, rows, **look)


def weight_and_effect(
    weights: Float32[np.ndarray, "n_layers n_heads"],
    bits: Float32[np.ndarray, "n_layers n_heads"],
    theme: Theme,
) -> go.Figure:
    """A point for each head: how bright it is across, how much its silence moves upwards.

    Later layers are stronger in colour.
    """
    colours = sample_colorscale(list(theme.sequential[2:]), np.linspace(0, 1, len(weights)))
    points = [
        go.Scatter(
            x=x,
            y=y,
            name=f"layer {layer}",
            mode="markers",
            text=[f"head {head}" for head in range(len(x))],
            marker={"size": 9, "color": colour, "line": {"width": 1, "color": theme.line}},
            hovertemplate=f"<b>layer {layer}, %{{text}}</b><br>"
            "largest weight %{x:.4f}<br>silenced, it moves %{y:.4~g} bits<extra></extra>",
        )
        for layer, (x, y, colour) in enumerate(zip(weights, bits, colours, strict=True))
    ]
    across = ruled_axis("largest weight from the token", theme, range=[0, 1.03])
    up = ruled_axis("bits moved when silenced", theme, rangemode="tozero")
    return framed(points, theme, 340, across, up)
