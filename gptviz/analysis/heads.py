"""What a head does, as one number between 0 and 1 for each head."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from gptviz.analysis.attention import layer_weights
from gptviz.tokenizer import FULL_VOCAB_SIZE
from gptviz.tracing import Trace


def previous_token_score(trace: Trace) -> Float32[np.ndarray, "n_layers n_heads"]:
    """How much each head looks at the token before: the mean weight on it, from position 1 on.

    Source: Elhage et al. 2021, A Mathematical Framework for Transformer Circuits.

    Raises:
        ValueError: if the sentence has one token only, or attention is a placeholder.
    """
    if trace.n_tokens < 2:
        raise ValueError("one token has none before it: read at least 2 tokens")
    return _of_each_head(trace, lambda weights: _diagonal(weights, keys_back=1))


def induction_score(trace: Trace) -> Float32[np.ndarray, "n_layers n_heads"]:
    """How much each head looks at what came after the same token earlier.

    The mean weight, over the second copy in ``repeated_tokens``, on the token after the earlier
    copy. Source: Olsson et al. 2022, In-context Learning and Induction Heads.

    Raises:
        ValueError: if the sentence is no sequence repeated twice, or attention is a placeholder.
    """
    span, odd = divmod(trace.n_tokens, 2)
    if odd or not torch.equal(trace.token_ids[:span], trace.token_ids[span:]):
        raise ValueError("the sentence must be one sequence, repeated twice: see repeated_tokens")
    # The diagonal starts at the last token of the first copy, which has no earlier copy.
    return _of_each_head(trace, lambda weights: _diagonal(weights, keys_back=span - 1)[:, 1:])


def repeated_tokens(vocab_size: int, span: int, seed: int = 123) -> list[int]:
    """``span`` random token ids, twice: text that can be foretold only by looking back.

    ``<|endoftext|>`` and ids that stand for no text are left out.
    """
    n_words = min(vocab_size, FULL_VOCAB_SIZE) - 1
    once = np.random.default_rng(seed).integers(n_words, size=span).tolist()
    return [*once, *once]


def _diagonal(
    weights: Float[Tensor, "n_heads n_tokens n_tokens"], keys_back: int
) -> Float[Tensor, "n_heads n_queries"]:
    return weights.diagonal(offset=-keys_back, dim1=-2, dim2=-1)


def _of_each_head(
    trace: Trace, weights_that_count: Callable[[Tensor], Tensor]
) -> Float32[np.ndarray, "n_layers n_heads"]:
    layers = range(len(trace.blocks))
    means = [weights_that_count(layer_weights(trace, layer)).mean(dim=-1) for layer in layers]
    return torch.stack(means).float().numpy(force=True)
