"""One head's attention, as a map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float32

from gptviz.figures.axes import clip_limit, clipped_bar, downwards, framed, scale, token_axis
from gptviz.figures.theme import Theme

FEW_TOKENS = 24  # up to here cells stand apart


def attention_map(
    weights: Float32[np.ndarray, "n_tokens n_tokens"],
    labels: Sequence[str],
    theme: Theme,
    height: int = 600,
) -> go.Figure:
    """Attention weights: who looks in the row, who is looked at in the column.

    Cells above the diagonal are empty: no token sees a later one. Colour grows in a straight line
    from 0 to the 99.5th percentile of the other weights, which the bar names (the largest would
    not do: it is always 1, for token 0 sees but itself). The hover text shows every weight as it
    is.
    """
    later = np.triu(np.ones(weights.shape, dtype=bool), k=1)
    limit = clip_limit(weights[~later])
    apart = 1 if len(labels) <= FEW_TOKENS else 0
    figure = go.Figure(
        go.Heatmap(
            z=np.where(later, np.float32(np.nan), weights),
            colorscale=scale(theme.sequential),
            zmin=0,
            zmax=limit,
            xgap=apart,
            ygap=apart,
            hoverongaps=False,
            hovertemplate="query %{y:d} <b>%{y}</b><br>looks at key %{x:d} <b>%{x}</b><br>"
            "weight %{z:.4f}<extra></extra>",
            colorbar=clipped_bar("attention weight", "", limit, theme),
        )
    )
    keys = token_axis(labels, "key: the token looked at (column)", theme)
    queries = token_axis(labels, "query: the token that looks (row)", theme)
    figure.update_xaxes(keys, tickangle=-45 if apart else -90, constrain="domain")
    figure.update_yaxes(
        downwards(queries), scaleanchor="x", constrain="domain", constraintoward="top"
    )
    return framed(figure, theme, height)
