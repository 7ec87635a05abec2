"""The sidebar's course: how much of the GPT is built, by stage or part by part."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from gptviz.config import GPTConfig
from gptviz.ui.shell.options import EITHER, Choice, toggle
from gptviz.ui.shell.screen import Screen
from gptviz.words.course import STAGES, placeholders_at, stage_of

MIX = 0  # in place of a stage's number


def _switch(part: str, label: str) -> Choice:
    return Choice(part, partial(_has, part), EITHER, label, widget=toggle)


def _has(part: str, config: GPTConfig, _n_tokens: int) -> bool:
    return config.has(part)


SWITCH = {
    "norm": _switch("norm", "layer norm"),
    "attention": _switch("attention", "attention"),
    "feed_forward": _switch("feed_forward", "feed-forward"),
    "shortcut": _switch("shortcut", "shortcuts"),
}

HELP = "One part is added at each stage, in the lecture's order. All stages really run.\n\n"
HELP += "\n".join(f"{n}. **{stage.name}.** {stage.what}" for n, stage in enumerate(STAGES, 1))


def placeholders() -> frozenset[str]:
    """The parts that are switched off."""
    return frozenset(part for part, switch in SWITCH.items() if not switch.value)


def current_stage() -> int:
    """The stage that the switches make, counted from 1; ``MIX`` for a mix of one's own."""
    return stage_of(placeholders()) or MIX


def take_chosen_stage(moved: set[str]) -> None:
    """If a stage was chosen, it sets the switches.

    Where a switch was moved too, the switch counts: the browser may still send the stage that was
    there before it (see ``fields``).
    """
    if "stage" in moved and not moved & set(SWITCH) and st.session_state["stage"] != MIX:
        left_out = placeholders_at(st.session_state["stage"])
        for part, switch in SWITCH.items():
            switch.choose(part not in left_out)


def name(stage: int) -> str:
    """A stage's number and name."""
    return f"{stage} · {STAGES[stage - 1].name}" if stage != MIX else "A mix of your own"


def show(screen: Screen, note: Callable[[str], None]) -> None:
    """Draw the stage and the switches; ``note`` is told which one was moved."""
    stage = st.session_state["stage"] = current_stage()
    options = [*range(1, len(STAGES) + 1), *([MIX] if stage == MIX else [])]
    st.selectbox(
        "Built so far",
        options,
        key="stage",
        format_func=name,
        help=HELP,
        on_change=note,
        args=("stage",),
    )
    columns = st.columns([5, 4], gap=None)  # the left words are longer
    for place, (part, switch) in enumerate(SWITCH.items()):
        with columns[place % 2]:
            switch.draw(screen, on_change=note, args=(part,))
    if stage != MIX:
        st.caption(STAGES[stage - 1].what)
