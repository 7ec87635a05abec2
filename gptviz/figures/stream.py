"""The residual stream over all blocks, as figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float32

from gptviz.figures.axes import (
    CLIP_PERCENTILE,
    bar_on_top,
    clip_limit,
    framed,
    legend_above,
    line_mode,
    plain_axis,
    ruled_axis,
    scale,
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
    look = {
        "z": logs,
        "customdata": sizes,
        "colorscale": scale(theme.sequential),
        "zmin": np.log10(limits[0]),
        "zmax": np.log10(limits[1]),
        "hovertemplate": _hover(rows[0], f"{what} %{{customdata:.4~g}}"),
    }
    marks = {"tickvals": np.log10(ticks), "ticktext": [f"{tick:g}" for tick in ticks]}
    return _over_tokens(look, said, marks, rows, labels, theme, first)


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
    look = {
        "z": cosines,
        "colorscale": scale(theme.sequential[::-1]),
        "zmin": least,
        "zmax": 1,
        "hovertemplate": _hover("block", "cosine %{z:.4f}"),
    }
    names = list(map(str, range(len(cosines))))
    return _over_tokens(look, said, {}, ("block", names), labels, theme, first)


def _hover(rows: str, value: str) -> str:
    return f"%{{x:d}} <b>%{{x}}</b><br>{rows} %{{y}}<br>{value}<extra></extra>"


def _over_tokens(
    look: dict[str, Any],
    said: str,
    marks: dict[str, Any],
    rows: tuple[str, Sequence[str]],
    labels: Sequence[str],
    theme: Theme,
    first: int,
) -> go.Figure:
    """A map with the first block on top and tokens below."""
    title, names = rows
    n_rows, n_tokens = look["z"].shape
    height = min(620, 170 + 22 * n_rows)
    bar, room = bar_on_top(said, theme)
    gap = 0 if n_tokens > 200 or n_rows > 48 else 1
    heatmap = go.Heatmap(
        x0=first,
        y=list(names),
        hoverongaps=False,
        xgap=gap,
        ygap=gap,
        colorbar=bar | marks,
        **look,
    )
    ends = [first - 0.5, first + n_tokens - 0.5]
    across = token_axis(labels, "token", theme, range=ends, tickangle=-45)
    up = plain_axis(title, theme, type="category", autorange="reversed")
    return framed(heatmap, theme, height, across, up, **room)


def token_path(sizes: Mapping[str, tuple[Sequence[float], str]], theme: Theme) -> go.Figure:
    """Lines over the blocks on a logarithmic axis, for one token.

    Args:
        sizes: by name, a number for each block, and the kind of part whose colour the line has.
    """
    lines = [
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
    every = [number for numbers, _ in sizes.values() for number in numbers if number > 0] or [1.0]
    ticks = _round_ticks((min(every), max(every)))
    across = plain_axis("block", theme, tickformat="d")
    up = ruled_axis("size (norm, logarithmic)", theme, type="log", tickvals=ticks, tickformat="~g")
    return framed(lines, theme, 330, across, up, **legend_above(theme))


def sum_strips(
    rows: Float32[np.ndarray, "n_rows emb_dim"], names: Sequence[str], theme: Theme
) -> go.Figure:
    """The parts of a sum and, below them, the result: a dimension in each column."""
    limit = clip_limit(rows)
    said = f"full colour from ±{limit:.3g} ({CLIP_PERCENTILE}th percentile)"
    height = 120 + 44 * len(rows)
    bar, room = bar_on_top(said, theme)
    strips = go.Heatmap(
        z=rows,
        y=list(names),
        colorscale=scale(theme.diverging),
        zmin=-limit,
        zmax=limit,
        ygap=6,
        hovertemplate="%{y}<br>dimension %{x:d}<br>value %{z:.6~g}<extra></extra>",
        colorbar=bar,
    )
    ends = [-0.5, rows.shape[1] - 0.5]
    across = plain_axis("dimension", theme, range=ends, tickformat="d")
    up = plain_axis("", theme, type="category", autorange="reversed")
    return framed(strips, theme, height, across, up, **room)


def _round_ticks(limits: Limits) -> list[float]:
    return sorted({float(f"{tick:.2g}") for tick in np.geomspace(*limits, 6)})
