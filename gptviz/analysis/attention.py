"""Where heads look, exactly."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32
from torch import Tensor

from gptviz.tracing import Trace


def head_map(trace: Trace, layer: int, head: int) -> Float32[np.ndarray, "n_tokens n_tokens"]:
    """One head's attention weights: query in the row, key in the column, every row sums to 1.

    Raises:
        IndexError: if there is no such layer or head.
        ValueError: if attention is a placeholder in this model.
    """
    return layer_weights(trace, layer, head).float().numpy(force=True)


def layer_weights(
    trace: Trace, layer: int, head: int | None = None
) -> Float[Tensor, "*n_heads n_tokens n_tokens"]:
    """Attention weights of a layer's heads, or of one head, still in torch.

    Raises:
        IndexError: if there is no such layer or head.
        ValueError: if attention is a placeholder in this model.
    """
    require_attention(trace)
    weights = trace.blocks[layer].attn_weights(head)
    assert weights is not None, layer
    return weights


def require_attention(trace: Trace) -> None:
    """Raise a ValueError if attention is a placeholder in this model."""
    if not trace.config.has("attention"):
        raise ValueError("attention is a placeholder in this model: there are no heads to look at")
