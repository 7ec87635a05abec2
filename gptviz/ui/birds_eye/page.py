"""The bird's-eye page's state: what is open, which part is selected, what was read."""

from __future__ import annotations

from functools import partial

import streamlit as st

from gptviz.config import GPTConfig
from gptviz.diagram.parts import can_open, is_level, level_of
from gptviz.diagram.view import Measure, Reading, View
from gptviz.ui.birds_eye import measures
from gptviz.ui.birds_eye.diagram import diagram
from gptviz.ui.birds_eye.maps import maps_of
from gptviz.ui.shell import live
from gptviz.ui.shell.options import CLOSED, STATIONS, blocks, number
from gptviz.ui.shell.sidebar import Screen

DIAGRAM = "diagram"


def opened(screen: Screen) -> str:
    """The path of the part that is open; empty at first, for nothing but the whole is."""
    block, path = _asked_for()
    return path if can_open(screen.config, path) else block


def _asked_for() -> tuple[str, str]:
    """The paths of the block that is to be open, and of what is to be open in it or without it."""
    block, inside = st.session_state["block"], st.session_state["inside"]
    outside = "" if block == CLOSED else f"blocks.{block}"
    return outside, ".".join(filter(None, (outside, inside)))


def choices(screen: Screen) -> None:
    """What is open, and how shapes are written."""
    block, head = st.columns(2)
    block.selectbox(
        "Open block",
        blocks(screen.config.n_layers),
        key="block",
        on_change=_select_block,
        help="Blocks count from 0. A click on a block in the picture opens it, too.",
    )
    with head:
        if opened(screen).endswith(".attention"):
            number("Head", "head", screen.config.n_heads)
    help_ = "Shapes on the arrows in the names of the configuration, or in today's numbers."
    st.toggle("Shapes in names", key="symbolic", help=help_)
    measures.choice(screen)


def show(screen: Screen) -> View:
    """Draw the picture with what is known now, and give it; never waits."""
    head, symbolic = st.session_state["head"], st.session_state["symbolic"]
    shown = view(screen, opened(screen), head, symbolic, measures.found(screen))
    clicked = partial(_clicked, screen.config)
    diagram(shown, selected(screen), clicked, _walked, DIAGRAM)
    return shown


def view(
    screen: Screen, path: str, head: int, symbolic: bool, measure: Measure | None = None
) -> View:
    """The picture with the part at ``path`` open, with all that is known of the sentence now."""
    reading = _reading(screen, path, head, measure)
    return View(screen.config, screen.labels, screen.token_ids, path, head, symbolic, reading)


def selected(screen: Screen) -> str:
    """The path of the part to explain; before anything was clicked, what is open."""
    path: str = st.session_state["part"]
    return path or opened(screen) or "blocks"


def follow_up(screen: Screen) -> None:
    """After the picture stands: read the sentence, and draw again with what was measured."""
    is_read = live.ready(screen) is not None
    if not screen.token_ids or (is_read and not measures.is_wanting(screen)):
        return
    trace = live.read(screen)
    if trace is None or live.ready(screen) is None:
        return
    measures.take(screen, trace)
    if not measures.is_wanting(screen):
        st.rerun()


def _clicked(config: GPTConfig, path: str) -> None:
    """Explain a part, and open what it takes to see it from inside."""
    path = "blocks.0" if path == "blocks" else path
    level, (_, now) = level_of(config, path), _asked_for()
    if is_level(config, path) or (level and not f"{now}.".startswith(f"{level}.")):
        _open(level)
    st.session_state["part"] = path
    block, _, inside = path.removeprefix("blocks.").partition(".")
    if block.isdecimal():  # the other pages may have gone to another layer meanwhile
        st.session_state["layer"] = int(block)
    if inside in STATIONS:  # the other pages look at the same place
        st.session_state.update(station=inside, activations_view="station")
    if inside.startswith("attention.core."):
        st.session_state["attention_view"] = "steps"


def _walked(path: str) -> None:
    """Go to a level named above the picture."""
    _open(path)
    st.session_state["part"] = path


def _open(path: str) -> None:
    pieces = path.split(".")
    if pieces[0] == "blocks":
        st.session_state["block"], st.session_state["inside"] = pieces[1], ".".join(pieces[2:])
        st.session_state["layer"] = int(pieces[1])  # the other pages look at the same one
    else:
        st.session_state["block"], st.session_state["inside"] = CLOSED, path


def _select_block() -> None:
    chosen = st.session_state["block"]
    _open("" if chosen == CLOSED else f"blocks.{chosen}")
    st.session_state["part"] = ""


def _reading(screen: Screen, path: str, head: int, measure: Measure | None) -> Reading | None:
    trace = live.ready(screen)
    if trace is None:
        return None
    from gptviz.analysis.next_token import likeliest

    top = likeliest(trace, 5)
    words = screen.tokenizer.labels(map(int, top.token_ids))
    guesses = tuple(zip(words, map(float, top.probabilities), strict=True))
    logits = tuple(float(trace.last_logits[token_id]) for token_id in top.token_ids)
    return Reading(maps_of(trace, path, head), guesses, logits, measure)
