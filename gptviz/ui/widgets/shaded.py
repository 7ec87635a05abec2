"""A text as a row of tokens, each with a colour that says something of it; a click chooses one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from gptviz.figures.colours import colour_table
from gptviz.figures.theme import Theme
from gptviz.ui.widgets.components import component, sent

_component = component("shaded")


@dataclass(frozen=True)
class Token:
    """One token of the row.

    Args:
        shade: where its colour lies on the scale, from 0 to 1; none where it can't be chosen.
        about: what stands under the pointer.
    """

    label: str
    shade: float | None
    about: str


def shaded(
    tokens: Sequence[Token],
    chosen: int,
    scale: tuple[str, str, str],
    theme: Theme,
    on_choose: Callable[[int], None],
    key: str,
) -> None:
    """Draw the row.

    Args:
        scale: what stands at the scale's beginning and at its end, and what it is about.
        on_choose: is given the place of the token that was clicked.
    """
    least, most, what = scale
    data = {
        "tokens": [asdict(token) for token in tokens],
        "chosen": chosen,
        "colours": colour_table(theme.sequential),
        "least": least,
        "most": most,
        "what": what,
    }
    places = {place for place, token in enumerate(tokens) if token.shade is not None}
    _component(data=data, key=key, on_chosen_change=partial(_choose, key, places, on_choose))


def _choose(key: str, places: set[int], on_choose: Callable[[int], None]) -> None:
    if (place := sent(key, "chosen", places)) is not None:
        on_choose(place)
