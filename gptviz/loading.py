"""A model by its name, with the tokenizer that belongs to it, ready to be traced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gptviz.config import PRESETS, GPTConfig
from gptviz.hooks import install_hooks
from gptviz.model import GPTModel
from gptviz.tokenizer import Tokenizer
from gptviz.weights import load_weights, own_tensors

# Presets whose weights ship with gptviz; all others get random ones.
TRAINED = {"tales": Path(__file__).parent / "assets" / "tales.safetensors"}


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model in eval mode, the name it goes by, and its tokenizer."""

    name: str
    model: GPTModel
    tokenizer: Tokenizer

    @property
    def nbytes(self) -> int:
        """Bytes of the weights; a tied output head counts once."""
        return sum(tensor.nbytes for _, tensor in own_tensors(self.model))


def preset(name: str) -> GPTConfig:
    """The configuration of this name.

    Raises:
        ValueError: if there is none.
    """
    if name not in PRESETS:
        raise ValueError(f"there is no model {name!r}: choose one of {', '.join(PRESETS)}")
    return PRESETS[name]


def load(name: str, seed: int = 123, before_band: Callable[[], object] | None = None) -> Loaded:
    """The trained model that ships ("tales"), or a preset with random weights.

    Args:
        name: a preset's name.
        seed: where random weights start; a trained model has none.
        before_band: called before each band of random weights is drawn; what it raises stops the
            work and reaches the caller.

    Raises:
        ValueError: if there is no preset of that name.
        WeightsError: if the trained weights are missing or damaged.
    """
    config = preset(name)
    if name in TRAINED:
        return _ready(name, load_weights(TRAINED[name]))
    return build(config, seed, before_band)


def build(
    config: GPTConfig, seed: int = 123, before_band: Callable[[], object] | None = None
) -> Loaded:
    """A model with random weights, called by its preset's name or else "custom".

    Args:
        before_band: as of ``load``.
    """
    untrained = (name for name in PRESETS if name not in TRAINED and PRESETS[name] == config)
    model = GPTModel(config, seed, before_band=before_band)
    return _ready(next(untrained, "custom"), model.eval())


def _ready(name: str, model: GPTModel) -> Loaded:
    install_hooks(model)
    return Loaded(name, model, Tokenizer(model.config.vocab_size))
