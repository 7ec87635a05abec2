"""One head's attention, as a map and token by token."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float32

from gptviz.figures.axes import (
    bar_on_top,
    clip_limit,
    clipped,
    downwards,
    framed,
    ruled_axis,
    scale,
    stacked,
    token_axis,
)
from gptviz.figures.theme import Theme

FEW_TOKENS = 24  # up to here cells stand apart
MOST_NAMES = 32  # of tokens along a map's side, which is short on a narrow screen
QUERY, KEY = "query: the token that looks", "key: the token looked at"


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
    hover = (
        "query %{y:d} <b>%{y}</b><br>looks at key %{x:d} <b>%{x}</b><br>"
        "weight %{z:.4f}<extra></extra>"
    )
    axes = (f"{KEY} (column)", f"{QUERY} (row)")
    return _lower_map(weights, labels, hover, "attention weight", axes, theme, height)


def rollout_map(
    shares: Float32[np.ndarray, "n_tokens n_tokens"],
    labels: Sequence[str],
    theme: Theme,
    height: int = 600,
) -> go.Figure:
    """Attention rollout: a position after the last block in the row, an input token across.

    Drawn as ``attention_map`` draws weights.
    """
    hover = (
        "after the last block, position %{y:d} <b>%{y}</b><br>has of input %{x:d} <b>%{x}</b><br>"
        "share %{z:.4f}<extra></extra>"
    )
    axes = ("input token (column)", "position after the last block (row)")
    return _lower_map(shares, labels, hover, "share", axes, theme, height)


def _lower_map(
    values: Float32[np.ndarray, "n_tokens n_tokens"],
    labels: Sequence[str],
    hover: str,
    what: str,
    axes: tuple[str, str],
    theme: Theme,
    height: int,
) -> go.Figure:
    """A square map over the tokens, empty above its diagonal. ``axes`` are named across, down."""
    later = np.triu(np.ones(values.shape, dtype=bool), k=1)
    limit = clip_limit(values[~later])
    apart, angle = (1, -45) if len(labels) <= FEW_TOKENS else (0, -90)
    bar, room = bar_on_top(clipped(what, "", limit), theme)
    heatmap = go.Heatmap(
        z=np.where(later, np.float32(np.nan), values),
        colorscale=scale(theme.sequential),
        zmin=0,
        zmax=limit,
        xgap=apart,
        ygap=apart,
        hoverongaps=False,
        hovertemplate=hover,
        colorbar=bar,
    )
    sparse = {"dtick": math.ceil(len(labels) / MOST_NAMES), "constrain": "domain"}
    across, down = (token_axis(labels, title, theme, **sparse) for title in axes)
    square = {"scaleanchor": "x", "constraintoward": "top"}
    columns, rows = across | {"tickangle": angle}, downwards(down) | square
    return framed(heatmap, theme, height, columns, rows, **room)


def both_directions(
    looks_at: Float32[np.ndarray, " n_keys"],
    looked_at_by: Float32[np.ndarray, " n_queries"],
    token: int,
    labels: Sequence[str],
    theme: Theme,
) -> go.Figure:
    """One token's weights over the sentence: whom it looks at above, who looks at it below.

    Args:
        looks_at: its weights on tokens 0 to ``token``.
        looked_at_by: the weights of tokens ``token`` to the last on it.

    Both have one scale, so that their bars can be compared.
    """
    above = _bars(looks_at, 0, "looks at", "key", theme.kinds["attention"])
    below = _bars(looked_at_by, token, "looked at by", "query", theme.kinds["feed_forward"])
    names = ("weight on the key", "weight of the query")
    most = float(max(looks_at.max(), looked_at_by.max()))
    return _bars_over_tokens((above, below), names, labels, theme, range=[0, 1.05 * most])


def steps_of_query(
    scaled: Float32[np.ndarray, " n_keys"],
    weights: Float32[np.ndarray, " n_keys"],
    mixed_by: Float32[np.ndarray, " n_keys"] | None,
    labels: Sequence[str],
    theme: Theme,
) -> go.Figure:
    """From match to weight: the scaled scores above, the weights that softmax makes below.

    Keys after the query have no bars.

    Args:
        mixed_by: the weights after dropout; None where nothing is dropped.
    """
    named = [
        (scaled, "score, scaled", "stream"),
        (weights, "weight", "attention"),
        *([] if mixed_by is None else [(mixed_by, "weight after dropout", "dropout")]),
    ]
    bars = [_bars(values, 0, name, "key", theme.kinds[kind]) for values, name, kind in named]
    return _bars_over_tokens(bars, [name for _, name, _ in named], labels, theme)


def _bars(values: np.ndarray, first: int, name: str, role: str, colour: str) -> go.Bar:
    return go.Bar(
        x=np.arange(first, first + len(values)),
        y=values,
        name=name,
        marker={"color": colour, "line": {"width": 0}},
        hovertemplate=f"{role} %{{x:d}} <b>%{{x}}</b><br>{name} %{{y:.4~g}}<extra></extra>",
    )


def _bars_over_tokens(
    bars: Sequence[go.Bar],
    names: Sequence[str],
    labels: Sequence[str],
    theme: Theme,
    **options: Any,
) -> go.Figure:
    """Bars one above the other, over the whole sentence; the tokens stand below the last.

    ``options`` are the upright axes'.
    """
    options |= {"nticks": 5, "tickformat": "~g", "zeroline": True, "zerolinecolor": theme.line}
    rows = [
        (ruled_axis(name, theme, **options), [bar]) for bar, name in zip(bars, names, strict=True)
    ]
    across = token_axis(labels, "token", theme, tickangle=-45)
    return stacked(rows, across, theme, 170 * len(bars) + 90, 0.08, bargap=0.15)
