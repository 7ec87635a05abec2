"""Attention rollout: all layers' attention as if it were one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float32

from gptviz.analysis.attention import require_attention
from gptviz.analysis.heads import few_maps
from gptviz.tracing.trace import Trace


@torch.inference_mode()
def rollout(
    trace: Trace, before_each: Callable[[int], object] | None = None
) -> Float32[np.ndarray, "n_tokens n_tokens"]:
    """How much of each input token (column) is in each token (row) after the last block.

    The mean of a layer's heads, plus the identity for the shortcut, each row brought to sum 1,
    multiplied from the first layer to the last: rows sum to 1. Where shortcuts are placeholders no
    identity is added. It is a guess, not a tensor of the model: it takes all heads to weigh the
    same and leaves out the values, the feed-forward, the norms and all that cancels out. Source:
    Abnar & Zuidema 2020, Quantifying Attention Flow in Transformers, section 3.

    Args:
        before_each: called with the layer's number before each layer; what it raises stops the
            work and reaches the caller.

    Raises:
        ValueError: if attention is a placeholder in this model.
    """
    require_attention(trace)
    itself = torch.eye(trace.n_tokens, device=trace.token_ids.device)
    mixed = itself
    for layer in range(len(trace.blocks)):
        if before_each is not None:
            before_each(layer)
        sums = [maps.float().sum(dim=0) for maps in few_maps(trace, layer)]
        passed = torch.stack(sums).sum(dim=0) / trace.config.n_heads
        if trace.config.has("shortcut"):
            passed = passed + itself
        mixed = passed / passed.sum(dim=-1, keepdim=True) @ mixed
    return mixed.numpy(force=True)
