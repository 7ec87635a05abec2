"""The diagram on the page: SVG in a component that tells Python what was clicked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gptviz.diagram.layout import lay_out
from gptviz.diagram.svg import SHADES, to_svg
from gptviz.diagram.view import View
from gptviz.figures.theme import DARK, KINDS, LIGHT, along, readable_on
from gptviz.ui.components import component
from gptviz.ui.frame import theme


def _shades(where: str, scale: Sequence[str]) -> list[str]:
    """CSS for the colours of a measured quantity, and for words on them."""
    colours = [along(scale, i / (SHADES - 1)) for i in range(SHADES)]
    return [
        f"{where} .m{i} {{ --m: {colour}; --on: {readable_on(colour)} }}"
        for i, colour in enumerate(colours)
    ]


_RULES = [f".k-{kind} {{ --k: {colour} }}" for kind, colour in KINDS.items()]
_RULES += _shades(".wrap", LIGHT.sequential) + _shades(".wrap.dark", DARK.sequential)
_component = component("diagram", "\n".join(_RULES))


def diagram(
    view: View,
    selected: str,
    legend: Mapping[str, str] | None,
    on_click: Callable[[], None],
    on_walk: Callable[[], None],
    key: str,
) -> None:
    """Draw a view; ``legend`` says what its colours mean, if not the kinds of parts.

    ``on_click`` runs after ``st.session_state[key].clicked`` got a part's path, ``on_walk`` after
    ``.walked`` got the path of a level that the opened part is in.
    """
    data = {
        "wide": to_svg(lay_out(view)),
        "narrow": to_svg(lay_out(view, narrow=True)),
        "selected": selected,
        "legend": legend,
        "shades": SHADES,
        "dark": theme() is DARK,
        # In a tuple: in a list Streamlit would look for tables, and import pandas for it.
        "levels": tuple({"path": path, "name": name} for path, name in levels(view)),
    }
    _component(data=data, key=key, on_clicked_change=on_click, on_walked_change=on_walk)


def levels(view: View) -> list[tuple[str, str]]:
    """The way from the whole model to what is open: path and name of each level."""
    way = [("", "Whole model")]
    if view.layer is not None:
        way.append((f"blocks.{view.layer}", f"Block {view.layer}"))
    if view.opened not in dict(way):
        way.append((view.opened, view.part(view.opened).entry.name))
    return way
