"""Where heads look, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from torch import Tensor

from gptviz.tracing.trace import Trace


def head_map(trace: Trace, layer: int, head: int) -> Float32[np.ndarray, "n_tokens n_tokens"]:
    """One head's attention weights: query in the row, key in the column, every row sums to 1.

    Raises:
        IndexError: if there is no such layer or head.
        ValueError: if attention is a placeholder in this model.
    """
    return layer_weights(trace, layer, head).float().numpy(force=True)


@dataclass(frozen=True, eq=False)
class Directions:
    """One token in one head, as the one that looks and as the one looked at.

    Args:
        looks_at: its weights on the tokens from 0 to itself; they sum to 1.
        looked_at_by: the weights on it, of itself and of each token after it.
        received: their sum.
        even: what that sum would be if every token looked at all it sees alike.
    """

    looks_at: Float32[np.ndarray, " n_keys"]
    looked_at_by: Float32[np.ndarray, " n_queries"]
    received: float
    even: float


def directions(weights: Float32[np.ndarray, "n_tokens n_tokens"], token: int) -> Directions:
    """Both directions of the token at a position, from one head's map."""
    looked_at_by = weights[token:, token]
    sees = np.arange(token + 1, len(weights) + 1)  # how many tokens each of those sees
    return Directions(
        looks_at=weights[token, : token + 1],
        looked_at_by=looked_at_by,
        received=float(looked_at_by.sum(dtype=np.float64)),
        even=float((1 / sees).sum()),
    )


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
