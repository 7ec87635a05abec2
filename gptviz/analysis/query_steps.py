"""How one head makes one token's context vector, step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from gptviz.analysis.attention import require_attention
from gptviz.quoting import quoted
from gptviz.tracing.trace import Trace

PerKey = Float32[np.ndarray, " n_tokens"]


@dataclass(frozen=True, eq=False)
class QuerySteps:
    """One query of one head, from its matches with the keys to what it gathers.

    All keys of the sentence have a number, those after the query too. From ``masked`` on, every
    step is made from the one before by plain arithmetic, as a person would with a pencil; the
    model's own outcome, made at one stroke by torch's fused kernel, stands beside.

    Args:
        scores: q · k.
        scaled: divided by the square root of ``head_dim``.
        masked: minus infinity for keys after the query.
        exps: e to the power of what was masked, less the largest of them: that changes no weight.
        weights: each of ``exps``, divided by their sum: they sum to 1.
        mixed_by: the weights after dropout; the same in eval mode.
        values: v of each key.
        context_vec: the sum of ``mixed_by`` times ``values``.
        models_own: the model's own context vector.
    """

    scores: PerKey
    scaled: PerKey
    masked: PerKey
    exps: PerKey
    weights: PerKey
    mixed_by: PerKey
    values: Float32[np.ndarray, "n_tokens head_dim"]
    context_vec: Float32[np.ndarray, " head_dim"]
    models_own: Float32[np.ndarray, " head_dim"]

    @property
    def error(self) -> float:
        """The farthest that any number of ``context_vec`` is from the model's own."""
        return float(np.abs(self.context_vec - self.models_own).max())


@torch.inference_mode()
def query_steps(trace: Trace, layer: int, head: int, query: int) -> QuerySteps:
    """The steps of one query (a position counted from 0) in one head.

    Raises:
        IndexError: if there is no such layer, head or position.
        ValueError: if attention is a placeholder in this model.
    """
    require_attention(trace)
    if not 0 <= query < trace.n_tokens:
        raise IndexError(
            f"position {quoted(query)} isn't there: positions count from 0 to {trace.n_tokens - 1}"
        )
    block = trace.blocks[layer]
    dropped = _built(block.dropped_weights(head))[query]
    v = _built(block.v)[head]
    own = _built(block.context_vec)[head, query]
    scores, scaled, masked = (
        _built(block.at(f"attention.core.{step}", head))[query]
        for step in ("scores", "scale", "mask")
    )
    exps = (masked - masked.max()).exp()
    weights = exps / exps.sum()
    mixed_by = weights if trace.dropout is None else dropped
    steps = (scores, scaled, masked, exps, weights, mixed_by, v, mixed_by @ v, own)
    return QuerySteps(*(step.float().numpy(force=True) for step in steps))


def _built(tensor: Tensor | None) -> Tensor:
    assert tensor is not None  # as attention is no placeholder
    return tensor
