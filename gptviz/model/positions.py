"""Where tokens stand: positions count from 0, and a model knows ``context_length`` of them."""

from __future__ import annotations

import torch
from jaxtyping import Int, Int64
from torch import Tensor


def positions(
    token_ids: Int[Tensor, "batch n_tokens"], context_length: int, n_before: int = 0
) -> Int64[Tensor, " n_tokens"]:
    """The positions of tokens that come after ``n_before`` others.

    Raises:
        ValueError: if there are none, or more than the model has positions for.
    """
    n_tokens = token_ids.shape[-1]
    check_length(n_tokens, context_length, n_before)
    return torch.arange(n_before, n_before + n_tokens, device=token_ids.device)


def check_length(n_tokens: int, context_length: int, n_before: int = 0) -> None:
    """Raise a ValueError if a model can't read so many tokens after ``n_before`` others."""
    if not n_tokens or n_before + n_tokens > context_length:
        raise ValueError(
            f"{n_before + n_tokens} tokens: this model reads from 1 to {context_length} "
            "(context_length) at once"
        )
