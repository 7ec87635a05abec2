"""The diagram on the page: SVG in a component that tells Python which part was clicked."""

from __future__ import annotations

from collections.abc import Callable

from gptviz.diagram.layout import lay_out
from gptviz.diagram.svg import to_svg
from gptviz.diagram.view import View
from gptviz.figures.theme import KINDS
from gptviz.ui.components import component

_KINDS = "\n".join(f".k-{kind} {{ --k: {colour} }}" for kind, colour in KINDS.items())
_component = component("diagram", _KINDS)


def diagram(view: View, selected: str | None, on_click: Callable[[], None], key: str) -> None:
    """Draw a view; ``on_click`` runs after ``st.session_state[key].clicked`` got a part's path."""
    svg = {
        "wide": to_svg(lay_out(view)),
        "narrow": to_svg(lay_out(view, narrow=True)),
        "selected": selected,
    }
    _component(data=svg, key=key, on_clicked_change=on_click)
