"""What the model expects to come next."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64

from gptviz.quoting import quoted
from gptviz.tracing.trace import Trace


@dataclass(frozen=True, eq=False)
class Candidates:
    """The likeliest next tokens, likeliest first.

    Args:
        token_ids: what they are.
        probabilities: shares of the whole vocabulary's probability, which sums to 1.
        log_probabilities: their natural logarithms, in nats.
        rest: what is left for all other tokens together.
    """

    token_ids: Int64[np.ndarray, " n"]
    probabilities: Float32[np.ndarray, " n"]
    log_probabilities: Float32[np.ndarray, " n"]
    rest: float


def likeliest(trace: Trace, count: int, position: int = -1) -> Candidates:
    """The ``count`` likeliest tokens after the one at ``position``, out of the whole vocabulary.

    Raises:
        IndexError: if the sentence has no such position.
    """
    logs = torch.log_softmax(trace.logits(position).float(), dim=-1)
    top = logs.topk(min(count, len(logs)))
    shares = top.values.exp().numpy(force=True)
    rest = max(0.0, 1.0 - float(shares.sum(dtype=np.float64)))
    return Candidates(top.indices.numpy(force=True), shares, top.values.numpy(force=True), rest)


@dataclass(frozen=True)
class Standing:
    """Where one token stands among all that could have come.

    Args:
        probability: its share of the whole vocabulary's probability.
        log_probability: the natural logarithm of that, in nats; minus it is the token's loss.
        rank: 1 for the likeliest, one more for each token with a higher score.
    """

    token_id: int
    probability: float
    log_probability: float
    rank: int


def standing(trace: Trace, token_id: int, position: int = -1) -> Standing:
    """How likely the model thought that ``token_id`` comes after the token at ``position``.

    Raises:
        IndexError: if the sentence has no such position, or the vocabulary no such token.
    """
    logits = trace.logits(position).float()
    if not 0 <= token_id < len(logits):
        raise IndexError(
            f"token id {quoted(token_id)} isn't there: ids go from 0 to {len(logits) - 1}"
        )
    log = float(torch.log_softmax(logits, dim=-1)[token_id])
    rank = 1 + int((logits > logits[token_id]).sum())
    return Standing(token_id, math.exp(log), log, rank)


def entropy(trace: Trace, position: int = -1) -> float:
    """How undecided the model is after the token at ``position``, in bits.

    Minus the sum of p log2(p) over the whole vocabulary: 0 where it is sure, log2(``vocab_size``)
    where it spreads its guess evenly. Source: Shannon 1948.

    Raises:
        IndexError: if the sentence has no such position.
    """
    probabilities = torch.softmax(trace.logits(position).double(), dim=-1)
    return float(torch.special.entr(probabilities).sum()) / math.log(2)
