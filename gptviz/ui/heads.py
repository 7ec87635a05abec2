"""All heads of a model in one picture; a click chooses one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gptviz.figures.colours import colour_table
from gptviz.figures.theme import Theme
from gptviz.ui.components import component

if TYPE_CHECKING:
    from gptviz.analysis.overview import Overview
_component = component("heads")


def heads_overview(
    overview: Overview,
    labels: tuple[str, ...],
    chosen: tuple[int, int],
    theme: Theme,
    on_choose: Callable[[], None],
    key: str,
) -> None:
    """Draw all heads; ``on_choose`` runs after ``st.session_state[key].chosen`` got its pair."""
    layers, heads, size, _ = overview.maps.shape
    meta = {
        "layers": layers,
        "heads": heads,
        "size": size,
        "factor": overview.factor,
        "labels": labels,
        "chosen": chosen,
        "colours": colour_table(theme.sequential),
        "spoken": f"{layers} layers with {heads} attention maps each; arrow keys choose one",
    }
    data = {"meta": meta, "maps": overview.maps.reshape(-1)}
    _component(data=data, key=key, on_chosen_change=on_choose)
