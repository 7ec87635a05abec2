"""The KV cache: keys and values of tokens that were read, kept so that nobody reads them again."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from gptviz.config import GPTConfig


class LayerCache:
    """What one block's attention has kept; nothing at first."""

    def __init__(self) -> None:
        self.keys: Tensor | None = None  # (batch, n_heads, n_tokens, head_dim)
        self.values: Tensor | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the keys and values kept."""
        kept = (self.keys, self.values)
        return sum(tensor.nbytes for tensor in kept if tensor is not None)

    def with_earlier(
        self,
        keys: Float[Tensor, "batch n_heads n_new head_dim"],
        values: Float[Tensor, "batch n_heads n_new head_dim"],
    ) -> tuple[
        Float[Tensor, "batch n_heads n_keys head_dim"],
        Float[Tensor, "batch n_heads n_keys head_dim"],
    ]:
        """Keep the keys and values of new tokens, and give those of all so far."""
        if self.keys is not None and self.values is not None:
            keys = torch.cat([self.keys, keys], dim=-2)
            values = torch.cat([self.values, values], dim=-2)
        self.keys, self.values = keys, values
        return keys, values


class KVCache:
    """A ``LayerCache`` for each block; None where attention is a placeholder and keeps nothing.

    It belongs to one text that one model reads bit by bit: ``model(ids, cache)``.

    Args:
        config: the model's.
    """

    def __init__(self, config: GPTConfig) -> None:
        self.n_tokens = 0  # read so far
        kept = config.has("attention")
        self.layers = [LayerCache() if kept else None for _ in range(config.n_layers)]

    @property
    def layer_bytes(self) -> tuple[int, ...]:
        """Bytes of keys and values kept in each layer."""
        return tuple(layer.nbytes if layer else 0 for layer in self.layers)

    @property
    def nbytes(self) -> int:
        """Bytes of keys and values kept in all layers."""
        return sum(self.layer_bytes)
