"""What a head matters for the next token: the sentence is read again without it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64

from gptviz.analysis.attention import require_attention
from gptviz.model import attn_weights
from gptviz.tracing.changes import Head, silence
from gptviz.tracing.hooks import BeforeBlock
from gptviz.tracing.trace import Trace


@dataclass(frozen=True, eq=False)
class Shift:
    """What is foretold after one position, before something was changed and afterwards.

    Args:
        token_ids: the likeliest tokens of both, likeliest before the change first.
        before, after: their probabilities, out of the whole vocabulary.
        bits: how far the whole distribution moved: see ``bits_moved``.
        top_before, top_after: the likeliest token.
    """

    token_ids: Int64[np.ndarray, " n"]
    before: Float32[np.ndarray, " n"]
    after: Float32[np.ndarray, " n"]
    bits: float
    top_before: int
    top_after: int


@torch.inference_mode()
def largest_weights(traced: Trace, position: int) -> Float32[np.ndarray, "n_layers n_heads"]:
    """The largest weight that the query at ``position`` gives to any one token, in each head.

    Raises:
        IndexError: if the sentence has no such position.
        ValueError: if attention is a placeholder in this model.
    """
    require_attention(traced)
    rows = []
    for block in traced.blocks:
        both = block.qk
        assert both is not None, block.layer
        q, k = both
        weights = attn_weights(q[:, position : position + 1], k[:, : position + 1])
        rows.append(weights[:, 0].amax(dim=-1))
    return torch.stack(rows).float().numpy(force=True)


def brightest_head(traced: Trace, position: int) -> Head:
    """The head with the largest of all ``largest_weights``; of several alike, the first."""
    weights = largest_weights(traced, position)
    layer, head = np.unravel_index(int(weights.argmax()), weights.shape)
    return int(layer), int(head)


@torch.inference_mode()
def bits_moved(before: Trace, after: Trace, position: int) -> float:
    """How far the next-token distribution after ``position`` moved, in bits.

    The Kullback-Leibler divergence of ``after`` from ``before``: the sum of p · log2(p / q) over
    the whole vocabulary, worked out in double precision; 0 only if nothing moved. Source: Kullback
    & Leibler 1951.
    """
    p, q = (one.logits(position).double().log_softmax(dim=-1) for one in (before, after))
    return max(0.0, float((p.exp() * (p - q)).sum()) / math.log(2))


@torch.inference_mode()
def shift(before: Trace, after: Trace, position: int, count: int) -> Shift:
    """Both distributions' ``count`` likeliest tokens side by side, and how far all moved."""
    p, q = (one.probabilities(position).float() for one in (before, after))
    few = min(count, len(p))
    tops = [shares.topk(few).indices for shares in (p, q)]
    ids = torch.cat(tops).unique()
    ids = ids[p[ids].argsort(descending=True, stable=True)]
    return Shift(
        token_ids=ids.numpy(force=True),
        before=p[ids].numpy(force=True),
        after=q[ids].numpy(force=True),
        bits=bits_moved(before, after, position),
        top_before=int(tops[0][0]),
        top_after=int(tops[1][0]),
    )


def bits_of_each_head(
    traced: Trace,
    position: int,
    before_each: Callable[[Head], object] | None = None,
    before_block: BeforeBlock | None = None,
) -> Float32[np.ndarray, "n_layers n_heads"]:
    """``bits_moved`` by silencing each head alone: the sentence is read once for every head.

    Args:
        before_each: called with layer and head before each pass; what it raises stops the work
            and reaches the caller.
        before_block: likewise, with the block's number, before each block of each pass.

    Raises:
        ValueError: if attention is a placeholder in this model.
    """
    require_attention(traced)
    config = traced.config
    bits = np.zeros((config.n_layers, config.n_heads), dtype=np.float32)
    for layer, head in np.ndindex(bits.shape):
        if before_each is not None:
            before_each((layer, head))
        again = traced.again((*traced.of.changes, *silence([(layer, head)])), before_block)
        bits[layer, head] = bits_moved(traced, again, position)
    return bits
