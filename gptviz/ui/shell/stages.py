"""The sidebar's course: how much of the GPT is built, by stage or part by part."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from gptviz.config import GPTConfig
from gptviz.course import STAGES, placeholders_at, stage_of

MIX = 0  # in place of a stage's number
PARTS = {  # each has a switch, under its name as the key
    "norm": "layer norm",
    "attention": "attention",
    "feed_forward": "feed-forward",
    "shortcut": "shortcuts",
}

HELP = "One part is added at each stage, in the lecture's order. All stages really run.\n\n"
HELP += "\n".join(f"{n}. **{stage.name}.** {stage.what}" for n, stage in enumerate(STAGES, 1))


def switches(config: GPTConfig) -> dict[str, bool]:
    """What the switches say for a configuration."""
    return {part: config.has(part) for part in PARTS}


def placeholders() -> frozenset[str]:
    """The parts that are switched off."""
    return frozenset(part for part in PARTS if not st.session_state[part])


def current_stage() -> int:
    """The stage that the switches make, counted from 1; ``MIX`` for a mix of one's own."""
    return stage_of(placeholders()) or MIX


def take_chosen_stage(moved: set[str]) -> None:
    """If a stage was chosen, it sets the switches.

    Where a switch was moved too, the switch counts: the browser may still send the stage that was
    there before it (see ``controls``).
    """
    if "stage" in moved and not moved & set(PARTS) and st.session_state["stage"] != MIX:
        left_out = placeholders_at(st.session_state["stage"])
        st.session_state.update({part: part not in left_out for part in PARTS})


def name(stage: int) -> str:
    """A stage's number and name."""
    return f"{stage} · {STAGES[stage - 1].name}" if stage != MIX else "A mix of your own"


def show(note: Callable[[str], None]) -> None:
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
    for place, (part, words) in enumerate(PARTS.items()):
        columns[place % 2].toggle(words, key=part, on_change=note, args=(part,))
    if stage != MIX:
        st.caption(STAGES[stage - 1].what)
