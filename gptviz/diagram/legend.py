"""What a kept picture says of its colours; on the page the words stand above the picture."""

from __future__ import annotations

from gptviz.diagram.drawing import Cell, Drawing, Strip, wrapped
from gptviz.diagram.svg import SHADES
from gptviz.diagram.view import Measure

WIDTH = 6.0  # of one shade


def add_legend(drawing: Drawing, measure: Measure, margin: float) -> None:
    """Write what the quantity is below the picture, and draw its scale from end to end."""
    y = drawing.height + 18
    for line in wrapped(measure.about, drawing.width - 2 * margin, 12):
        drawing.text(margin, y, line)
        y += 17
    low, high = measure.words(measure.least), measure.words(measure.most)
    cells = tuple(Cell(margin + i * WIDTH, WIDTH, i / (SHADES - 1), "", "") for i in range(SHADES))
    drawing.strips.append(Strip(y - 8, 12, cells, f"colours from {low} to {high}"))
    drawing.text(cells[-1].x + 2 * WIDTH, y + 3, f"{low} to {high}")
    drawing.height = y + 18
