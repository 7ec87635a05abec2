"""All heads of the screen's model in one picture: their maps, or a number for each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gptviz.figures.colours import levels
from gptviz.figures.table import grid_as_csv, heads_as_csv
from gptviz.ui.shell import live
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.shared import choose_head, chosen_head
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import take_along
from gptviz.ui.widgets.heads import HOW_TO_CHOOSE, heads

if TYPE_CHECKING:
    from gptviz.tracing.trace import Trace


def overview(screen: Screen, trace: Trace, key: str) -> None:
    """Draw every head's map; a click chooses the head."""
    found = live.overview(trace)
    n_layers, n_heads, size, _ = found.maps.shape
    about = {
        "size": size,
        "factor": found.factor,
        "labels": screen.labels,
        "legend": ("0", "1"),
        "idle": f"Point at a cell for its weight; {HOW_TO_CHOOSE}",
        "spoken": f"{n_layers} layers with {n_heads} attention maps each; arrow keys choose one",
    }
    heads(found.maps, about, chosen_head(), choose_head, theme(), key)
    take_along(key, partial(_weights_as_csv, screen, size, found.factor), "canvas")


def _weights_as_csv(screen: Screen, size: int, factor: int) -> str:
    from gptviz.analysis.overview import largest_weights

    trace = live.again(screen.of)
    layers = (largest_weights(trace, layer, size) for layer in range(trace.config.n_layers))
    return heads_as_csv(layers, screen.labels, factor)


def grid(
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
    n_layers, n_heads = values.shape
    about = {
        "size": 1,
        "values": values.reshape(-1).tolist(),
        "what": what,
        "legend": ("0", f"{most:.3g}"),
        "idle": f"Point at a cell for its number; {HOW_TO_CHOOSE}",
        "spoken": f"{what}: {n_layers} layers with {n_heads} heads each; arrow keys choose one",
    }
    maps = levels(values, most)[..., None, None]
    heads(maps, about, chosen_head(), partial(_choose, on_choose), theme(), key)
    take_along(key, partial(grid_as_csv, values, what), "canvas")


def _choose(then: Callable[[], None] | None, layer: int, head: int) -> None:
    choose_head(layer, head)
    if then:
        then()
