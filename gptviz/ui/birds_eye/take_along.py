"""What can be taken along from the bird's-eye page: the picture, a handout, the model."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

import streamlit as st

from gptviz.diagram.layout import lay_out
from gptviz.diagram.style import style
from gptviz.diagram.svg import to_svg
from gptviz.diagram.view import View
from gptviz.export import config_json, model_code
from gptviz.ui.shell import link
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.sentence import SENTENCE
from gptviz.ui.shell.shared import DECIMAL, HEAD, LAYER, STATION
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.components import component

_picture = component("picture")


def offer(screen: Screen, view: View) -> None:
    """The files there are; what takes work is made when its button is pressed.

    Nothing is made, and nothing sent, until the visitor opens it.
    """
    box = st.expander(
        "Take it along", icon=":material/download:", key="take_along", on_change="rerun"
    )
    if not box.open:
        return
    name = screen.model
    with box:
        drawn = to_svg(lay_out(replace(view, still=True)), style(theme()))
        _picture(data={"svg": drawn, "name": f"gptviz-{name}"}, key="picture")
        _file(
            "Handout (one HTML file)",
            _handout(screen, view),
            f"gptviz-{name}.html",
            "Every level of the picture with its explanations, and the sentence's figures; it "
            "opens in any browser, without gptviz and without a network.",
        )
        _file("Configuration (JSON)", partial(config_json, screen.config), f"{name}.json")
        _file(
            "The model as PyTorch code",
            partial(model_code, screen.config, screen.seed),
            f"{name}.py",
            "One file with the structure and the seed; trained weights are not in it.",
        )


def _file(label: str, make: partial[str], name: str, about: str | None = None) -> None:
    st.download_button(label, make, name, on_click="ignore", width="stretch", help=about)


def _handout(screen: Screen, view: View) -> partial[str]:
    """All that the handout shows, as it is chosen now: it is made outside of the page's run."""
    from gptviz.ui.birds_eye.handout import Chosen, make

    chosen = Chosen(LAYER.value, HEAD.value, STATION.value, DECIMAL.value)
    return partial(make, screen, view, chosen, SENTENCE.value, _address())


def _address() -> str:
    """The address that leads back to this screen."""
    here = urlsplit(st.context.url or "")
    return here._replace(query=link.query(link.address()), fragment="").geturl()
