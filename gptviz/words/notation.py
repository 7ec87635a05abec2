r"""What formulas share. ``x`` is the stream as a part finds it, one row a token.

Weights are written in torch's way: ``W: out x in``, and ``x W^{\top} + b``.
"""

from __future__ import annotations

from gptviz.anatomy import Part
from gptviz.config import GPTConfig

NORM_1, NORM_2, FINAL_NORM = r"\text{norm}_1", r"\text{norm}_2", r"\text{final\_norm}"


def normed(config: GPTConfig, norm: str, x: str = "x") -> str:
    """What is read through a norm: the stream as it is where norms are placeholders."""
    return f"{norm}({x})" if config.has("norm") else x


def linear(part: Part, x: str, letter: str) -> str:
    r"""What a linear layer makes of ``x``; ``letter`` tells its weights, as in ``W_Q``."""
    bias = f" + b_{letter}" if "bias" in part.weights else ""
    return rf"{x}\, W_{letter}^{{\top}}{bias}"


def weight(part: Part, letter: str) -> str:
    r"""A weight with its sizes: ``W_Q: 768 \times 768``."""
    rows, columns = part.weights["weight"]
    return rf"W_{letter}: ${rows} \times ${columns}"


def softmax(scores: str) -> str:
    """Attention's, with the mask."""
    inner = rf"\frac{{{scores}}}{{\sqrt{{$head_dim}}}} + \text{{mask}}"
    return rf"\text{{softmax}}\!\left({inner}\right)"
