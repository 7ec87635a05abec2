"""The feed-forward's hidden units and GELU, as figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Float32, Int64
from plotly.subplots import make_subplots

from gptviz.figures.axes import framed, line_mode, plain_axis, token_axis
from gptviz.figures.stream import with_legend
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
    figure = make_subplots(
        rows=2,
        cols=2,
        shared_xaxes=True,
        shared_yaxes=True,
        specs=[[{}, {}], [{}, None]],
        column_widths=[0.78, 0.22],
        row_heights=[0.7, 0.3],
        horizontal_spacing=0.02,
        vertical_spacing=0.03,
    )
    line = go.Scatter(
        x=curve[0],
        y=curve[1],
        name="GELU",
        mode="lines",
        line={"color": theme.kinds["feed_forward"], "width": 3},
        hovertemplate="in %{x:.3f}<br>out %{y:.3f}<extra></extra>",
    )
    figure.add_trace(line, row=1, col=1)
    figure.add_trace(_counted(before, "before GELU", "v", theme), row=2, col=1)
    figure.add_trace(_counted(after, "after GELU", "h", theme), row=1, col=2)
    figure.add_vline(x=0, line={"color": theme.line, "width": 1}, layer="below", row=1, col=1)
    figure.add_hline(y=0, line={"color": theme.line, "width": 1}, layer="below", row=1, col=1)
    _name_axes(figure, theme)
    return framed(figure, theme, 460).update_layout(bargap=0)


def _name_axes(figure: go.Figure, theme: Theme) -> None:
    figure.update_xaxes(plain_axis("", theme))
    figure.update_yaxes(plain_axis("", theme))
    figure.update_yaxes(title_text="after GELU: activation", row=1, col=1)
    figure.update_xaxes(title_text="before GELU: pre-activation", row=2, col=1)
    figure.update_yaxes(title_text="how many", type="log", dtick=2, row=2, col=1)
    figure.update_xaxes(title_text="how many", type="log", dtick=2, row=1, col=2)


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
    axis = token_axis(labels, "token", theme) if labels else plain_axis("block", theme)
    where = "%{x:d} <b>%{x}</b>" if labels else "block %{x}"
    figure = go.Figure(
        [
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
    )
    figure.update_xaxes(axis | ({"tickangle": -45} if labels else {"tickformat": "d"}))
    figure.update_yaxes(plain_axis("share of the hidden units", theme), range=[-0.03, 1.03])
    figure.update_yaxes(tickformat=".0%", showgrid=True, gridcolor=theme.line)
    return with_legend(framed(figure, theme, 320), theme)


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
    figure = go.Figure(bars)
    what = "length written into the stream" if by_writing else "activation (after GELU)"
    figure.update_xaxes(plain_axis(what, theme), showgrid=True, gridcolor=theme.line)
    figure.update_yaxes(plain_axis("", theme), autorange="reversed", dtick=1)
    return framed(figure, theme, 90 + 20 * len(neurons)).update_layout(bargap=0.25)


def neuron_bars(
    activations: Float32[np.ndarray, " n_tokens"], labels: Sequence[str], theme: Theme
) -> go.Figure:
    """One neuron's activation at each token of the sentence: orange above 0, blue below."""
    bars = go.Bar(
        y=activations,
        marker={"color": _signs(activations), "line": {"width": 0}},
        hovertemplate="%{x:d} <b>%{x}</b><br>activation %{y:.4~g}<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_xaxes(token_axis(labels, "token", theme), tickangle=-45)
    axis: dict[str, Any] = plain_axis("activation (after GELU)", theme)
    figure.update_yaxes(axis, showgrid=True, gridcolor=theme.line)
    return framed(figure, theme, 320).update_layout(bargap=0.2)


def _signs(numbers: Float32[np.ndarray, " n"]) -> list[str]:
    return [POSITIVE if number > 0 else NEGATIVE for number in numbers]
