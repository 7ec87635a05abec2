"""What all figures over a sentence share: token axes, colour scales, the empty frame."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from gptviz.figures.theme import FONT, Theme

Axis = dict[str, Any]

MOST_TICKS = 48
LONGEST_LABEL = 20
CLIP_PERCENTILE = 99.5
BAR, LINE = 8, 14  # pixels: a colour bar, a line of small print
MARGIN = {"l": 8, "r": 8, "t": 8, "b": 8}


def escaped(text: str) -> str:
    """Text as plotly will show it literally: no tags, no entities, no TeX between dollar signs."""
    if len(text) > LONGEST_LABEL:
        text = text[: LONGEST_LABEL - 1] + "…"
    return html.escape(text, quote=False).replace("$", "&#36;")


def token_axis(labels: Sequence[str], title: str, theme: Theme, **options: Any) -> Axis:
    """An axis of positions, counted from 0, that shows tokens; past 48 only every n-th is named.

    A hover text finds the token in ``%{x}`` and its position in ``%{x:d}``.
    """
    axis = plain_axis(title, theme) | {
        "tickfont": {"size": 12 if len(labels) <= MOST_TICKS // 2 else 10, "color": theme.text},
        "tickmode": "linear",
        "tick0": 0,
        "dtick": math.ceil(len(labels) / MOST_TICKS) or 1,
        # Positions become tokens by name, not by tick, so that tokens without a tick have one too.
        "tickformat": "d",
        "hoverformat": "d",
        "labelalias": {str(position): escaped(label) for position, label in enumerate(labels)},
        "range": [-0.5, len(labels) - 0.5],
    }
    return axis | options


def plain_axis(title: str, theme: Theme, **options: Any) -> Axis:
    """An axis with a title and quiet lines."""
    axis = {
        "title": {"text": title, "font": {"size": 13, "color": theme.muted}, "standoff": 12},
        "tickfont": {"size": 12, "color": theme.text},
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "automargin": True,
        # Margins have room for them: to look for those past the edge takes a browser long.
        "ticklabeloverflow": "allow",
    }
    return axis | options


def ruled_axis(title: str, theme: Theme, **options: Any) -> Axis:
    """A plain axis with a line across the picture at each tick."""
    return plain_axis(title, theme) | {"showgrid": True, "gridcolor": theme.line} | options


def downwards(axis: Axis) -> Axis:
    """The same axis with its start on top."""
    return axis | {"range": axis["range"][::-1]}


def line_mode(count: int) -> str:
    """How a line is drawn: past 48 points, markers would run together and take a browser long."""
    return "lines+markers" if count <= MOST_TICKS else "lines"


def scale(colours: Sequence[str]) -> list[tuple[float, str]]:
    """A theme's colours, evenly spaced, as plotly wants them."""
    last = len(colours) - 1
    return [(i / last, colour) for i, colour in enumerate(colours)]


def clip_limit(values: np.ndarray) -> float:
    """The size from which on a colour is at its fullest: the 99.5th percentile of all sizes.

    A few very large numbers would leave all others without colour. 1 where every number is 0.
    """
    sizes = np.abs(values[np.isfinite(values)])
    return float(np.percentile(sizes, CLIP_PERCENTILE)) if sizes.any() else 1.0


def clipped(what: str, sign: str, limit: float) -> str:
    """The words at a bar whose colours end at ``clip_limit``."""
    return f"{what}<br>full colour from {sign}{limit:.3g} ({CLIP_PERCENTILE}th percentile)"


def bar_on_top(said: str, theme: Theme, below: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """A slim colour bar at the top edge with words below it, and what the layout has for them.

    Left to itself, plotly leaves a gap above the bar and draws the title of the axis over the map;
    fixed at the edge, it draws the bar's own title over the bar. So the words are a text here.

    Args:
        below: pixels to be left free between the words and the picture.
    """
    bar = {
        "tickfont": {"size": 11, "color": theme.muted},
        "orientation": "h",
        "x": 0,
        "xanchor": "left",
        "xpad": 0,
        "yref": "container",
        "y": 1,
        "yanchor": "top",
        "ypad": 2,
        "len": 250,
        "lenmode": "pixels",
        "thickness": BAR,
        "outlinewidth": 0,
        "ticks": "",
        "nticks": 5,
    }
    words = {
        "text": said,
        "font": {"size": 11, "color": theme.muted},
        "align": "left",
        "showarrow": False,
        "xref": "paper",
        "x": 0,
        "xanchor": "left",
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "yshift": 4 + below,
        "borderpad": 0,
    }
    high = 2 + BAR + 2 * LINE + LINE * said.count("<br>") + 8 + below
    return bar, {"margin": MARGIN | {"t": high}, "annotations": [words]}


def framed(
    traces: Any, theme: Theme, height: int, across: Axis, up: Axis, **layout: Any
) -> go.Figure:
    """A figure on the page's background, with small margins, in the theme's text colour.

    Made in one go, as plotly takes far longer to update a figure than to make one.

    Args:
        traces: one, or a list of them.
        height: in pixels.
        across, up: the two axes.
        layout: what else plotly's layout is to have.
    """
    return go.Figure(traces, _frame(theme, height) | {"xaxis": across, "yaxis": up} | layout)


def stacked(
    rows: Sequence[tuple[Axis, Sequence[Any]]],
    across: Axis,
    theme: Theme,
    height: int,
    gap: float = 0.06,
    **layout: Any,
) -> go.Figure:
    """Charts one above the other, the first on top, over one axis below the last.

    Args:
        rows: the upright axis of each chart, and its traces.
        gap: between two charts, as a share of the height.
    """
    names = [str(row) if row > 1 else "" for row in range(1, len(rows) + 1)]  # y, y2, y3 ...
    axes, traces = {}, []
    for name, band, (up, drawn) in zip(names, bands(len(rows), gap), rows, strict=True):
        axes[f"yaxis{name}"] = up | {"domain": band}
        traces += [trace.update(yaxis=f"y{name}") for trace in drawn]
    below = across | {"anchor": f"y{names[-1]}"}
    return go.Figure(traces, _frame(theme, height) | {"xaxis": below} | axes | layout)


def bands(count: int, gap: float) -> list[tuple[float, float]]:
    """Bottom and top of each of ``count`` charts one above the other, the first on top."""
    tall = (1 - gap * (count - 1)) / count
    tops = [1 - row * (tall + gap) for row in range(count)]
    return [(max(0.0, top - tall), top) for top in tops]


def _frame(theme: Theme, height: int) -> dict[str, Any]:
    return {
        "height": height,
        "margin": MARGIN,
        "paper_bgcolor": theme.background,
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "color": theme.text},
        "hoverlabel": {
            "align": "left",
            "bgcolor": theme.sequential[0],
            "bordercolor": theme.line,
            "font": {"family": FONT, "size": 13, "color": theme.text},
        },
        "showlegend": False,
    }


def legend_above(theme: Theme, **options: Any) -> dict[str, Any]:
    """What a layout has for the names of lines above the picture."""
    font = {"size": 12, "color": theme.text}
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": font}
    return {"showlegend": True, "legend": legend | options}


def height_of_rows(n_rows: int) -> int:
    """Pixels for a figure with a token in each row: readable rows, but never a tower."""
    return min(760, max(380, 110 + 20 * n_rows))
