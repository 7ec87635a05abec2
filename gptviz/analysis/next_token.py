"""What the model expects to come next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from gptviz.tracing import Trace


@dataclass(frozen=True, eq=False)
class Candidates:
    """The likeliest next tokens, likeliest first.

    Args:
        token_ids: what they are.
        probabilities: shares of the whole vocabulary's probability, which sums to 1.
        rest: what is left for all other tokens together.
    """

    token_ids: Int64[np.ndarray, " n"]
    probabilities: Float32[np.ndarray, " n"]
    rest: float


def likeliest(trace: Trace, count: int, position: int = -1) -> Candidates:
    """The ``count`` likeliest tokens after the one at ``position``, out of the whole vocabulary.

    Raises:
        IndexError: if the sentence has no such position.
    """
    probabilities = trace.probabilities(position).float()
    top = probabilities.topk(min(count, len(probabilities)))
    shares = top.values.numpy(force=True)
    rest = max(0.0, 1.0 - float(shares.sum(dtype=np.float64)))
    return Candidates(top.indices.numpy(force=True), shares, rest)
