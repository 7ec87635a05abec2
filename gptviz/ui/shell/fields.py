"""The sidebar's choices, and how link, model and fields are brought together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from gptviz import defaults
from gptviz.config import ABOUT, ConfigError, Dropout, GPTConfig, valid_widths
from gptviz.presets import PRESETS
from gptviz.tokenizer import MIN_VOCAB_SIZE, Tokenizer
from gptviz.ui.shell import sentence, stages
from gptviz.ui.shell.link import arrives
from gptviz.ui.shell.options import EITHER, Between, Choice, number, slider, toggle
from gptviz.ui.shell.screen import CUSTOM, TRAINED, Screen

NAMES = (*PRESETS, CUSTOM)
FIELDS = tuple(ABOUT)
FREE_FIELDS = ("drop_rate",)  # no weight depends on them
SLID = ("n_heads", "n_layers", "drop_rate")
SEEDS = Between(0, 2**31 - 1)

MODEL = Choice("model", TRAINED, NAMES, "Model")


def _field(name: str) -> Choice:
    about = ABOUT[name]
    widget: Callable[..., Any] = slider if name in SLID else number
    if about.step is None:
        widget = toggle
    return Choice(name, partial(_given, name), _offered(name), name, about.help, widget=widget)


def _offered(name: str) -> Sequence[Any]:
    about = ABOUT[name]
    return EITHER if about.step is None else Between(about.least, about.most)


def _given(name: str, config: GPTConfig, _n_tokens: int) -> Any:
    return config.given(name)


FIELD = {name: _field(name) for name in FIELDS}
SEED = Choice(
    "seed",
    defaults.SEED,
    SEEDS,
    "seed",
    "Where the random weights start: the same seed gives the same model.",
    widget=number,
)
TRAIN = Choice(
    "train",
    False,
    EITHER,
    "dropout on (train mode)",
    "As while training: random numbers are set to 0, the rest enlarged. Off when reading.",
    widget=toggle,
)
MASK_SEED = Choice(
    "mask_seed",
    defaults.SEED,
    SEEDS,
    "seed of the masks",
    "Which numbers are dropped: the same seed drops the same ones.",
    widget=number,
)
OF_THE_MODEL = (*FIELD.values(), *stages.SWITCH.values())
CHOICES = (MODEL, sentence.SENTENCE, SEED, TRAIN, MASK_SEED, *OF_THE_MODEL)


def within(name: str, value: Any) -> bool:
    """Whether the sidebar can show this value of a field."""
    return value in _offered(name)


def settle() -> dict[str, Any]:
    """Bring link, model and fields together before anything is drawn; gives their defaults."""
    if arrives():  # what was there before is no model of this link's
        st.session_state.pop("last_config", None)
        st.session_state.pop("left", None)
    _take_chosen_preset()
    stages.take_chosen_stage(st.session_state.get("moved", set()))
    model, *others = CHOICES
    model.settle(GPTConfig(), 0)
    name = MODEL.value
    for choice in others:
        choice.settle(_start(name), 0)
    sentence.cut()
    _leave_preset(name)
    return _defaults(CHOICES, MODEL.value)


def read() -> Screen:
    """What the controls say; they need not be drawn yet, but ``settle`` comes first."""
    name = MODEL.value
    config, problem = _configuration()
    seed = defaults.SEED if name == TRAINED else SEED.value
    ids, labels = _cut(config)
    read_ids = ids[: config.context_length]
    return Screen(name, config, seed, read_ids, labels, len(ids), problem, _dropout(config))


def _cut(config: GPTConfig) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The sentence's tokens, and labels of those that are read; none where none can be had."""
    if config.vocab_size < MIN_VOCAB_SIZE:
        return (), ()
    tokenizer = Tokenizer(config.vocab_size)
    ids = tokenizer.encode(sentence.SENTENCE.value)
    return tuple(ids), tuple(tokenizer.labels(ids[: config.context_length]))


def _dropout(config: GPTConfig) -> Dropout | None:
    if not TRAIN.value or not config.drop_rate:
        return None
    return Dropout(config.drop_rate, MASK_SEED.value)


def _configuration() -> tuple[GPTConfig, str]:
    """The fields' configuration; where they don't go together, the last that did, and why."""
    fields = {field: choice.value for field, choice in FIELD.items()}
    build = partial(GPTConfig, placeholders=stages.placeholders())
    try:
        config, problem = build(**fields), ""
    except ConfigError as error:
        config = st.session_state.get("last_config") or build(**fields | _going_together())
        problem = str(error)
    st.session_state["last_config"] = config
    return config, problem


def _going_together() -> dict[str, int]:
    """Width and heads for fields that never went together: a link brought them.

    They are those of the model that the link names, or the nearest width to that of one's own.
    """
    if left := st.session_state.get("left"):
        own = PRESETS[left[0]]
        return {"emb_dim": own.emb_dim, "n_heads": own.n_heads}
    return {"emb_dim": valid_widths(FIELD["emb_dim"].value, FIELD["n_heads"].value)[0]}


def _start(name: str) -> GPTConfig:
    """The configuration of the model of this name, or where a custom one begins."""
    return PRESETS.get(name, GPTConfig())


def _defaults(choices: Iterable[Choice], name: str) -> dict[str, Any]:
    """What choices are where the model of this name begins."""
    return {choice.key: choice.default_of(_start(name), 0) for choice in choices}


def _take_chosen_preset() -> None:
    """If a model was chosen, its numbers go into the fields.

    Two quick steps of a slider reach the server as two runs, and the second still brings the model
    that the first one left: it looks as if a person had chosen it again. So where a field was moved
    too, the field counts.
    """
    moved = st.session_state.get("moved", set())
    if moved == {"model"}:
        _take_preset()


def _take_preset() -> None:
    if (name := MODEL.value) != CUSTOM:
        st.session_state.update(_defaults(OF_THE_MODEL, name))
    st.session_state.pop("left", None)


def _leave_preset(name: str) -> None:
    """If a field that the weights depend on is not the model's own, the model is custom."""
    moved = st.session_state.pop("moved", set())
    own = _defaults(OF_THE_MODEL, name)
    lost = [f for f in own if f not in FREE_FIELDS and st.session_state[f] != own[f]]
    if name != CUSTOM and lost:
        named = next((field for field in lost if field in moved), lost[0])
        st.session_state["left"] = (name, named)
        MODEL.choose(CUSTOM)


def return_to(preset: str) -> None:
    """Choose a preset, as a person would in the selector."""
    MODEL.choose(preset)
    _take_preset()


def go_to_stage(stage: int) -> None:
    """Choose a stage of the course, as a person would in the selector."""
    st.session_state["stage"] = stage
    note("stage")


def note(name: str) -> None:
    """Remember which control was moved, for the next ``settle``."""
    st.session_state.setdefault("moved", set()).add(name)
