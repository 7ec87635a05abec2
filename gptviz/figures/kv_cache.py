"""What is kept of the tokens that were read, as areas."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Int64

from gptviz.figures.axes import framed, plain_axis, ruled_axis
from gptviz.figures.theme import Theme


def cache_growth(
    n_tokens: Int64[np.ndarray, " n_steps"],
    layer_bytes: Int64[np.ndarray, "n_steps n_layers"],
    theme: Theme,
) -> go.Figure:
    """Bytes of keys and values kept after each step, a band for each layer on top of the last."""
    layers = [
        go.Scatter(
            x=n_tokens,
            y=layer_bytes[:, layer],
            name=f"layer {layer}",
            stackgroup="layers",
            mode="lines",
            line={"width": 1, "color": theme.kinds["attention"]},
            hovertemplate=f"layer {layer}: %{{y:,}} bytes, tokens read: %{{x}}<extra></extra>",
        )
        for layer in range(layer_bytes.shape[1])
    ]
    across = plain_axis("tokens read", theme, tickformat="d", nticks=8)
    up = ruled_axis("bytes, layer upon layer", theme, rangemode="tozero")
    return framed(layers, theme, 260, across, up)
