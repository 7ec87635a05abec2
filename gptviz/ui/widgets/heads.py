"""All heads of a model in one picture; a click chooses one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from gptviz.figures.colours import colour_table, levels
from gptviz.figures.table import grid_as_csv, heads_as_csv
from gptviz.ui.shell import live
from gptviz.ui.shell.frame import theme
from gptviz.ui.shell.sidebar import Screen
from gptviz.ui.widgets.chart import take_along
from gptviz.ui.widgets.components import component, sent

if TYPE_CHECKING:
    from gptviz.tracing.trace import Trace

HOW_TO_CHOOSE = "click a head, or use the arrow keys, to choose it."

_component = component("heads")


def chosen_head() -> tuple[int, int]:
    """Layer and head that all pages look at."""
    return st.session_state["layer"], st.session_state["head"]


def heads_overview(screen: Screen, trace: Trace, key: str) -> None:
    """Draw every head's map; a click chooses the head."""
    overview = live.overview(trace)
    layers, heads, size, _ = overview.maps.shape
    about = {
        "size": size,
        "factor": overview.factor,
        "labels": screen.labels,
        "legend": ("0", "1"),
        "idle": f"Point at a cell for its weight; {HOW_TO_CHOOSE}",
        "spoken": f"{layers} layers with {heads} attention maps each; arrow keys choose one",
    }
    _draw(overview.maps, about, key)
    take_along(key, partial(_weights_as_csv, screen, size, overview.factor), "canvas")


def _weights_as_csv(screen: Screen, size: int, factor: int) -> str:
    from gptviz.analysis.overview import largest_weights

    trace = live.again(screen.of)
    layers = (largest_weights(trace, layer, size) for layer in range(trace.config.n_layers))
    return heads_as_csv(layers, screen.labels, factor)


def heads_grid(
    values: np.ndarray,
    what: str,
    most: float,
    key: str,
    on_choose: Callable[[], None] | None = None,
) -> None:
    """Draw a number for each head as a coloured cell; a click chooses the head.

    Args:
        values: (n_layers, n_heads).
        what: the number's name and unit.
        most: the number that has the full colour.
        on_choose: runs when a head has been chosen.
    """
    layers, heads = values.shape
    about = {
        "size": 1,
        "values": values.reshape(-1).tolist(),
        "what": what,
        "legend": ("0", f"{most:.3g}"),
        "idle": f"Point at a cell for its number; {HOW_TO_CHOOSE}",
        "spoken": f"{what}: {layers} layers with {heads} heads each; arrow keys choose one",
    }
    _draw(levels(values, most)[..., None, None], about, key, on_choose)
    take_along(key, partial(grid_as_csv, values, what), "canvas")


def _draw(
    maps: np.ndarray,
    about: dict[str, Any],
    key: str,
    on_choose: Callable[[], None] | None = None,
) -> None:
    layers, heads, _, _ = maps.shape
    colours = theme()
    meta = about | {
        "key": key,
        "layers": layers,
        "heads": heads,
        "chosen": chosen_head(),
        "colours": colour_table(colours.sequential),
        "ink": colours.text,
        "ground": colours.background,
    }
    data = {"meta": meta, "maps": maps.reshape(-1)}
    _component(
        data=data, key=key, on_chosen_change=partial(_choose, key, (layers, heads), on_choose)
    )


def _choose(key: str, shape: tuple[int, int], on_choose: Callable[[], None] | None) -> None:
    pair = sent(key, "chosen", set(product(*map(range, shape))))
    if pair is not None:
        st.session_state["layer"], st.session_state["head"] = pair
        if on_choose:
            on_choose()
