"""How much each part of the blocks does to a sentence, as one number a part."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from gptviz.analysis.attention import require_attention
from gptviz.analysis.heads import MEASURE_OF, measured
from gptviz.analysis.measure_keys import ENTROPY
from gptviz.tracing.trace import Trace


@dataclass(frozen=True, eq=False)
class Contributions:
    """How long what each part adds is, beside the stream that it is added to.

    Of each token: the norm (L2 length) of what is added, divided by that of the stream it is added
    to; of the part: the mean over the tokens. 1 is as long as the stream itself. Tokens whose
    stream is all zeros, which only dropout can make, are left out; not-a-number if none is left.

    Source: Csordás et al. 2025, Do Language Models Use Their Depth Efficiently?

    Args:
        pos_emb: of the position embeddings, added to the token embeddings.
        attention, feed_forward: of each block; None where nothing is added to a stream, because
            the part or the shortcuts are placeholders.
    """

    pos_emb: float
    attention: Float32[np.ndarray, " n_layers"] | None
    feed_forward: Float32[np.ndarray, " n_layers"] | None

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers."""
        return sum(each.nbytes for each in (self.attention, self.feed_forward) if each is not None)


@torch.inference_mode()
def contributions(
    trace: Trace, before_each: Callable[[int], object] | None = None
) -> Contributions:
    """What every part adds to the residual stream, relative to the stream.

    Args:
        before_each: called with the layer's number before each layer; what it raises stops the
            work and reaches the caller.
    """
    attention, feed_forward = [], []
    for layer, block in enumerate(trace.blocks):
        if before_each is not None:
            before_each(layer)
        if not trace.config.has("shortcut"):
            continue
        if block.attention_out is not None:
            attention.append(_relative(block.attention_out, block.resid_pre))
        if block.feed_forward_out is not None:
            feed_forward.append(_relative(block.feed_forward_out, block.resid_mid))
    return Contributions(
        float(_relative(trace.pos_emb, trace.tok_emb)),
        torch.stack(attention).numpy(force=True) if attention else None,
        torch.stack(feed_forward).numpy(force=True) if feed_forward else None,
    )


def _relative(
    added: Float[Tensor, "n_tokens emb_dim"], stream: Float[Tensor, "n_tokens emb_dim"]
) -> Float32[Tensor, ""]:
    sizes = stream.float().norm(dim=-1)
    ratios = added.float().norm(dim=-1) / sizes
    return ratios[sizes > 0].mean()


def attention_entropy(
    trace: Trace, before_each: Callable[[int], object] | None = None
) -> Float32[np.ndarray, "n_layers n_heads"]:
    """How widely each head spreads its weight: the mean over the queries of the entropy, in bits.

    The entropy of a query is -sum(w log2 w) over its attention weights, before dropout. It is 0 if
    all weight lies on one key, and log2(i + 1) if the query at position i takes evenly from all
    keys it may see: ``most_entropy`` is the mean of these. Position 0, which sees but itself, has
    no choice and doesn't count.

    Source: Clark et al. 2019, What Does BERT Look At?, section 3.3.

    Args:
        before_each: as in ``contributions``.

    Raises:
        ValueError: if the sentence has one token only, or attention is a placeholder.
    """
    require_attention(trace)
    if trace.n_tokens < 2:
        raise ValueError("one token has nothing to choose from: read at least 2 tokens")
    return measured(trace, (MEASURE_OF[ENTROPY],), before_each)[0]


def most_entropy(n_tokens: int) -> float:
    """The greatest ``attention_entropy`` that a sentence of at least two tokens can have, in bits.

    The mean of log2(i + 1) over the positions i from 1 on: every query takes evenly from all keys.
    """
    return math.lgamma(n_tokens + 1) / ((n_tokens - 1) * math.log(2))
