"""The sidebar: which model, which configuration, which sentence. All of it stands in the link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from gptviz.config import PRESETS, ConfigError, GPTConfig, valid_widths
from gptviz.tokenizer import Tokenizer

CUSTOM = "custom"
TRAINED = "tales"
NAMES = (*PRESETS, CUSTOM)
FIELDS = (
    "vocab_size",
    "context_length",
    "emb_dim",
    "n_heads",
    "n_layers",
    "drop_rate",
    "qkv_bias",
    "tie_weights",
)
FREE_FIELDS = ("drop_rate",)  # no weight depends on them
IN_THE_LINK = ("model", *FIELDS, "seed", "text", "block", "layer", "head", "station", "part")

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
    """

    model: str
    config: GPTConfig
    seed: int
    token_ids: tuple[int, ...]
    labels: tuple[str, ...]

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
    name = st.selectbox(
        "Model",
        NAMES,
        key="model",
        bind="query-params",
        persist_state="session",
        on_change=_take_preset,
    )
    st.caption(_weights(name))
    _way_back(name)
    text = _sentence()
    config = _configuration(PRESETS.get(name, GPTConfig()))
    seed = 123 if name == TRAINED else _seed()
    ids = Tokenizer(config.vocab_size).encode(text)
    if len(ids) > config.context_length:
        st.info(
            f"The sentence has {len(ids):,} tokens; the model reads the first "
            f"{config.context_length:,} (context_length)."
        )
        ids = ids[: config.context_length]
    labels = Tokenizer(config.vocab_size).labels(ids)
    return Screen(name, config, seed, tuple(ids), tuple(labels))


def _weights(name: str) -> str:
    if name == TRAINED:
        return "Small, and trained on children's tales: it ships with gptviz."
    return "Its structure, with random weights: it has learned nothing yet."


def _sentence() -> str:
    linked = len(st.session_state.get("text", "")) <= LONGEST_TEXT_IN_LINK
    return st.text_area(
        "Sentence",
        TEXT,
        height=110,
        key="text",
        bind="query-params" if linked else None,
        persist_state="session",
        help="What the model reads. The pictures show these tokens.",
    )


def _seed() -> int:
    return st.number_input(
        "seed",
        0,
        2**31 - 1,
        123,
        key="seed",
        bind="query-params",
        persist_state="session",
        help="Where the random weights start: the same seed gives the same model.",
    )


def _configuration(base: GPTConfig) -> GPTConfig:
    st.caption("Configuration")
    _number("vocab_size", base, 257, 200_000, 1, "tokens the model knows")
    _number("context_length", base, 1, 16_384, 1, "tokens it can read at once")
    n_heads = st.session_state.get("n_heads", base.n_heads)
    _number("emb_dim", base, 1, 16_384, n_heads, "numbers that describe one token")
    _slider("n_heads", base, 1, 128, 1, "attention heads in each block")
    _slider("n_layers", base, 1, 128, 1, "transformer blocks")
    _slider("drop_rate", base, 0.0, 0.9, 0.05, "share of numbers dropped while training")
    _toggle("qkv_bias", base, "query, key and value have a bias")
    _toggle("tie_weights", base, "the output head is the token embedding, used again")
    values = {field: st.session_state[field] for field in FIELDS}
    try:
        config = GPTConfig(**values)
    except ConfigError as error:
        return _explained(error, values, base)
    st.session_state["last_config"] = config
    return config


def _number(field: str, base: GPTConfig, least: int, most: int, step: int, help_: str) -> None:
    st.number_input(field, least, most, getattr(base, field), step, help=help_, **_kept(field))


def _slider(field: str, base: GPTConfig, least: Any, most: Any, step: Any, help_: str) -> None:
    st.slider(field, least, most, getattr(base, field), step, help=help_, **_kept(field))


def _toggle(field: str, base: GPTConfig, help_: str) -> None:
    st.toggle(field, getattr(base, field), help=help_, **_kept(field))


def _kept(field: str) -> dict[str, Any]:
    """What makes a control's value stay: over pages, and in the link."""
    return {
        "key": field,
        "bind": "query-params",
        "persist_state": "session",
        "on_change": _leave_preset,
        "args": (field,),
    }


def _explained(error: ConfigError, values: dict[str, Any], base: GPTConfig) -> GPTConfig:
    """Say what is wrong, offer neighbours that work, and stay with what worked last."""
    st.error(str(error))
    for width in valid_widths(values["emb_dim"], values["n_heads"]):
        st.button(f"emb_dim = {width}", on_click=_set, args=("emb_dim", width), width="stretch")
    st.caption("Until then the pictures show the last configuration that works.")
    last: GPTConfig = st.session_state.get("last_config", base)
    return last


def _set(field: str, value: Any) -> None:
    st.session_state[field] = value
    _leave_preset(field)


def _take_preset() -> None:
    """A model was chosen: its numbers go into the fields."""
    preset = PRESETS.get(st.session_state["model"])
    for field in FIELDS:
        st.session_state[field] = getattr(preset, field) if preset else st.session_state.get(field)
    st.session_state.pop("left", None)


def _leave_preset(field: str) -> None:
    """A field was moved: if the weights depend on it, this is no longer the chosen model."""
    name = st.session_state["model"]
    fixed = name in PRESETS and field not in FREE_FIELDS
    if fixed and st.session_state[field] != getattr(PRESETS[name], field):
        st.session_state["left"] = (name, field)
        st.session_state["model"] = CUSTOM
    for other in FIELDS:  # written anew, so that the link has all of them
        st.session_state[other] = st.session_state[other]


def _way_back(name: str) -> None:
    left = st.session_state.get("left")
    if name != CUSTOM or left is None:
        return
    preset, field = left
    weights = "its trained weights" if preset == TRAINED else "its weights"
    st.info(
        f"{field} changed, and {weights} no longer fit: the model is now custom, with random ones."
    )
    st.button(f"Back to {preset}", on_click=_return_to, args=(preset,), width="stretch")


def _return_to(preset: str) -> None:
    st.session_state["model"] = preset
    _take_preset()
