"""A model by its name, with the tokenizer that belongs to it, ready to be traced."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gptviz.config import GPTConfig
from gptviz.model import GPTModel
from gptviz.presets import PRESETS, TRAINED
from gptviz.quoting import quoted
from gptviz.tokenizer import Tokenizer
from gptviz.tracing.hooks import install_hooks
from gptviz.weights import load_weights, own_tensors

WEIGHTS = {name: Path(__file__).parent / "assets" / f"{name}.safetensors" for name in TRAINED}


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


def load(name: str, seed: int = 123) -> Loaded:
    """The trained model that ships ("tales"), or a preset with random weights.

    Args:
        name: a preset's name.
        seed: where random weights start; a trained model has none.

    Raises:
        ValueError: if there is no preset of that name.
        WeightsError: if the trained weights are missing or damaged.
    """
    if name not in PRESETS:
        raise ValueError(f"there is no model {quoted(name)}: choose one of {', '.join(PRESETS)}")
    if name in TRAINED:
        return _ready(name, load_weights(WEIGHTS[name]))
    return build(PRESETS[name], seed)


def build(config: GPTConfig, seed: int = 123) -> Loaded:
    """A model with random weights, called by its preset's name or else "custom"."""
    untrained = (name for name in PRESETS if name not in TRAINED and PRESETS[name] == config)
    return _ready(next(untrained, "custom"), GPTModel(config, seed).eval())


def _ready(name: str, model: GPTModel) -> Loaded:
    install_hooks(model)
    return Loaded(name, model, Tokenizer(model.config.vocab_size))
