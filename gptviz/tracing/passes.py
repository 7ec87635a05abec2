"""What makes one forward pass the pass it is, as values: the keys of all that is kept of it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from gptviz.config import Dropout, GPTConfig
from gptviz.defaults import SEED
from gptviz.presets import PRESETS, TRAINED
from gptviz.tracing.changes import UNCHANGED, Changes


@dataclass(frozen=True)
class ModelKey:
    """Which model: two keys are equal if their models are.

    Args:
        source: a preset's name, or any configuration. A preset with random weights is its
            configuration.
        seed: where random weights start; of no effect on a trained model.
    """

    source: str | GPTConfig
    seed: int = SEED

    def __post_init__(self) -> None:
        if self.source in TRAINED:
            object.__setattr__(self, "seed", SEED)
        elif isinstance(self.source, str):
            object.__setattr__(self, "source", PRESETS.get(self.source, self.source))


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
