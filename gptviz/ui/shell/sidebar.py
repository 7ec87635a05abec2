"""The sidebar: which model, which configuration, which sentence. All of it stands in the link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from gptviz.config import ABOUT, ConfigError, Dropout, GPTConfig, valid_widths
from gptviz.defaults import MODEL, SEED, TEXT
from gptviz.presets import PRESETS
from gptviz.tokenizer import MIN_VOCAB_SIZE, Tokenizer
from gptviz.tracing.passes import ModelKey, Pass
from gptviz.ui.shell import sentence, stages
from gptviz.ui.shell.link import arrives, take

CUSTOM = "custom"
TRAINED = MODEL
NAMES = (*PRESETS, CUSTOM)
FIELDS = tuple(ABOUT)
FREE_FIELDS = ("drop_rate",)  # no weight depends on them
LIMITS: dict[str, tuple[Any, Any]] = {  # least, most
    **{name: (about.least, about.most) for name, about in ABOUT.items()},
    "seed": (0, 2**31 - 1),
    "train": (False, True),
    "mask_seed": (0, 2**31 - 1),
    **dict.fromkeys(stages.PARTS, (False, True)),
}

_OF_THE_PASS = {"seed": SEED, "train": False, "mask_seed": SEED}


@dataclass(frozen=True)
class Screen:
    """What all pages look at: one model, one configuration, one sentence.

    Args:
        model: a preset's name, or ``"custom"``.
        seed: where random weights start; of no effect on the trained model.
        token_ids, labels: the sentence, at most ``context_length`` tokens of it.
        sentence_length: how many tokens all of it has.
        problem: why ``config`` is not what the fields say; empty if it is.
        dropout: what the pass drops (train mode); None in eval mode.
    """

    model: str
    config: GPTConfig
    seed: int
    token_ids: tuple[int, ...]
    labels: tuple[str, ...]
    sentence_length: int
    problem: str
    dropout: Dropout | None

    @property
    def is_trained(self) -> bool:
        return self.model == TRAINED

    @property
    def source(self) -> str | GPTConfig:
        """What to load: a trained model by its name, any other by its configuration."""
        return self.model if self.is_trained else self.config

    @property
    def key(self) -> ModelKey:
        """Which model it is."""
        return ModelKey(self.source, self.seed)

    @property
    def of(self) -> Pass:
        """The pass that all pages look at."""
        return Pass(self.key, self.token_ids, self.dropout)

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer.

        Raises:
            ValueError: if the vocabulary is too small for one: then there are no ``token_ids``.
        """
        return Tokenizer(self.config.vocab_size)

    @property
    def title(self) -> str:
        """The model's name and where its weights come from."""
        if self.is_trained:
            return f"{self.model}, trained"
        return f"{self.model}, random weights (seed {self.seed})"


def settle() -> dict[str, Any]:
    """Bring link, model and fields together before anything is drawn; gives their defaults."""
    if arrives():  # what was there before is no model of this link's
        st.session_state.pop("last_config", None)
        st.session_state.pop("left", None)
    _take_chosen_preset()
    stages.take_chosen_stage(st.session_state.get("moved", set()))
    name = take("model", TRAINED, NAMES.__contains__)
    sentence.settle()
    for key, value in _OF_THE_PASS.items():
        take(key, value, partial(within, key))
    for field, value in _defaults(name).items():
        take(field, value, partial(within, field))
    _leave_preset(name)
    name = st.session_state["model"]
    return {"model": TRAINED, "text": TEXT, **_OF_THE_PASS, **_defaults(name)}


def read() -> Screen:
    """What the controls say; they need not be drawn yet, but ``settle`` comes first."""
    name = st.session_state["model"]
    config, problem = _configuration()
    seed = SEED if name == TRAINED else st.session_state["seed"]
    ids, labels = _cut(config)
    read_ids = ids[: config.context_length]
    return Screen(name, config, seed, read_ids, labels, len(ids), problem, _dropout(config))


def _cut(config: GPTConfig) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The sentence's tokens, and labels of those that are read; none where none can be had."""
    if config.vocab_size < MIN_VOCAB_SIZE:
        return (), ()
    tokenizer = Tokenizer(config.vocab_size)
    ids = tokenizer.encode(st.session_state["text"])
    return tuple(ids), tuple(tokenizer.labels(ids[: config.context_length]))


def _dropout(config: GPTConfig) -> Dropout | None:
    if not st.session_state["train"] or not config.drop_rate:
        return None
    return Dropout(config.drop_rate, st.session_state["mask_seed"])


def _configuration() -> tuple[GPTConfig, str]:
    """The fields' configuration; where they don't go together, the last that did, and why."""
    fields = {field: st.session_state[field] for field in FIELDS}
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
    return {"emb_dim": valid_widths(st.session_state["emb_dim"], st.session_state["n_heads"])[0]}


def show(screen: Screen) -> None:
    """Draw the controls."""
    st.selectbox("Model", NAMES, key="model", on_change=_note, args=("model",))
    st.caption(_weights(screen.model))
    _way_back(screen.model)
    sentence.show(screen)
    stages.show(_note)
    _fields(screen.problem)
    if not screen.is_trained:
        _seed()


def _weights(name: str) -> str:
    if name == TRAINED:
        return (
            "Small, and trained: on children's tales and, for a sixth of its rows, on synthetic "
            "sequences. It ships with gptviz."
        )
    return "Its structure, with random weights: it has learned nothing yet."


def _seed() -> None:
    help_ = "Where the random weights start: the same seed gives the same model."
    st.number_input("seed", *LIMITS["seed"], step=1, key="seed", help=help_)


def _fields(problem: str) -> None:
    st.caption("Configuration")
    _field(st.number_input, "vocab_size")
    _field(st.number_input, "context_length")
    _field(st.number_input, "emb_dim", st.session_state["n_heads"])  # + and - stay divisible
    _field(st.slider, "n_heads")
    if problem:
        _offer_widths(problem)
    _field(st.number_input, "head_dim")
    _field(st.slider, "n_layers")
    _field(st.number_input, "ff_dim")
    _field(st.slider, "drop_rate")
    _train_mode()
    _field(st.toggle, "qkv_bias")
    _field(st.toggle, "tie_weights")


def _train_mode() -> None:
    help_ = "As while training: random numbers are set to 0, the rest enlarged. Off when reading."
    if not st.toggle("dropout on (train mode)", key="train", help=help_):
        return
    if st.session_state["drop_rate"]:
        help_ = "Which numbers are dropped: the same seed drops the same ones."
        st.number_input(
            "seed of the masks", *LIMITS["mask_seed"], step=1, key="mask_seed", help=help_
        )
    else:
        st.caption("drop_rate is 0: there is nothing to drop.")


def _field(control: Callable[..., Any], field: str, step: float | None = None) -> None:
    """One field's control; numbers have limits and a step."""
    about = ABOUT[field]
    limits = () if about.step is None else LIMITS[field]
    options = {} if about.step is None else {"step": step or about.step}
    control(field, *limits, key=field, help=about.help, on_change=_note, args=(field,), **options)


def _offer_widths(problem: str) -> None:
    """Say what is wrong, and offer the neighbours that work."""
    st.error(problem)
    for width in valid_widths(st.session_state["emb_dim"], st.session_state["n_heads"]):
        st.button(f"emb_dim = {width}", on_click=_set, args=("emb_dim", width), width="stretch")


def _set(field: str, value: Any) -> None:
    st.session_state[field] = value
    _note(field)


def _note(name: str) -> None:
    """Remember which control was moved, for the next ``settle``."""
    st.session_state.setdefault("moved", set()).add(name)


def _defaults(name: str) -> dict[str, Any]:
    """The fields of the model of this name, or where a custom one begins."""
    config = PRESETS.get(name, GPTConfig())
    return {field: config.given(field) for field in FIELDS} | stages.switches(config)


def within(field: str, value: Any) -> bool:
    """Whether the sidebar can show this value of a field."""
    least, most = LIMITS[field]
    return bool(least <= value <= most)


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
    if (name := st.session_state["model"]) != CUSTOM:
        st.session_state.update(_defaults(name))
    st.session_state.pop("left", None)


def _leave_preset(name: str) -> None:
    """If a field that the weights depend on is not the model's own, the model is custom."""
    moved = st.session_state.pop("moved", set())
    own = _defaults(name)
    lost = [f for f in own if f not in FREE_FIELDS and st.session_state[f] != own[f]]
    if name != CUSTOM and lost:
        named = next((field for field in lost if field in moved), lost[0])
        st.session_state["left"] = (name, named)
        st.session_state["model"] = CUSTOM


def _way_back(name: str) -> None:
    left = st.session_state.get("left")
    if name != CUSTOM or left is None:
        return
    preset, field = left
    weights = "its trained weights" if preset == TRAINED else "its weights"
    what = "What is built" if field in stages.PARTS else field
    st.info(
        f"{what} changed, and {weights} no longer fit: the model is now custom, with random ones."
    )
    st.button(f"Back to {preset}", on_click=return_to, args=(preset,), width="stretch")


def return_to(preset: str) -> None:
    """Choose a preset, as a person would in the selector."""
    st.session_state["model"] = preset
    _take_preset()


def go_to_stage(stage: int) -> None:
    """Choose a stage of the course, as a person would in the selector."""
    st.session_state["stage"] = stage
    _note("stage")
