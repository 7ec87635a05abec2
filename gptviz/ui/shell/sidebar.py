"""The sidebar: model, sentence, what is built, and the configuration's fields."""

from __future__ import annotations

from typing import Any

import streamlit as st

from gptviz.config import ABOUT, valid_widths
from gptviz.ui.shell import sentence, stages
from gptviz.ui.shell.fields import FIELD, MASK_SEED, MODEL, SEED, TRAIN, note, return_to
from gptviz.ui.shell.screen import CUSTOM, TRAINED, Screen


def show(screen: Screen) -> None:
    """Draw the controls."""
    MODEL.draw(screen, on_change=note, args=("model",))
    st.caption(_weights(screen.model))
    _way_back(screen.model)
    sentence.show(screen)
    stages.show(screen, note)
    _fields(screen)
    if not screen.is_trained:
        SEED.draw(screen)


def _weights(name: str) -> str:
    if name == TRAINED:
        return (
            "Small, and trained: on children's tales and, for a sixth of its rows, on synthetic "
            "sequences. It ships with gptviz."
        )
    return "Its structure, with random weights: it has learned nothing yet."


def _fields(screen: Screen) -> None:
    st.caption("Configuration")
    _field(screen, "vocab_size")
    _field(screen, "context_length")
    _field(screen, "emb_dim", step=FIELD["n_heads"].value)  # + and - stay divisible
    _field(screen, "n_heads")
    if screen.problem:
        _offer_widths(screen.problem)
    _field(screen, "head_dim")
    _field(screen, "n_layers")
    _field(screen, "ff_dim")
    _field(screen, "drop_rate")
    _train_mode(screen)
    _field(screen, "qkv_bias")
    _field(screen, "tie_weights")


def _train_mode(screen: Screen) -> None:
    if not TRAIN.draw(screen):
        return
    if FIELD["drop_rate"].value:
        MASK_SEED.draw(screen)
    else:
        st.caption("drop_rate is 0: there is nothing to drop.")


def _field(screen: Screen, name: str, step: float | None = None) -> None:
    """One field's control; numbers have a step."""
    how: dict[str, Any] = {} if ABOUT[name].step is None else {"step": step or ABOUT[name].step}
    FIELD[name].draw(screen, on_change=note, args=(name,), **how)


def _offer_widths(problem: str) -> None:
    """Say what is wrong, and offer the neighbours that work."""
    st.error(problem)
    for width in valid_widths(FIELD["emb_dim"].value, FIELD["n_heads"].value):
        st.button(f"emb_dim = {width}", on_click=_set, args=("emb_dim", width), width="stretch")


def _set(name: str, value: Any) -> None:
    FIELD[name].choose(value)
    note(name)


def _way_back(name: str) -> None:
    left = st.session_state.get("left")
    if name != CUSTOM or left is None:
        return
    preset, field = left
    weights = "its trained weights" if preset == TRAINED else "its weights"
    what = "What is built" if field in stages.SWITCH else field
    st.info(
        f"{what} changed, and {weights} no longer fit: the model is now custom, with random ones."
    )
    st.button(f"Back to {preset}", on_click=return_to, args=(preset,), width="stretch")
