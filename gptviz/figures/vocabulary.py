"""One text, cut by vocabularies of different size."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from gptviz.figures.axes import MARGIN, framed, plain_axis, ruled_axis
from gptviz.figures.theme import Theme


def token_counts(counts: Mapping[int, int], own: int, theme: Theme) -> go.Figure:
    """How many tokens a text has for each ``vocab_size``: the model's ``own`` stands out."""
    strong, quiet = theme.kinds["attention"], theme.kinds["dropout"]
    bars = go.Bar(
        x=[f"{size:,}" for size in counts],
        y=list(counts.values()),
        texttemplate="%{y:,}",
        textposition="outside",
        cliponaxis=False,
        marker={"color": [strong if size == own else quiet for size in counts]},
        hovertemplate="vocab_size %{x}: %{y:,} tokens<extra></extra>",
    )
    across = plain_axis("vocab_size", theme, type="category")
    up = ruled_axis("tokens", theme, rangemode="tozero")
    return framed(bars, theme, 280, across, up, bargap=0.3, margin=MARGIN | {"t": 24})
