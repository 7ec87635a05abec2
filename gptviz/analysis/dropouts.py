"""What dropout set to 0 in one pass, at the places where whole tokens' numbers go through it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from gptviz.anatomy import find, has
from gptviz.config import GPTConfig
from gptviz.tracing.hooks import mask
from gptviz.tracing.trace import Trace

Values = Float32[np.ndarray, "n_tokens emb_dim"]


@dataclass(frozen=True, eq=False)
class Dropped:
    """The sentence's numbers on both sides of one dropout.

    Args:
        stays: the mask: which numbers go on.
        before: what comes to it.
        after: what goes on: 0 where dropped, the rest times 1 / (1 - ``rate``).
        rate: the share that is dropped on the mean.
    """

    stays: Bool[np.ndarray, "n_tokens emb_dim"]
    before: Values
    after: Values
    rate: float

    @property
    def share(self) -> float:
        """The share that was really dropped."""
        return 1 - float(self.stays.mean())

    @property
    def shares(self) -> Float32[np.ndarray, " n_tokens"]:
        """The same for each token."""
        return 1 - self.stays.mean(axis=1, dtype=np.float32)

    @property
    def deviation(self) -> float:
        """How far ``share`` is from ``rate`` by chance: the binomial's standard deviation."""
        return math.sqrt(self.rate * (1 - self.rate) / self.stays.size)


def dropped_at(trace: Trace, name: str, layer: int) -> Dropped:
    """The mask of one dropout, drawn again from its seed, and the numbers around it.

    Args:
        name: ``drop_emb``, which belongs to no layer, ``drop1`` (what attention makes) or
            ``drop2`` (what the feed-forward makes).

    Raises:
        IndexError: if there is no such layer.
        KeyError: if there is no such dropout.
        ValueError: if nothing was dropped (eval mode), or the part before it is a placeholder.
    """
    if trace.dropout is None:
        raise ValueError("nothing is dropped in eval mode: trace with a Dropout")
    path, part_before = _around(trace.config, name, layer)
    before, after = _numbers(trace, part_before), _numbers(trace, path)
    stays = mask(trace.dropout, path, (1, *before.shape))[0]  # with the pass's batch axis
    return Dropped(stays.numpy(), before, after, trace.dropout.rate)


def _around(config: GPTConfig, name: str, layer: int) -> tuple[str, str]:
    """The paths of a dropout, and of the part whose numbers it drops."""
    block = f"blocks.{layer}"
    if has(config, name):
        return name, "embeddings.sum"
    return f"{block}.{name}", f"{block}.{find(config, f'blocks.0.{name}').role}"


def _numbers(trace: Trace, path: str) -> Values:
    output = trace.at(path)
    if output is None:
        raise ValueError(f"{path} is a placeholder in this model: nothing is dropped after it")
    return output.float().numpy(force=True)
