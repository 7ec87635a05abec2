"""The bird's-eye page's state: which block is open, which part is selected, what was read."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from gptviz.diagram.view import Reading, View
from gptviz.export import config_json, model_code
from gptviz.figures.theme import KINDS
from gptviz.tokenizer import Tokenizer
from gptviz.ui import live
from gptviz.ui.choose import CLOSED, blocks
from gptviz.ui.controls import Screen
from gptviz.ui.diagram import diagram

if TYPE_CHECKING:
    from gptviz.tracing import Trace

DIAGRAM = "diagram"


def opened_block() -> int | None:
    """Which block is open; none at first."""
    chosen = st.session_state["block"]
    return None if chosen == CLOSED else int(chosen)


def block_choice(n_layers: int) -> None:
    """The box that opens a block, or closes it."""
    st.selectbox(
        "Open block",
        blocks(n_layers),
        key="block",
        on_change=_select_block,
        help="Blocks count from 0. A click on a block in the picture opens it, too.",
    )


def show(screen: Screen, opened: int | None) -> None:
    """Draw the picture with what is known now; never waits."""
    view = View(screen.config, screen.labels, screen.token_ids, opened, _reading(screen, opened))
    diagram(view, st.session_state.get("part"), _clicked, DIAGRAM)


def selected(screen: Screen, opened: int | None) -> str:
    """The path of the part to explain; before anything was clicked, what is open."""
    default = "blocks" if opened is None else f"blocks.{opened}"
    path: str = st.session_state.get("part", default)
    pieces = path.split(".")
    gone = len(pieces) > 1 and int(pieces[1]) >= screen.config.n_layers
    return default if gone else path


def follow_up(screen: Screen) -> None:
    """After the picture stands: read the sentence, and draw again with what was measured."""
    if live.ready(screen) is not None or not screen.token_ids:
        return
    costly = live.fits(screen) and not live.is_cheap(screen)
    words = f"Read the sentence with {screen.title}"
    if costly and not st.button(words, icon=":material/play_arrow:"):
        return
    if live.read(screen) is not None and live.ready(screen) is not None:
        st.rerun()


def take_along(screen: Screen) -> None:
    """Files to keep: the configuration, and the model as a program of its own."""
    with st.expander("Take it along", icon=":material/download:"):
        name = screen.model
        st.download_button(
            "Configuration (JSON)",
            partial(config_json, screen.config),
            f"{name}.json",
            on_click="ignore",
            width="stretch",
        )
        st.download_button(
            "The model as PyTorch code",
            partial(model_code, screen.config, screen.seed),
            f"{name}.py",
            on_click="ignore",
            width="stretch",
            help="One file with the structure and the seed; trained weights are not in it.",
        )


def _clicked() -> None:
    path = st.session_state[DIAGRAM].clicked
    if not path:
        return
    path = "blocks.0" if path == "blocks" else path
    st.session_state["part"] = path
    pieces = path.split(".")
    if len(pieces) == 2:
        st.session_state["block"] = pieces[1]


def _select_block() -> None:
    chosen = st.session_state["block"]
    st.session_state["part"] = "blocks" if chosen == CLOSED else f"blocks.{chosen}"


def _reading(screen: Screen, opened: int | None) -> Reading | None:
    trace = live.ready(screen)
    if trace is None:
        return None
    from gptviz.analysis.next_token import likeliest

    top = likeliest(trace, 5)
    words = Tokenizer(screen.config.vocab_size).labels(map(int, top.token_ids))
    guesses = tuple(zip(words, map(float, top.probabilities), strict=True))
    if opened is None:
        return Reading(next_tokens=guesses)
    return Reading(*_maps(trace, opened), guesses)


def _maps(trace: Trace, layer: int) -> tuple[tuple[str, ...], str | None]:
    """The opened block's heads and hidden layer, as small pictures."""
    from gptviz.analysis.overview import last_hidden, layer_heads
    from gptviz.ui.pictures import map_address

    heads: tuple[str, ...] = ()
    if trace.config.has("attention"):
        maps = layer_heads(trace, layer) / 255
        heads = tuple(map_address(head, KINDS["attention"]) for head in maps)
    hidden = last_hidden(trace, layer)
    strip = None if hidden is None else map_address(hidden[None], KINDS["feed_forward"])
    return heads, strip
