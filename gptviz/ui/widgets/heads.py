"""All heads of a model in one picture; a click chooses one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from gptviz.figures.colours import colour_table
from gptviz.figures.theme import Theme
from gptviz.ui.widgets.components import component, sent

HOW_TO_CHOOSE = "click a head, or use the arrow keys, to choose it."

_component = component("heads")


def heads(
    maps: np.ndarray,
    about: dict[str, Any],
    chosen: tuple[int, int],
    on_choose: Callable[[int, int], None],
    theme: Theme,
    key: str,
) -> None:
    """Draw a small map for each head: a layer in each row, a head in each column.

    Args:
        maps: (n_layers, n_heads, size, size), uint8.
        about: what the cells show: ``size``, ``legend``, ``idle``, ``spoken``, and what stands
            under the pointer.
        chosen: layer and head that have a ring.
        on_choose: is given layer and head that were clicked.
    """
    n_layers, n_heads, _, _ = maps.shape
    meta = about | {
        "key": key,
        "layers": n_layers,
        "heads": n_heads,
        "chosen": chosen,
        "colours": colour_table(theme.sequential),
        "ink": theme.text,
        "ground": theme.background,
    }
    data = {"meta": meta, "maps": maps.reshape(-1)}
    clicked = partial(_choose, key, (n_layers, n_heads), on_choose)
    _component(data=data, key=key, on_chosen_change=clicked)


def _choose(key: str, shape: tuple[int, int], on_choose: Callable[[int, int], None]) -> None:
    if (pair := sent(key, "chosen", set(product(*map(range, shape))))) is not None:
        on_choose(*pair)
