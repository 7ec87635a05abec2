"""What a device can reach at best, and where two kinds of work stand below that roof."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from gptviz.counting.costs import Device, Work
from gptviz.figures.axes import framed, ruled_axis
from gptviz.figures.theme import Theme

ROOM = 4  # times: from the outermost points to the edges
TERA = 1e12


def roofline(device: Device, works: Mapping[str, Work], theme: Theme) -> go.Figure:
    """The device's roof, and each work as a point on it; both axes are logarithmic.

    Left of the bend the memory is the limit (bytes/s x FLOPs a byte), right of it the arithmetic
    (FLOP/s): Williams et al. 2009. A point stands where its work would run if nothing else held
    it up. TFLOP/s are 10^12 FLOPs a second.
    """
    bend = device.flops / device.bandwidth
    places = [bend, *(work.intensity for work in works.values())]
    least, most = min(places) / ROOM, max(places) * ROOM
    roof = [(x, _reached(device, x)) for x in (least, bend, most)]
    limit = go.Scatter(
        x=[x for x, _ in roof],
        y=[y for _, y in roof],
        name=f"roof of {device.name}",
        mode="lines",
        line={"color": theme.muted, "width": 3},
        hovertemplate="at most %{y:.4~g} TFLOP/s at %{x:,.1f} FLOPs a byte<extra></extra>",
    )
    points, words = [], []
    colours = [theme.kinds["attention"], theme.kinds["feed_forward"]]
    for (name, work), colour in zip(works.items(), colours, strict=True):
        points.append(_point(name, work, device, colour))
        in_right_half = work.intensity**2 > least * most
        words.append(_words(name, work, device, theme, in_right_half))
    words.append(_bend(bend, device, theme))
    logarithmic = {"type": "log", "dtick": 1}
    across = ruled_axis("FLOPs a byte (arithmetic intensity)", theme, **logarithmic)
    across |= {"range": [math.log10(least), math.log10(most)]}
    up = ruled_axis("TFLOP/s at most", theme, **logarithmic)
    up |= {"range": [math.log10(roof[0][1]), math.log10(device.flops / TERA) + 0.5]}
    return framed([limit, *points], theme, 340, across, up, annotations=words)


def _reached(device: Device, intensity: float) -> float:
    """TFLOP/s that the device reaches at most with so many FLOPs a byte."""
    return min(device.flops, device.bandwidth * intensity) / TERA


def _point(name: str, work: Work, device: Device, colour: str) -> go.Scatter:
    return go.Scatter(
        x=[work.intensity],
        y=[_reached(device, work.intensity)],
        name=name,
        mode="markers",
        marker={"size": 14, "color": colour},
        hovertemplate=f"<b>{name}</b><br>%{{x:,.1f}} FLOPs a byte<br>"
        "at most %{y:.4~g} TFLOP/s<extra></extra>",
    )


def _words(
    name: str, work: Work, device: Device, theme: Theme, in_right_half: bool
) -> dict[str, Any]:
    """A point's name: beside it on the slope, below it on the flat; never over the edge."""
    on_slope = work.intensity < device.flops / device.bandwidth
    side, sign = ("right", -1) if in_right_half else ("left", 1)
    beside = {"xanchor": side, "xshift": 12 * sign, "yshift": -6 * sign}
    below = {"xanchor": side, "xshift": -8 * sign, "yshift": -20}
    placed = _annotation(work.intensity, _reached(device, work.intensity), name)
    return placed | (beside if on_slope else below) | {"font": {"size": 13, "color": theme.text}}


def _bend(bend: float, device: Device, theme: Theme) -> dict[str, Any]:
    words = f"{device.flops / TERA:,.4g} TFLOP/s from {bend:,.0f} FLOPs a byte on"
    return _annotation(bend, device.flops / TERA, words) | {
        "x": 1,  # at the right edge, where a narrow screen has room for it
        "xref": "paper",
        "xanchor": "right",
        "yshift": 14,
        "font": {"size": 12, "color": theme.muted},
    }


def _annotation(x: float, y: float, text: str) -> dict[str, Any]:
    place = {"x": math.log10(x), "y": math.log10(y)}  # a logarithmic axis counts in powers
    return {**place, "text": text, "showarrow": False}
