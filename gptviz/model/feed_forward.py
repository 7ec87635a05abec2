"""Feed-forward: each token on its own, in a wider space with a bend in it.

Source: Hendrycks & Gimpel 2016 (GELU).
"""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from gptviz.config import GPTConfig


class FeedForward(nn.Module):
    """Two linear layers with a GELU between them, for each token on its own."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.linear1 = nn.Linear(config.emb_dim, config.ff_dim)
        self.gelu = GELU()
        self.linear2 = nn.Linear(config.ff_dim, config.emb_dim)

    def forward(self, x: Float[Tensor, "*batch emb_dim"]) -> Float[Tensor, "*batch emb_dim"]:
        return self.linear2(self.gelu(self.linear1(x)))


class GELU(nn.Module):
    """A soft on-off switch for each number, in the tanh form that GPT-2 uses."""

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        return F.gelu(x, approximate="tanh")
