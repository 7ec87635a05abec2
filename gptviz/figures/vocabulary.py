"""One text, cut by vocabularies of different size."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go

from gptviz.figures.axes import framed, plain_axis
from gptviz.figures.theme import Theme


def token_counts(counts: Mapping[int, int], own: int, theme: Theme) -> go.Figure:
    """How many tokens a text has for each ``vocab_size``: the model's ``own`` stands out."""
    strong, quiet = theme.kinds["attention"], theme.kinds["dropout"]
    figure = go.Figure(
        go.Bar(
            x=[f"{size:,}" for size in counts],
            y=list(counts.values()),
            texttemplate="%{y:,}",
            textposition="outside",
            cliponaxis=False,
            marker={"color": [strong if size == own else quiet for size in counts]},
            hovertemplate="vocab_size %{x}: %{y:,} tokens<extra></extra>",
        )
    )
    figure.update_layout(bargap=0.3)
    figure.update_xaxes(plain_axis("vocab_size", theme), type="category")
    tokens = plain_axis("tokens", theme)
    figure.update_yaxes(tokens, rangemode="tozero", showgrid=True, gridcolor=theme.line)
    return framed(figure, theme, 280).update_layout(margin_t=24)
