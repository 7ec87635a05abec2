"""What temperature, top-k and top-p make of the model's own expectation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from gptviz.config import Sampling
from gptviz.tracing.generation import filtered


@dataclass(frozen=True, eq=False)
class Choices:
    """The likeliest next tokens before and after sampling's settings, likeliest first.

    Args:
        token_ids: what they are.
        probabilities: what the model itself gives them: shares of the whole vocabulary's.
        shares: what they are drawn by: 0 where they were cut.
        rest, rest_shares: the same of all other tokens together.
        n_left: how many tokens of the whole vocabulary can still be drawn.
        entropies: how undecided both are, in bits: before and after.
    """

    token_ids: Int64[np.ndarray, " n"]
    probabilities: Float64[np.ndarray, " n"]
    shares: Float64[np.ndarray, " n"]
    rest: float
    rest_shares: float
    n_left: int
    entropies: tuple[float, float]

    @property
    def cut(self) -> Bool[np.ndarray, " n"]:
        """Which of them can't be drawn any more."""
        return self.shares == 0


@torch.inference_mode()
def choices(
    logits: Float[Tensor, " vocab_size"],
    sampling: Sampling,
    count: int,
    drawn: int | None = None,
) -> Choices:
    """The ``count`` likeliest tokens and what ``sampling`` makes of them.

    Args:
        drawn: a token that is to be among them, if only as the last.
    """
    before, after = filtered(logits, Sampling()), filtered(logits, sampling)
    top = before.topk(min(count, len(before))).indices.tolist()
    ids = torch.tensor(top if drawn is None or drawn in top else [*top, drawn])
    ids = ids.to(before.device)
    others = torch.ones_like(before, dtype=torch.bool).index_fill_(0, ids, False)
    return Choices(
        token_ids=ids.numpy(force=True),
        probabilities=before[ids].numpy(force=True),
        shares=after[ids].numpy(force=True),
        rest=float(before[others].sum()),
        rest_shares=float(after[others].sum()),
        n_left=int((after > 0).sum()),
        entropies=(_bits(before), _bits(after)),
    )


def _bits(probabilities: Float[Tensor, " vocab_size"]) -> float:
    return float(torch.special.entr(probabilities).sum()) / math.log(2)
