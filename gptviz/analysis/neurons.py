"""The feed-forward's hidden units: what GELU makes of them, which are silent, which are busy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64

from gptviz.model import GELU
from gptviz.tracing.trace import Trace

SILENT = 0.01  # GELU outputs of a smaller size pass next to nothing on

Values = Float32[np.ndarray, "n_tokens ff_dim"]


@dataclass(frozen=True, eq=False)
class Hidden:
    """One block's hidden units for the sentence.

    Args:
        before: the pre-activations, what GELU reads.
        after: the activations, what GELU makes of them.
        lengths: the L2 length of what each unit writes into the stream where its activation is 1:
            its column of ``linear2.weight``.
    """

    before: Values
    after: Values
    lengths: Float32[np.ndarray, " ff_dim"]

    @property
    def nbytes(self) -> int:
        """Bytes of all numbers."""
        return self.before.nbytes + self.after.nbytes + self.lengths.nbytes


@torch.inference_mode()
def hidden(trace: Trace, layer: int) -> Hidden:
    """The hidden units of a layer's feed-forward. In train mode too: they are before dropout.

    Raises:
        IndexError: if there is no such layer.
        ValueError: if the feed-forward is a placeholder in this model.
    """
    block = trace.blocks[layer]
    before, after = block.ff_hidden, block.gelu_out
    if before is None or after is None:
        raise ValueError("the feed-forward is a placeholder in this model: it has no neurons")
    lengths = trace.weight(f"blocks.{layer}.feed_forward.linear2.weight").norm(dim=0)
    return Hidden(*(x.float().numpy(force=True) for x in (before, after, lengths)))


@dataclass(frozen=True, eq=False)
class Curve:
    """GELU itself, at evenly spaced places."""

    x: Float32[np.ndarray, " n"]
    y: Float32[np.ndarray, " n"]


def gelu_curve(least: float, most: float, n: int = 241) -> Curve:
    """The model's own GELU (tanh form) from ``least`` to ``most``."""
    x = torch.linspace(least, most, n)
    return Curve(x.numpy(), GELU()(x).numpy())


@dataclass(frozen=True, eq=False)
class Silence:
    """How many hidden units say nothing, as shares of 0 to 1 of a block's units.

    Args:
        held_back: whose pre-activation is below 0: GELU makes of it a number from -0.1701 to 0.
        silent: whose activation has a size below ``SILENT``.
        always_silent: how many units of each block are silent at every token.
    """

    held_back: Float32[np.ndarray, "n_layers n_tokens"]
    silent: Float32[np.ndarray, "n_layers n_tokens"]
    always_silent: Int64[np.ndarray, " n_layers"]

    @property
    def nbytes(self) -> int:
        """Bytes of all numbers."""
        return self.held_back.nbytes + self.silent.nbytes + self.always_silent.nbytes


def silence(trace: Trace, before_each: Callable[[int], object] | None = None) -> Silence:
    """Which share of each block's hidden units is held back or silent, token by token.

    Args:
        before_each: called with the layer's number before each layer; what it raises stops the
            work and reaches the caller.

    Raises:
        ValueError: if the feed-forward is a placeholder in this model.
    """
    held_back, silent, always = [], [], []
    for layer in range(len(trace.blocks)):
        if before_each is not None:
            before_each(layer)
        units = hidden(trace, layer)
        is_silent = np.abs(units.after) < SILENT
        held_back.append((units.before < 0).mean(axis=1, dtype=np.float32))
        silent.append(is_silent.mean(axis=1, dtype=np.float32))
        always.append(int(is_silent.all(axis=0).sum()))
    return Silence(np.stack(held_back), np.stack(silent), np.array(always, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Busiest:
    """Some neurons at one token, the busiest first.

    Args:
        neurons: their numbers.
        activations: after GELU.
        written: the length of what each writes into the stream: the activation's size times the
            neuron's ``Hidden.lengths``.
    """

    neurons: Int64[np.ndarray, " n"]
    activations: Float32[np.ndarray, " n"]
    written: Float32[np.ndarray, " n"]


def busiest(units: Hidden, position: int, count: int, by_writing: bool = False) -> Busiest:
    """The ``count`` neurons with the largest activations (by size) at a token.

    The feed-forward's output is the sum, over all neurons, of activation times the neuron's column
    of ``linear2.weight``, plus a bias (Geva et al. 2021, Transformer Feed-Forward Layers Are
    Key-Value Memories, eq. 1). A large activation that is written by a short column does little.

    Args:
        by_writing: order them by ``Busiest.written`` instead.

    Raises:
        IndexError: if the sentence has no such position.
    """
    activations = units.after[position]
    written = np.abs(activations) * units.lengths
    sizes = written if by_writing else np.abs(activations)
    order = np.argsort(-sizes, kind="stable")[:count]
    return Busiest(order, activations[order], written[order])
