"""Tokens and positions as vectors: their numbers, how alike they are, and where they lie."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float32, Int64

from gptviz.figures.axes import (
    Axis,
    bands,
    bar_on_top,
    clip_limit,
    clipped,
    downwards,
    escaped,
    framed,
    plain_axis,
    ruled_axis,
    scale,
    stacked,
    token_axis,
)
from gptviz.figures.theme import Theme

PANEL = 230  # pixels, at most
ROW = 15  # pixels, for a token that can be read
NARROW = 400  # pixels that a square map may be high on a narrow screen
NAME = 22  # pixels, for a map's name
BELOW = 56  # pixels, for the axis below the last map
ALMOST_ONE = 0.99999
MOST_NAMES = 60  # of points in a map
AXIS_NAMES = ("first main axis (PC 1)", "second main axis (PC 2)", "third main axis (PC 3)")


def embedding_heatmaps(
    panels: Mapping[str, Float32[np.ndarray, "n_tokens emb_dim"]],
    labels: Sequence[str],
    theme: Theme,
    first: int = 0,
    kept: Bool[np.ndarray, "n_tokens emb_dim"] | None = None,
) -> go.Figure:
    """Maps one below the other, in one colour scale: a token in each row, a dimension across.

    ``labels`` are the whole sentence's; the values may be a part of it, from token ``first`` on.
    Where ``kept`` is False, the last map shows a grey cell: dropout has set that number to 0.
    """
    n_tokens, emb_dim = next(iter(panels.values())).shape
    limit = clip_limit(np.stack(list(panels.values())))
    height = min(PANEL, max(70, ROW * n_tokens))
    bar, room = bar_on_top(clipped("value, in all maps", "±", limit), theme, NAME)
    inside = (height + NAME) * len(panels) - NAME
    whole, gap = room["margin"]["t"] + inside + BELOW, NAME / inside
    look = _signed(limit, bar, theme)
    down = _window_axis(labels, "token", theme, first, n_tokens, height)
    rows: list[tuple[Axis, list[go.Heatmap]]] = []
    for row, (name, values) in enumerate(panels.items(), start=1):
        maps = []
        if kept is not None and row == len(panels):
            maps.append(_dropped(kept, first, theme))
            values = np.where(kept, values, np.float32(np.nan))
        maps.append(_numbers(values, name, first, look | {"showscale": row == 1}))
        rows.append((down, maps))
    ends = [-0.5, emb_dim - 0.5]
    across = plain_axis("dimension", theme, range=ends, tickformat="d")
    room["annotations"] += [
        _name(name, top, theme)
        for name, (_, top) in zip(panels, bands(len(panels), gap), strict=True)
    ]
    return stacked(rows, across, theme, whole, gap, **room)


def _name(name: str, top: float, theme: Theme) -> dict[str, Any]:
    """A map's name, above its left corner."""
    font = {"size": 13, "color": theme.text}
    place = {"x": 0, "xanchor": "left", "xref": "paper", "y": top, "yanchor": "bottom"}
    return {"text": name, "font": font, "showarrow": False, "yref": "paper"} | place


def _numbers(
    values: Float32[np.ndarray, "rows columns"], name: str, first: int, look: dict[str, Any]
) -> go.Heatmap:
    hover = "token %{y:d} <b>%{y}</b><br>dimension %{x:d}<br>value %{z:.6~g}<extra></extra>"
    return go.Heatmap(z=values, y0=first, name=name, hoverongaps=False, hovertemplate=hover, **look)


def _dropped(kept: Bool[np.ndarray, "n_tokens emb_dim"], first: int, theme: Theme) -> go.Heatmap:
    return go.Heatmap(
        z=np.where(kept, np.float32(np.nan), np.float32(0)),
        y0=first,
        name="set to 0 by dropout",
        colorscale=[(0, theme.kinds["dropout"]), (1, theme.kinds["dropout"])],
        showscale=False,
        hoverongaps=False,
        hovertemplate="token %{y:d} <b>%{y}</b><br>dimension %{x:d}<br>set to 0 by dropout"
        "<extra></extra>",
    )


def token_cosines(
    cosines: Float32[np.ndarray, "size size"],
    labels: Sequence[str],
    theme: Theme,
    first: int = 0,
    height: int = 560,
) -> go.Figure:
    """How alike any two tokens' embeddings are, from token ``first`` of the sentence on."""
    hover = "token %{y:d} <b>%{y}</b><br>and token %{x:d} <b>%{x}</b><br>"
    count = len(cosines)
    across = downwards(_window_axis(labels, "token", theme, first, count, NARROW))
    down = _window_axis(labels, "token compared with it", theme, first, count, NARROW)
    across |= {"tickangle": -90 if count > 24 else -45}
    return _square(cosines, hover, across, down, theme, height, x0=first, y0=first)


def position_cosines(
    cosines: Float32[np.ndarray, "size size"],
    positions: Int64[np.ndarray, " size"],
    theme: Theme,
    height: int = 620,
) -> go.Figure:
    """How alike any two positions' embeddings are: the hover text shows each number as it is."""
    hover = "position %{y:d} and position %{x:d}<br>"
    across = plain_axis("position", theme, tickformat="d")
    down = plain_axis("position compared with it", theme, tickformat="d", autorange="reversed")
    return _square(cosines, hover, across, down, theme, height, x=positions, y=positions)


def cosine_by_distance(
    means: Float32[np.ndarray, " size"], distances: Int64[np.ndarray, " size"], theme: Theme
) -> go.Figure:
    """The mean cosine of two positions that are so far apart."""
    line = go.Scatter(
        x=distances,
        y=means,
        mode="lines+markers" if len(means) == 1 else "lines",
        line={"color": theme.kinds["embedding"], "width": 2},
        hovertemplate="%{x:d} apart: mean cosine %{y:.4f}<extra></extra>",
    )
    across = plain_axis("positions apart", theme, tickformat="d")
    up = ruled_axis("mean cosine", theme, zeroline=True, zerolinecolor=theme.muted)
    return framed(line, theme, 340, across, up)


def _square(
    cosines: Float32[np.ndarray, "size size"],
    hover: str,
    across: Axis,
    down: Axis,
    theme: Theme,
    height: int,
    **places: Any,
) -> go.Figure:
    """A square map of cosines; what is 1, as each with itself, doesn't count for the scale."""
    limit = clip_limit(cosines[cosines < ALMOST_ONE])
    bar, room = bar_on_top(clipped("cosine", "±", limit), theme)
    hover += "cosine %{z:.4f}<extra></extra>"
    look = _signed(limit, bar, theme)
    heatmap = go.Heatmap(z=cosines, hovertemplate=hover, **look, **places)
    across |= {"constrain": "domain"}
    down |= {"scaleanchor": "x", "constrain": "domain", "constraintoward": "top"}
    return framed(heatmap, theme, height, across, down, **room)


def neighbour_bars(
    cosines: Float32[np.ndarray, " count"], names: Sequence[str], theme: Theme
) -> go.Figure:
    """The nearest entries, nearest on top: a bar as long as the cosine."""
    bars = go.Bar(
        x=cosines,
        orientation="h",
        texttemplate="%{x:.3f}",
        textposition="auto",
        marker={"color": theme.kinds["embedding"], "line": {"width": 0}},
        hovertemplate="<b>%{y}</b><br>cosine %{x:.6f}<extra></extra>",
    )
    across = ruled_axis("cosine with the chosen token's embedding", theme)
    rows = downwards(token_axis(names, "entry and its id", theme, dtick=1))
    return framed(bars, theme, 90 + 22 * len(names), across, rows, bargap=0.25)


def vocabulary_scatter(
    places: Float32[np.ndarray, "n 3"],
    shares: Float32[np.ndarray, " 3"],
    names: Sequence[str],
    n_sentence: int,
    chosen: int,
    theme: Theme,
    solid: bool = False,
) -> go.Figure:
    """Tokens as points: the sentence's are coloured and named, the chosen one stands out.

    Past 60 tokens of the sentence the others are named by pointing at them.

    Args:
        n_sentence: how many of the points, from the first on, are the sentence's.
        chosen: which of them is the chosen token.
        solid: in three dimensions.
    """
    own = [i for i in range(n_sentence) if i != chosen]
    size = 2.2 if solid else 4.0  # a point in space is drawn larger
    groups: list[tuple[str, Sequence[int], dict[str, Any]]] = [
        ("other tokens", range(n_sentence, len(places)), _dots(theme.muted, size, 0.45)),
        ("named by pointing", own[MOST_NAMES:], _dots(theme.kinds["attention"], 2 * size, 0.9)),
        ("the sentence", own[:MOST_NAMES], _dots(theme.kinds["attention"], 2 * size, 0.9)),
        ("the chosen token", [chosen], _dots(theme.kinds["head"], 3 * size, 1.0)),
    ]
    points = []
    for name, members, look in groups:
        named = name in ("the sentence", "the chosen token")
        mode = {"mode": "markers+text", "textposition": "top center"} if named else {}
        texts = [escaped(names[i]) for i in members]
        look = {"mode": "markers"} | mode | look
        points.append(_points(places[list(members)], solid, name=name, text=texts, **look))
    titles = [f"{name}: {share:.1%}" for name, share in zip(AXIS_NAMES, shares, strict=True)]
    if solid:
        return framed(points, theme, 620, {}, {}, scene=_space(titles, theme))
    across, up = (ruled_axis(title, theme) for title in titles[:2])
    return framed(points, theme, 620, across, up | {"scaleanchor": "x"})


def _dots(colour: str, size: float, opacity: float) -> dict[str, Any]:
    return {"marker": {"color": colour, "size": size, "opacity": opacity, "line": {"width": 0}}}


def _points(
    places: Float32[np.ndarray, "n 3"], solid: bool, **options: Any
) -> go.Scatter | go.Scatter3d:
    x, y, z = places.T
    hover = "<b>%{text}</b><br>%{x:.3f}, %{y:.3f}"
    if solid:
        return go.Scatter3d(x=x, y=y, z=z, hovertemplate=hover + ", %{z:.3f}", **options)
    return go.Scatter(x=x, y=y, hovertemplate=hover, **options)


def _space(titles: Sequence[str], theme: Theme) -> dict[str, Any]:
    axes = {
        f"{letter}axis": {
            "title": {"text": title, "font": {"size": 12, "color": theme.muted}},
            "gridcolor": theme.line,
            "showbackground": False,
            "zeroline": False,
        }
        for letter, title in zip("xyz", titles, strict=True)
    }
    return axes | {"aspectmode": "data"}


def _signed(limit: float, bar: dict[str, Any], theme: Theme) -> dict[str, Any]:
    """Colours even on both sides of 0."""
    return {"colorscale": scale(theme.diverging), "zmin": -limit, "zmax": limit, "colorbar": bar}


def _window_axis(
    labels: Sequence[str], title: str, theme: Theme, first: int, count: int, pixels: int
) -> Axis:
    """A downward token axis of a part of the sentence; only as many names as have room."""
    step = math.ceil(ROW * count / pixels) or 1
    axis = token_axis(labels, title, theme)
    return axis | {"range": [first + count - 0.5, first - 0.5], "tick0": first, "dtick": step}
