"""What the bird's-eye page shows, and what a click in the picture does."""

from __future__ import annotations

from functools import partial

import streamlit as st

from gptviz.analysis.stations import station_paths
from gptviz.config import GPTConfig
from gptviz.diagram.parts import is_level, level_of
from gptviz.diagram.view import View
from gptviz.ui.birds_eye import course, measures, take_along
from gptviz.ui.birds_eye.diagram import diagram
from gptviz.ui.birds_eye.options import (
    BLOCK,
    CLOSED,
    INSIDE,
    PART,
    STATION_VIEW,
    STEPS_VIEW,
    SYMBOLIC,
)
from gptviz.ui.birds_eye.panel import panel
from gptviz.ui.birds_eye.view import asked_for, opened, selected, view
from gptviz.ui.shell import live, shared
from gptviz.ui.shell.screen import Screen

DIAGRAM = "diagram"


def choices(screen: Screen) -> None:
    """What is open, and how shapes are written."""
    block, head = st.columns(2)
    with block:
        BLOCK.draw(screen, on_change=_select_block)
    with head:
        if opened(screen).endswith(".attention"):
            shared.head(screen)
    SYMBOLIC.draw(screen)
    measures.choice(screen)


def show(screen: Screen) -> None:
    """The picture with what is known now, and beside it all there is to choose; never waits."""
    picture, beside = st.columns([7, 3], gap="medium")
    with picture:
        shown = draw(screen)
    with beside:
        course.offer(screen)
        choices(screen)
        panel(screen, selected(screen))
        take_along.offer(screen, shown)


def draw(screen: Screen) -> View:
    """Draw the picture with what is known now, and give it."""
    head, symbolic = shared.HEAD.value, SYMBOLIC.value
    shown = view(screen, opened(screen), head, symbolic, measures.found(screen))
    clicked = partial(_clicked, screen.config)
    diagram(shown, selected(screen), clicked, _walked, DIAGRAM)
    return shown


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
    level, (_, now) = level_of(config, path), asked_for()
    if is_level(config, path) or (level and not f"{now}.".startswith(f"{level}.")):
        _open(level)
    PART.choose(path)
    block, _, inside = path.removeprefix("blocks.").partition(".")
    if block.isdecimal():  # the other pages may have gone to another layer meanwhile
        shared.LAYER.choose(int(block))
    if inside in station_paths(config):  # the other pages look at the same place
        shared.STATION.choose(inside)
        st.session_state.update(STATION_VIEW)
    if inside.startswith("attention.core."):
        st.session_state.update(STEPS_VIEW)


def _walked(path: str) -> None:
    """Go to a level named above the picture."""
    _open(path)
    PART.choose(path)


def _open(path: str) -> None:
    pieces = path.split(".")
    if pieces[0] == "blocks":
        BLOCK.choose(pieces[1])
        INSIDE.choose(".".join(pieces[2:]))
        shared.LAYER.choose(int(pieces[1]))  # the other pages look at the same one
    else:
        BLOCK.choose(CLOSED)
        INSIDE.choose(path)


def _select_block() -> None:
    chosen = BLOCK.value
    _open("" if chosen == CLOSED else f"blocks.{chosen}")
    PART.choose("")
