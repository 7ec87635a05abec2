"""The residual stream over all blocks, as figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float32

from gptviz.figures.axes import (
    CLIP_PERCENTILE,
    below_its_bar,
    clip_limit,
    framed,
    line_mode,
    plain_axis,
    scale,
    slim_bar,
    token_axis,
)
from gptviz.figures.theme import Theme

Sizes = Float32[np.ndarray, "n_rows n_tokens"]
Limits = tuple[float, float]


def log_limits(*maps: Sizes) -> Limits:
    """The least and the greatest size above 0: the ends of a logarithmic scale.

    Each map's first row is left out, if it has others: the embeddings are far smaller than all
    that follows, and what block 0 adds is far larger beside them.
    """
    rows = [sizes[1:] if len(sizes) > 1 else sizes for sizes in maps]
    sizes = np.concatenate([row[np.isfinite(row) & (row > 0)] for row in rows])
    return (float(sizes.min()), float(sizes.max())) if len(sizes) else (1.0, 1.0)


def size_map(
    sizes: Sizes,
    rows: tuple[str, Sequence[str]],
    labels: Sequence[str],
    what: str,
    limits: Limits,
    theme: Theme,
    first: int = 0,
) -> go.Figure:
    """Sizes, a block in each row and a token in each column, coloured by their logarithm.

    A few sizes are many times the others: on an even scale all else would look the same. Cells are
    empty where the size is 0 or unknown.

    Args:
        rows: the title of the upright axis, and the name of each row.
        what: the name of the size, with its unit if it has one.
        limits: the ends of the colour scale (``log_limits``); maps to be compared share them.
        first: the token of the first column.
    """
    is_size = np.isfinite(sizes) & (sizes > 0)
    logs = np.log10(sizes, out=np.full_like(sizes, np.nan), where=is_size)
    ticks = _round_ticks(limits)
    said = f"{what}, logarithmic: colour ends at {limits[0]:.3g} and {limits[1]:.3g}"
    heatmap = go.Heatmap(
        z=logs,
        customdata=sizes,
        colorscale=scale(theme.sequential),
        zmin=np.log10(limits[0]),
        zmax=np.log10(limits[1]),
        hovertemplate=_hover(rows[0], f"{what} %{{customdata:.4~g}}"),
        colorbar=slim_bar(said, theme)
        | {"tickvals": np.log10(ticks), "ticktext": [f"{tick:g}" for tick in ticks]},
    )
    return _over_tokens(heatmap, rows, labels, theme, first)


def norm_map(
    norms: Sizes, labels: Sequence[str], theme: Theme, first: int = 0, end: int | None = None
) -> go.Figure:
    """The stream's norm before block 0 and after each block, of the tokens up to ``end``."""
    places = ["before block 0", *(f"after {block}" for block in range(len(norms) - 1))]
    shown, limits = norms[:, first:end], log_limits(norms)
    return size_map(shown, ("stream", places), labels, "norm", limits, theme, first)


def turn_map(cosines: Sizes, labels: Sequence[str], theme: Theme, first: int = 0) -> go.Figure:
    """Cosines, a block in each row and a token in each column: the stronger, the larger the turn.

    Colours go from 1, the same direction, down to the least cosine from block 1 on: block 0 often
    turns the stream so far that all other turns would look like none.
    """
    rest = cosines[1:] if len(cosines) > 1 else cosines
    known = rest[np.isfinite(rest)]
    least = min(float(known.min()), 0.99) if len(known) else 0.0
    said = f"cosine (1: same direction), colour ends at {least:.3g}"
    heatmap = go.Heatmap(
        z=cosines,
        colorscale=scale(theme.sequential[::-1]),
        zmin=least,
        zmax=1,
        hovertemplate=_hover("block", "cosine %{z:.4f}"),
        colorbar=slim_bar(said, theme),
    )
    names = list(map(str, range(len(cosines))))
    return _over_tokens(heatmap, ("block", names), labels, theme, first)


def _hover(rows: str, value: str) -> str:
    return f"%{{x:d}} <b>%{{x}}</b><br>{rows} %{{y}}<br>{value}<extra></extra>"


def _over_tokens(
    heatmap: go.Heatmap,
    rows: tuple[str, Sequence[str]],
    labels: Sequence[str],
    theme: Theme,
    first: int,
) -> go.Figure:
    """A map with the first block on top and tokens below."""
    title, names = rows
    heatmap.update(x0=first, y=list(names), hoverongaps=False, xgap=1, ygap=1)
    n_rows, n_tokens = np.shape(heatmap.z)
    if n_tokens > 200 or n_rows > 48:
        heatmap.update(xgap=0, ygap=0)
    figure = go.Figure(heatmap)
    across = token_axis(labels, "token", theme)
    figure.update_xaxes(across, range=[first - 0.5, first + n_tokens - 0.5], tickangle=-45)
    figure.update_yaxes(plain_axis(title, theme), type="category", autorange="reversed")
    return below_its_bar(framed(figure, theme, min(620, 170 + 22 * n_rows)), theme)


def token_path(sizes: Mapping[str, tuple[Sequence[float], str]], theme: Theme) -> go.Figure:
    """Lines over the blocks on a logarithmic axis, for one token.

    Args:
        sizes: by name, a number for each block, and the kind of part whose colour the line has.
    """
    figure = go.Figure(
        [
            go.Scatter(
                y=np.asarray(numbers),
                name=name,
                mode=line_mode(len(numbers)),
                line={"color": theme.kinds[kind], "width": 2.5},
                marker={"size": 6},
                hovertemplate=f"block %{{x}}<br>{name}: %{{y:.4~g}}<extra></extra>",
            )
            for name, (numbers, kind) in sizes.items()
        ]
    )
    every = [number for numbers, _ in sizes.values() for number in numbers if number > 0] or [1.0]
    figure.update_xaxes(plain_axis("block", theme), tickformat="d")
    figure.update_yaxes(
        plain_axis("size (norm, logarithmic)", theme), showgrid=True, gridcolor=theme.line
    )
    ticks = _round_ticks((min(every), max(every)))
    figure.update_yaxes(type="log", tickvals=ticks, tickformat="~g")
    return with_legend(framed(figure, theme, 330), theme)


def with_legend(figure: go.Figure, theme: Theme) -> go.Figure:
    """The figure with the names of its lines above it."""
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    font = {"size": 12, "color": theme.text}
    return figure.update_layout(showlegend=True, legend={**legend, "font": font})


def sum_strips(
    rows: Float32[np.ndarray, "n_rows emb_dim"], names: Sequence[str], theme: Theme
) -> go.Figure:
    """The parts of a sum and, below them, the result: a dimension in each column."""
    limit = clip_limit(rows)
    said = f"full colour from ±{limit:.3g} ({CLIP_PERCENTILE}th percentile)"
    figure = go.Figure(
        go.Heatmap(
            z=rows,
            y=list(names),
            colorscale=scale(theme.diverging),
            zmin=-limit,
            zmax=limit,
            ygap=6,
            hovertemplate="%{y}<br>dimension %{x:d}<br>value %{z:.6~g}<extra></extra>",
            colorbar=slim_bar(said, theme),
        )
    )
    across: dict[str, Any] = plain_axis("dimension", theme)
    figure.update_xaxes(across, range=[-0.5, rows.shape[1] - 0.5], tickformat="d")
    figure.update_yaxes(plain_axis("", theme), type="category", autorange="reversed")
    return below_its_bar(framed(figure, theme, 120 + 44 * len(rows)), theme)


def _round_ticks(limits: Limits) -> list[float]:
    return sorted({float(f"{tick:.2g}") for tick in np.geomspace(*limits, 6)})
