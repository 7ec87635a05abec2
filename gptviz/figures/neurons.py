"""The feed-forward's hidden units and GELU, as figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Float32, Int64

from gptviz.figures.axes import (
    framed,
    legend_above,
    line_mode,
    plain_axis,
    ruled_axis,
    token_axis,
)
from gptviz.figures.theme import NEGATIVE, POSITIVE, Theme

Counts = tuple[Int64[np.ndarray, " n_bins"], Float[np.ndarray, " n_edges"]]


def gelu_between(
    curve: tuple[Float32[np.ndarray, " n"], Float32[np.ndarray, " n"]],
    before: Counts,
    after: Counts,
    theme: Theme,
) -> go.Figure:
    """The curve of GELU; below it the numbers that go in, on its right those that come out.

    Follow a number from below up to the curve and from there to the right. Counts stand on
    logarithmic axes.

    Args:
        curve: places and GELU's values there.
        before, after: how many numbers lie between one edge and the next.
    """
    line = go.Scatter(
        x=curve[0],
        y=curve[1],
        name="GELU",
        mode="lines",
        line={"color": theme.kinds["feed_forward"], "width": 3},
        hovertemplate="in %{x:.3f}<br>out %{y:.3f}<extra></extra>",
    )
    below = _counted(before, "before GELU", "v", theme).update(yaxis="y2")
    beside = _counted(after, "after GELU", "h", theme).update(xaxis="x2")
    return framed([line, below, beside], theme, 460, bargap=0, **_gelu_axes(theme))


def _gelu_axes(theme: Theme) -> dict[str, Any]:
    """The curve's two axes, and those of the counts: upright below it, across on its right."""
    zero = {"zeroline": True, "zerolinecolor": theme.line}
    counts = plain_axis("how many", theme, type="log", dtick=2)
    return {
        "across": plain_axis(
            "before GELU: pre-activation", theme, domain=[0, 0.76], anchor="y2", **zero
        ),
        "up": plain_axis("after GELU: activation", theme, domain=[0.32, 1], **zero),
        "xaxis2": counts | {"domain": [0.78, 1], "anchor": "y"},
        "yaxis2": counts | {"domain": [0, 0.29], "anchor": "x"},
    }


def _counted(counted: Counts, name: str, orientation: str, theme: Theme) -> go.Bar:
    counts, edges = counted
    middles = (edges[:-1] + edges[1:]) / 2
    place, count = ("x", "y") if orientation == "v" else ("y", "x")
    return go.Bar(
        **{place: middles, count: counts},
        name=name,
        orientation=orientation,
        width=np.diff(edges),
        customdata=np.stack([edges[:-1], edges[1:]], axis=1),
        marker={"color": theme.kinds["attention"], "line": {"width": 0}},
        hovertemplate=f"{name}: %{{{count}:,}} numbers from %{{customdata[0]:.3~g}} "
        "to %{customdata[1]:.3~g}<extra></extra>",
    )


def silence_lines(
    held_back: Float32[np.ndarray, " n"],
    silent: Float32[np.ndarray, " n"],
    theme: Theme,
    labels: Sequence[str] = (),
) -> go.Figure:
    """Shares of hidden units, block by block; or token by token, where ``labels`` name them."""
    if labels:
        where, across = "%{x:d} <b>%{x}</b>", token_axis(labels, "token", theme, tickangle=-45)
    else:
        where, across = "block %{x}", plain_axis("block", theme, tickformat="d")
    lines = [
        go.Scatter(
            y=shares,
            name=name,
            mode=line_mode(len(shares)),
            line={"color": theme.kinds[kind], "width": 2},
            marker={"size": 5},
            hovertemplate=f"{where}<br>{name}: %{{y:.1%}}<extra></extra>",
        )
        for name, shares, kind in (
            ("held back (below 0)", held_back, "stream"),
            ("silent", silent, "feed_forward"),
        )
    ]
    what = "share of the hidden units"
    up = ruled_axis(what, theme, range=[-0.03, 1.03], tickformat=".0%")
    return framed(lines, theme, 320, across, up, **legend_above(theme))


def busiest_bars(
    neurons: Int64[np.ndarray, " n"],
    activations: Float32[np.ndarray, " n"],
    written: Float32[np.ndarray, " n"],
    by_writing: bool,
    theme: Theme,
) -> go.Figure:
    """A bar for each neuron, the busiest on top; its length is what they are ordered by."""
    bars = go.Bar(
        x=written if by_writing else activations,
        y=[f"neuron {number}" for number in neurons],
        orientation="h",
        customdata=np.stack([activations, written], axis=1),
        marker={"color": _signs(activations), "line": {"width": 0}},
        hovertemplate="%{y}<br>activation %{customdata[0]:.4~g}<br>"
        "writes a length of %{customdata[1]:.4~g}<extra></extra>",
    )
    what = "length written into the stream" if by_writing else "activation (after GELU)"
    rows = plain_axis("", theme, autorange="reversed", dtick=1)
    height = 90 + 20 * len(neurons)
    return framed(bars, theme, height, ruled_axis(what, theme), rows, bargap=0.25)


def neuron_bars(
    activations: Float32[np.ndarray, " n_tokens"], labels: Sequence[str], theme: Theme
) -> go.Figure:
    """One neuron's activation at each token of the sentence: orange above 0, blue below."""
    bars = go.Bar(
        y=activations,
        marker={"color": _signs(activations), "line": {"width": 0}},
        hovertemplate="%{x:d} <b>%{x}</b><br>activation %{y:.4~g}<extra></extra>",
    )
    across = token_axis(labels, "token", theme, tickangle=-45)
    up = ruled_axis("activation (after GELU)", theme)
    return framed(bars, theme, 320, across, up, bargap=0.2)


def _signs(numbers: Float32[np.ndarray, " n"]) -> list[str]:
    return [POSITIVE if number > 0 else NEGATIVE for number in numbers]
