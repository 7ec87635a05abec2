"""The sidebar: which model, which configuration, which sentence. All of it stands in the link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from gptviz.config import PRESETS, ConfigError, GPTConfig, valid_widths
from gptviz.tokenizer import Tokenizer
from gptviz.ui.link import linked

CUSTOM = "custom"
TRAINED = "tales"
NAMES = (*PRESETS, CUSTOM)
HELP = {
    "vocab_size": "tokens the model knows",
    "context_length": "tokens it can read at once",
    "emb_dim": "numbers that describe one token",
    "n_heads": "attention heads in each block; they share emb_dim among them",
    "n_layers": "transformer blocks",
    "drop_rate": "share of numbers dropped while training",
    "qkv_bias": "whether query, key and value have a bias",
    "tie_weights": "whether the output head is the token embedding, used again",
}
FIELDS = tuple(HELP)
FREE_FIELDS = ("drop_rate",)  # no weight depends on them
IN_THE_LINK = ("model", *FIELDS, "seed", "text", "block", "layer", "head", "station")

TEXT = (
    "Once upon a time there was a dear little girl who was loved by everyone who looked at her, "
    "but most of all by her"
)
LONGEST_TEXT_IN_LINK = 2000  # characters; servers refuse very long addresses


@dataclass(frozen=True)
class Screen:
    """What all pages look at: one model, one configuration, one sentence.

    Args:
        model: a preset's name, or ``"custom"``.
        seed: where random weights start; of no effect on the trained model.
        token_ids, labels: the sentence, at most ``context_length`` tokens of it.
        problem: why ``config`` is not what the fields say; empty if it is.
    """

    model: str
    config: GPTConfig
    seed: int
    token_ids: tuple[int, ...]
    labels: tuple[str, ...]
    problem: str

    @property
    def is_trained(self) -> bool:
        return self.model == TRAINED

    @property
    def source(self) -> str | GPTConfig:
        """What to load: a trained model by its name, any other by its configuration."""
        return self.model if self.is_trained else self.config

    @property
    def title(self) -> str:
        """The model's name and where its weights come from."""
        if self.is_trained:
            return f"{self.model}, trained"
        return f"{self.model}, random weights (seed {self.seed})"


def controls() -> Screen:
    """Draw the sidebar's controls and read them."""
    _settle()
    name = linked(st.selectbox, "Model", NAMES, key="model", on_change=_note, args=("model",))
    st.caption(_weights(name))
    _way_back(name)
    text = _sentence()
    config, problem = _configuration(PRESETS.get(name, GPTConfig()))
    _correct_name(name, config)
    seed = 123 if name == TRAINED else _seed()
    ids = Tokenizer(config.vocab_size).encode(text)
    if len(ids) > config.context_length:
        st.info(
            f"The sentence has {len(ids):,} tokens; the model reads the first "
            f"{config.context_length:,} (context_length)."
        )
        ids = ids[: config.context_length]
    labels = Tokenizer(config.vocab_size).labels(ids)
    return Screen(name, config, seed, tuple(ids), tuple(labels), problem)


def _weights(name: str) -> str:
    if name == TRAINED:
        return "Small, and trained on children's tales: it ships with gptviz."
    return "Its structure, with random weights: it has learned nothing yet."


def _sentence() -> str:
    fits = len(st.session_state.get("text", "")) <= LONGEST_TEXT_IN_LINK
    if fits and not st.session_state.get("text_in_link", True):
        st.session_state["text"] = st.session_state["text"]  # written anew: back into the link
    st.session_state["text_in_link"] = fits
    return linked(
        st.text_area,
        "Sentence",
        TEXT,
        key="text",
        height=130,
        bind="query-params" if fits else None,
        help="What the model reads. The pictures show these tokens.",
    )


def _seed() -> int:
    help_ = "Where the random weights start: the same seed gives the same model."
    return linked(st.number_input, "seed", 0, 2**31 - 1, 123, key="seed", help=help_)


def _configuration(base: GPTConfig) -> tuple[GPTConfig, str]:
    """The fields' configuration; where they don't go together, the last that did, and why."""
    st.caption("Configuration")
    _field(st.number_input, "vocab_size", base, 257, 200_000, 1)
    _field(st.number_input, "context_length", base, 1, 16_384, 1)
    step = st.session_state.get("n_heads", base.n_heads)  # so that + and - stay divisible
    _field(st.number_input, "emb_dim", base, 1, 16_384, step)
    _field(st.slider, "n_heads", base, 1, 128, 1)
    way_out = st.container()
    _field(st.slider, "n_layers", base, 1, 128, 1)
    _field(st.slider, "drop_rate", base, 0.0, 0.9, 0.05)
    _field(st.toggle, "qkv_bias", base)
    _field(st.toggle, "tie_weights", base)
    values = {field: st.session_state[field] for field in FIELDS}
    try:
        config = GPTConfig(**values)
    except ConfigError as error:
        with way_out:
            _offer_widths(error, values)
        last: GPTConfig = st.session_state.get("last_config", base)
        return last, f"{error}. The pictures show the last configuration that works."
    st.session_state["last_config"] = config
    return config, ""


def _field(control: Callable[..., Any], field: str, base: GPTConfig, *limits: Any) -> None:
    """One field's control; ``limits`` are the least, the most and the step."""
    least, most, step = limits or (None, None, None)
    value = getattr(base, field)
    values = (least, most, value, step) if limits else (value,)
    linked(control, field, *values, key=field, help=HELP[field], on_change=_note, args=(field,))


def _offer_widths(error: ConfigError, values: dict[str, Any]) -> None:
    """Say what is wrong, and offer the neighbours that work."""
    st.error(str(error))
    for width in valid_widths(values["emb_dim"], values["n_heads"]):
        st.button(f"emb_dim = {width}", on_click=_set, args=("emb_dim", width), width="stretch")


def _set(field: str, value: Any) -> None:
    st.session_state[field] = value
    _note(field)


def _note(name: str) -> None:
    """Remember which control was moved, for ``_settle``."""
    st.session_state.setdefault("moved", set()).add(name)


def _settle() -> None:
    """Bring model and fields together after one of them was moved.

    Two quick steps of a slider reach the server as two runs, and the second still brings the model
    that the first one left: it looks as if a person had chosen it again. So a moved field counts
    for more than a moved model, and both are looked at together, here, and not each on its own.
    """
    moved: set[str] = st.session_state.pop("moved", set())
    fields = [field for field in FIELDS if field in moved]
    if fields:
        _leave_preset(fields)
    elif "model" in moved:
        _take_preset()


def _take_preset() -> None:
    """A model was chosen: its numbers go into the fields."""
    preset = PRESETS.get(st.session_state["model"])
    for field in FIELDS:
        st.session_state[field] = getattr(preset, field) if preset else st.session_state[field]
    st.session_state.pop("left", None)


def _leave_preset(moved: list[str]) -> None:
    """Fields were moved: if the weights depend on one, this is no longer the chosen model."""
    name = st.session_state["model"]
    preset = PRESETS.get(name)
    lost = [field for field in moved if field not in FREE_FIELDS]
    if preset is None or all(st.session_state[f] == getattr(preset, f) for f in lost):
        return
    st.session_state["left"] = (name, lost[0])
    st.session_state["model"] = CUSTOM
    for field in FIELDS:  # written anew, so that the link has all of them
        st.session_state[field] = st.session_state[field]


def _correct_name(name: str, config: GPTConfig) -> None:
    """A link can name a model together with a configuration that is not the model's."""
    preset = PRESETS.get(name, config)
    wrong = [f for f in FIELDS if getattr(config, f) != getattr(preset, f)]
    if set(wrong) - set(FREE_FIELDS):
        st.session_state["moved"] = set(wrong)
        st.rerun()


def _way_back(name: str) -> None:
    left = st.session_state.get("left")
    if name != CUSTOM or left is None:
        return
    preset, field = left
    weights = "its trained weights" if preset == TRAINED else "its weights"
    st.info(
        f"{field} changed, and {weights} no longer fit: the model is now custom, with random ones."
    )
    st.button(f"Back to {preset}", on_click=return_to, args=(preset,), width="stretch")


def return_to(preset: str) -> None:
    """Choose a preset, as a person would in the selector."""
    st.session_state["model"] = preset
    _take_preset()
