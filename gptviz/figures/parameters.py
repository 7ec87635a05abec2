"""Where the parameters are, as areas."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from gptviz.counting.ledger import Share
from gptviz.figures.theme import FONT, Theme

LEAF_TINT, BOX_TINT = 0.28, 0.06  # how much of its kind's colour fills a box
SMALLEST_TEXT = 10  # a label that would have to be smaller is left to the pointer


def parameter_treemap(rows: Sequence[Share], total: int, theme: Theme) -> go.Figure:
    """Boxes in boxes whose areas are parameters: the larger the box, the more it holds.

    Colours are those of the kinds of parts everywhere. A box shows its share of ``total``; under
    the pointer stands the exact count.
    """
    holders = {row.parent for row in rows}
    colours = [theme.kinds[row.kind] for row in rows]
    tints = [BOX_TINT if row.id in holders else LEAF_TINT for row in rows]
    lines = [theme.line if row.kind == "stream" else theme.kinds[row.kind] for row in rows]
    treemap = go.Treemap(
        ids=[row.id for row in rows],
        parents=[row.parent for row in rows],
        labels=[row.label for row in rows],
        values=[row.parameters for row in rows],
        text=[_percent(row.parameters, total) for row in rows],
        branchvalues="total",
        marker={
            "colors": list(map(_tinted, colours, tints)),
            "line": {"color": lines, "width": 1},
            "cornerradius": 5,
            "pad": {"t": 24, "l": 4, "r": 4, "b": 4},
        },
        texttemplate="<b>%{label}</b><br>%{text}",
        textfont={"color": theme.text},
        hovertemplate="<b>%{label}</b><br>%{value:,d} parameters<br>%{text} of all<extra></extra>",
        pathbar={"visible": False},
        root={"color": "rgba(0, 0, 0, 0)"},
        tiling={"pad": 4},
    )
    layout = {
        "height": 420,
        "margin": {"t": 0, "l": 0, "r": 0, "b": 0},
        "paper_bgcolor": theme.background,
        "font": {"family": FONT, "size": 13, "color": theme.text},
        "hoverlabel": {"bgcolor": theme.sequential[0], "font": {"color": theme.text}},
        "uniformtext": {"minsize": SMALLEST_TEXT, "mode": "hide"},
    }
    return go.Figure(treemap, layout)


def _tinted(colour: str, opacity: float) -> str:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def _percent(part: int, total: int) -> str:
    percent = 100 * part / total
    return f"{percent:.1f} %" if percent >= 0.1 else "under 0.1 %"
