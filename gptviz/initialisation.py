"""What weights are before training, where it is not PyTorch's own choice."""

from __future__ import annotations

import math

import torch
from torch import nn

from gptviz.model import GPTModel
from gptviz.weights import own_tensors

POSITION_SIZE = 0.1  # of the sinusoids that the position embedding begins with


def draw_gpt2_weights(model: GPTModel, seed: int) -> None:
    """GPT-2's initialisation: small, and smaller still where a part adds to the stream.

    Linear and embedding weights have standard deviation 0.02; ``out_proj`` and ``linear2`` are
    divided by the square root of twice ``n_layers`` (Radford et al. 2019, section 2.3).
    """
    generator = torch.Generator().manual_seed(seed)
    shrink = math.sqrt(2 * model.config.n_layers)
    for name, parameter in own_tensors(model):
        if parameter.dim() == 2:
            adds = name.endswith(("out_proj.weight", "linear2.weight"))
            nn.init.normal_(parameter, std=0.02 / (shrink if adds else 1), generator=generator)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)


def draw_positions(model: GPTModel) -> None:
    """Let the position embedding begin as sinusoids, with waves of 2 to ``2 * n`` positions.

    The next position is then a turn of this one, which makes it easy for a head to learn to look
    one token back (Vaswani et al. 2017, section 3.5). They begin louder than the tokens, as these
    grow while training.
    """
    n, width = model.pos_emb.weight.shape
    waves = math.pi * n ** -torch.linspace(0, 1, (width + 1) // 2)  # radians a position
    angles = torch.arange(n)[:, None] * waves
    turns = torch.cat([angles.sin(), angles.cos()], dim=1)[:, :width]
    with torch.no_grad():
        model.pos_emb.weight.copy_(POSITION_SIZE * turns)
