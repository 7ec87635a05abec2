"""A model by its name, with the tokenizer that belongs to it, ready to be traced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gptviz.config import GPTConfig
from gptviz.model import GPTModel
from gptviz.presets import PRESETS, TRAINED, preset
from gptviz.tokenizer import Tokenizer
from gptviz.tracing.hooks import install_hooks
from gptviz.weights import load_weights, own_tensors

WEIGHTS = {name: Path(__file__).parent / "assets" / f"{name}.safetensors" for name in TRAINED}


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model in eval mode, and the name it goes by."""

    name: str
    model: GPTModel

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer that belongs to the model.

        Raises:
            ValueError: if the vocabulary is smaller than any that text can be cut with.
        """
        return Tokenizer(self.model.config.vocab_size)

    @property
    def nbytes(self) -> int:
        """Bytes of the weights; a tied output head counts once."""
        return sum(tensor.nbytes for _, tensor in own_tensors(self.model))


def load(name: str, seed: int = 123, before_each: Callable[[], object] | None = None) -> Loaded:
    """The trained model that ships ("tales"), or a preset with random weights.

    Args:
        name: a preset's name.
        seed: where random weights start; a trained model has none.
        before_each: called before each band of random weights is drawn; what it raises stops the
            work and reaches the caller.

    Raises:
        ValueError: if there is no preset of that name.
        WeightsError: if the trained weights are missing or damaged.
    """
    config = preset(name)
    if name in TRAINED:
        return _ready(name, load_weights(WEIGHTS[name]))
    return build(config, seed, before_each)


def build(
    config: GPTConfig, seed: int = 123, before_each: Callable[[], object] | None = None
) -> Loaded:
    """A model with random weights, called by its preset's name or else "custom".

    Args:
        before_each: as of ``load``.
    """
    untrained = (name for name in PRESETS if name not in TRAINED and PRESETS[name] == config)
    model = GPTModel(config, seed, before_each=before_each)
    return _ready(next(untrained, "custom"), model.eval())


def _ready(name: str, model: GPTModel) -> Loaded:
    install_hooks(model)
    return Loaded(name, model)
