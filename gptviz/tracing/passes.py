"""What makes one forward pass the pass it is, as values: the keys of all that is kept of it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from gptviz.config import Dropout, GPTConfig
from gptviz.defaults import SEED
from gptviz.presets import PRESETS, TRAINED, preset
from gptviz.tracing.changes import UNCHANGED, Changes


@dataclass(frozen=True)
class ModelKey:
    """Which model: two keys are equal if their models are.

    Args:
        source: a preset's name, or any configuration. A preset with random weights is its
            configuration.
        seed: where random weights start; of no effect on a trained model.

    Raises:
        ValueError: if there is no preset of that name.
    """

    source: str | GPTConfig
    seed: int = SEED

    def __post_init__(self) -> None:
        if self.source in TRAINED:
            object.__setattr__(self, "seed", SEED)
        elif isinstance(self.source, str):
            object.__setattr__(self, "source", preset(self.source))

    @property
    def config(self) -> GPTConfig:
        """The model's configuration."""
        return self.source if isinstance(self.source, GPTConfig) else PRESETS[self.source]


@dataclass(frozen=True)
class Pass:
    """One sentence, read once by one model.

    Args:
        model: a ``ModelKey``; or the model itself, where it has none.
        ids: the sentence's tokens.
        dropout: what is dropped (train mode); None in eval mode.
        changes: what is changed on the way.
    """

    model: Hashable
    ids: tuple[int, ...]
    dropout: Dropout | None = None
    changes: Changes = UNCHANGED


def pass_of(
    source: str | GPTConfig,
    ids: Iterable[int],
    seed: int = SEED,
    dropout: Dropout | None = None,
    changes: Changes = UNCHANGED,
) -> Pass:
    """A pass of a model that has a key: see ``ModelKey``."""
    return Pass(ModelKey(source, seed), tuple(ids), dropout, changes)
