"""Figures inside a document that stands alone: plotly's own script, and each figure's data."""

from __future__ import annotations

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs


def plotly_script() -> str:
    """All of plotly.js, 5 MB, to be put into a document once."""
    script: str = get_plotlyjs()
    return script


def as_json(figure: go.Figure) -> str:
    """Data and layout for ``Plotly.newPlot``; it can stand in HTML, for it has no ``<`` in it."""
    text: str = figure.to_json()
    return text.replace("<", "\\u003c")
