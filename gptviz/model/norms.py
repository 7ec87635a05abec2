"""Norms: every token's numbers brought to one size, before a part reads them.

Source: Ba et al. 2016 (layer norm).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from gptviz.config import GPTConfig

NORM_EPS = 1e-5


def norm(config: GPTConfig) -> nn.Module:
    """The norm that a configuration asks for, over ``emb_dim`` numbers."""
    return LayerNorm(config.emb_dim) if config.has("norm") else nn.Identity()


class LayerNorm(nn.Module):
    """``layer_norm(x, scale, shift)``, computed at one stroke by torch's fused kernel."""

    def __init__(self, emb_dim: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(emb_dim))
        self.shift = nn.Parameter(torch.zeros(emb_dim))

    def forward(self, x: Float[Tensor, "*batch emb_dim"]) -> Float[Tensor, "*batch emb_dim"]:
        return F.layer_norm(x, x.shape[-1:], self.scale, self.shift, NORM_EPS)

    def steps(self, x: Float[Tensor, "*batch emb_dim"]) -> dict[str, Tensor]:
        """``layer_norm_steps`` with what this norm has learned."""
        return layer_norm_steps(x, self.scale, self.shift)


def layer_norm(
    x: Float[Tensor, "*batch emb_dim"],
    scale: Float[Tensor, " emb_dim"],
    shift: Float[Tensor, " emb_dim"],
) -> Float[Tensor, "*batch emb_dim"]:
    """Every token's numbers, brought to mean 0 and variance 1, then scaled and shifted.

    The textbook's way (Ba et al. 2016, eq. 4); ``LayerNorm`` does the same at one stroke.
    """
    return layer_norm_steps(x, scale, shift)["shift"]


def layer_norm_steps(
    x: Float[Tensor, "*batch emb_dim"],
    scale: Float[Tensor, " emb_dim"],
    shift: Float[Tensor, " emb_dim"],
) -> dict[str, Tensor]:
    """What each step of ``layer_norm`` makes, by name; mean and variance have one number a row."""
    mean = x.mean(dim=-1, keepdim=True)
    variance = x.var(dim=-1, keepdim=True, correction=0)
    normalized = (x - mean) / torch.sqrt(variance + NORM_EPS)
    scaled = scale * normalized
    shifted = scaled + shift
    return {
        "mean": mean,
        "variance": variance,
        "normalize": normalized,
        "scale": scaled,
        "shift": shifted,
    }
