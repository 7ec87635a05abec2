"""The diagram on the page: SVG in a component that tells Python what was clicked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from gptviz.diagram.drawing import Drawing
from gptviz.diagram.layout import lay_out
from gptviz.diagram.svg import SHADES, to_svg
from gptviz.diagram.view import Measure, View
from gptviz.figures.theme import DARK, KINDS, LIGHT, along, readable_on
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.components import component, sent


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
    on_click: Callable[[str], None],
    on_walk: Callable[[str], None],
    key: str,
) -> None:
    """Draw a view, with a legend where its colours are not those of the kinds of parts.

    ``on_click`` is given the path of a part that was clicked, ``on_walk`` that of a level that the
    opened part is in.
    """
    wide, narrow = lay_out(view), lay_out(view, narrow=True)
    way = levels(view)
    data = {
        "wide": to_svg(wide),
        "narrow": to_svg(narrow),
        "selected": selected,
        "legend": _legend(view.measure),
        "shades": SHADES,
        "dark": theme() is DARK,
        # In a tuple: in a list Streamlit would look for tables, and import pandas for it.
        "levels": tuple({"path": path, "name": name} for path, name in way),
    }
    clicked = partial(_tell, key, "clicked", _paths(wide) | _paths(narrow), on_click)
    walked = partial(_tell, key, "walked", {path for path, _ in way}, on_walk)
    _component(data=data, key=key, on_clicked_change=clicked, on_walked_change=walked)


def _paths(drawing: Drawing) -> set[str]:
    """All that can be clicked."""
    cells = {cell.path for strip in drawing.strips for cell in strip.cells}
    return cells | {box.path for box in drawing.boxes}


def _tell(key: str, event: str, shown: set[str], listener: Callable[[str], None]) -> None:
    if (path := sent(key, event, shown)) is not None:
        listener(path)


def _legend(measure: Measure | None) -> dict[str, str] | None:
    if measure is None:
        return None
    low, high = measure.words(measure.least), measure.words(measure.most)
    return {"about": measure.about, "low": low, "high": high}


def levels(view: View) -> list[tuple[str, str]]:
    """The way from the whole model to what is open: path and name of each level."""
    way = [("", "Whole model")]
    if view.layer is not None:
        way.append((f"blocks.{view.layer}", f"Block {view.layer}"))
    if view.opened not in dict(way):
        way.append((view.opened, view.part(view.opened).entry.name))
    return way
