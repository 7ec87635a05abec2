"""All heads side by side: what each does, as a number, beside what chance gives."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from gptviz.defaults import SEED
from gptviz.tracing.passes import ModelKey, Pass
from gptviz.ui.attention.heads import grid
from gptviz.ui.attention.options import MEASURE, MEASURED_ON
from gptviz.ui.attention.table import definitions, every_head
from gptviz.ui.shell import live
from gptviz.ui.shell.screen import Screen

if TYPE_CHECKING:
    from gptviz.analysis.heads import HeadMeasure

SPAN = 32  # random tokens, which then come again


def show(screen: Screen) -> None:
    """A measure of every head as a picture, and all measures as a table."""
    from gptviz.analysis.heads import MEASURE_OF, MEASURES

    st.subheader("What does each head do?", anchor=False)
    on = MEASURED_ON.draw(screen)
    key = replace(MEASURE, words=lambda key: MEASURE_OF[key].name).draw(screen)
    measure, place = MEASURE_OF[key], MEASURES.index(MEASURE_OF[key])
    st.caption(f"{measure.definition} In {_unit(measure)}. Source: {measure.source}.")
    found = _measured(screen, on)
    if found is None:
        return
    values, chance = found
    if np.isnan(values[place]).any():
        st.info(_why_not(measure))
    else:
        _pictures(measure, values[place], None if chance is None else chance[place])
    every_head(screen, measure, values, chance, place)
    definitions(values, chance)


def _unit(measure: HeadMeasure) -> str:
    return {"weight": "shares from 0 to 1", "tokens": "tokens", "bits": "bits"}[measure.unit]


def _why_not(measure: HeadMeasure) -> str:
    if measure.needs_repeats:
        return (
            "No token of the sentence comes back later, so there is nothing to measure: choose "
            "the random tokens, or type a sentence with a word in it twice."
        )
    return "One token has none before it to look at: type a longer sentence."


def _measured(screen: Screen, on: str) -> tuple[np.ndarray, np.ndarray | None] | None:
    """All measures of all heads, and a random model's where this one is trained."""
    ids = screen.token_ids
    if on == "repeats":
        from gptviz.analysis.heads import repeated_tokens

        span = min(SPAN, screen.config.context_length // 2)
        if span < 2:
            st.info("context_length is too short for two tokens, twice: it takes 4.")
            return None
        ids = tuple(repeated_tokens(screen.config.vocab_size, span))
        st.caption(
            f"Read instead of the sentence: {span} random tokens, then the same again. They mean "
            "nothing, so a head can only go by which token stood where."
        )
    of = replace(screen.of, ids=ids)
    own = _of_pass(screen, of)
    if not screen.is_trained:
        st.caption("These weights are random themselves: what you see is what chance gives.")
        return own, None
    return own, _of_pass(screen, replace(of, model=ModelKey(screen.config, SEED)))


def _of_pass(screen: Screen, of: Pass) -> np.ndarray:
    """All measures of all heads in a pass, made once."""

    def make() -> np.ndarray:
        from gptviz.analysis.heads import measured

        read = live.another(screen, of)
        return measured(read, before_each=live.stop_if_stale)

    return live.once(of, "measures", make)


def _pictures(measure: HeadMeasure, values: np.ndarray, chance: np.ndarray | None) -> None:
    """The measure of every head, and of a random model's heads in the same colours."""
    what = f"{measure.name}, {measure.unit}"
    most = float(values.max() if chance is None else max(values.max(), chance.max()))
    if chance is None:
        grid(values, what, most, "measure_grid")
        return
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**This model**")
        grid(values, what, most, "measure_grid")
    with right:
        st.markdown("**A random model of the same shape**")
        grid(chance, what, most, "random_grid")
    st.caption(_rule(measure, values, chance))


def _rule(measure: HeadMeasure, values: np.ndarray, chance: np.ndarray) -> str:
    """When a head is called by this measure, and how many are."""
    from gptviz.analysis.heads import THRESHOLD, TIMES_RANDOM

    said = (
        f"The random model reads the same input (seed {SEED}); its heads are between "
        f"{chance.min():.3f} and {chance.max():.3f}, this model's between {values.min():.3f} and "
        f"{values.max():.3f}."
    )
    if not measure.head_name:
        return said
    count = int(measure.is_called(values, chance).sum())
    verb = "so is" if count == 1 else "so are"
    return (
        f"{said} A head is called “{measure.head_name}” if it has more than {THRESHOLD} here, and "
        f"more than {TIMES_RANDOM} times the random model's largest "
        f"({TIMES_RANDOM * chance.max():.3f}): {verb} {count} of {values.size}."
    )
