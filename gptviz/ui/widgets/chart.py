"""How every page draws a figure: with words for who can't see it, and ways to take it along."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

import streamlit as st

from gptviz.figures.table import as_csv
from gptviz.ui.widgets.components import component

if TYPE_CHECKING:
    import plotly.graph_objects as go

Drawn = Literal["plotly", "canvas", "words"]

_save = component("save")


def chart(figure: go.Figure, key: str, alt: str, square: bool = False) -> None:
    """Draw a figure, and offer it as PNG and SVG and its numbers as CSV.

    Args:
        key: names the figure on its page, and the files.
        alt: what it shows, for a screen reader: one plain sentence.
        square: whether it is as high as it is wide: on a narrow screen it is less high then.
    """
    with st.container(key=f"figure_{key}", gap=None):
        if square:
            with st.container(key=f"square_{key}", height=int(figure.layout.height), border=False):
                _plot(figure, key, alt, "stretch")
        else:
            _plot(figure, key, alt, "content")
        take_along(key, partial(as_csv, figure))


def _plot(figure: go.Figure, key: str, alt: str, height: Literal["stretch", "content"]) -> None:
    config = {"displaylogo": False}
    st.plotly_chart(figure, theme=None, key=key, alt=alt, height=height, config=config)


def take_along(key: str, csv: Callable[[], str], drawn: Drawn = "plotly") -> None:
    """Offer a picture as files: a line of quiet buttons.

    Args:
        key: names the picture on its page, and the files.
        csv: makes its numbers' file.
        drawn: what the picture is: a chart of plotly's; a component's canvas; or a component's
            words, boxes and lines.
    """
    row = st.container(
        key=f"take_{key}",
        horizontal=True,
        horizontal_alignment="right",
        vertical_alignment="center",
        gap=None,
    )
    with row:
        data = {"chart": key, "name": f"gptviz-{key}", "drawn": drawn}
        _save(data=data, key=f"save_{key}", width="content")
        st.download_button(
            "CSV",
            csv,
            f"gptviz-{key}.csv",
            "text/csv",
            key=f"csv_{key}",
            type="tertiary",
            on_click="ignore",
        )
