"""Masked multi-head attention: each token gathers from itself and the tokens before it.

Source: Vaswani et al. 2017.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from gptviz.config import GPTConfig
from gptviz.model.kv_cache import LayerCache


class MultiHeadAttention(nn.Module):
    """Each token's queries meet the keys of the tokens so far, and mix their values."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.n_heads = config.n_heads
        width = config.n_heads * config.head_dim
        self.query = nn.Linear(config.emb_dim, width, bias=config.qkv_bias)
        self.key = nn.Linear(config.emb_dim, width, bias=config.qkv_bias)
        self.value = nn.Linear(config.emb_dim, width, bias=config.qkv_bias)
        self.core = AttentionCore(config.drop_rate)
        self.out_proj = nn.Linear(width, config.emb_dim)

    def forward(
        self, x: Float[Tensor, "batch n_tokens emb_dim"], cache: LayerCache | None = None
    ) -> Float[Tensor, "batch n_tokens emb_dim"]:
        query = split_heads(self.query(x), self.n_heads)  # (batch, n_heads, n_tokens, head_dim)
        key = split_heads(self.key(x), self.n_heads)
        value = split_heads(self.value(x), self.n_heads)
        if cache is not None:
            key, value = cache.with_earlier(key, value)
        context_vec = self.core(query, key, value)
        return self.out_proj(merge_heads(context_vec))


def split_heads(
    x: Float[Tensor, "*batch n_tokens width"], n_heads: int
) -> Float[Tensor, "*batch n_heads n_tokens head_dim"]:
    """Cut the last axis into heads and put the heads before the tokens."""
    return x.unflatten(-1, (n_heads, -1)).transpose(-3, -2)


def merge_heads(
    x: Float[Tensor, "*batch n_heads n_tokens head_dim"],
) -> Float[Tensor, "*batch n_tokens width"]:
    """Undo ``split_heads``."""
    return x.transpose(-3, -2).flatten(-2)


class AttentionCore(nn.Module):
    """``attend(query, key, value)``, computed at one stroke by torch's fused kernel."""

    def __init__(self, drop_rate: float) -> None:
        super().__init__()
        self.drop_rate = drop_rate

    def forward(
        self,
        query: Float[Tensor, "batch n_heads n_queries head_dim"],
        key: Float[Tensor, "batch n_heads n_keys head_dim"],
        value: Float[Tensor, "batch n_heads n_keys head_dim"],
    ) -> Float[Tensor, "batch n_heads n_queries head_dim"]:
        drop_rate = self.drop_rate if self.training else 0.0
        n_queries, n_keys = query.shape[-2], key.shape[-2]
        if n_queries == n_keys:
            return F.scaled_dot_product_attention(
                query, key, value, is_causal=True, dropout_p=drop_rate
            )
        seen = ~is_later(n_queries, n_keys, query.device)
        return F.scaled_dot_product_attention(
            query, key, value, attn_mask=seen, dropout_p=drop_rate
        )


# The same in the textbook's way, one function a step (Vaswani et al. 2017, eq. 1, with the causal
# mask).


def attn_scores(
    query: Float[Tensor, "*batch n_queries head_dim"], key: Float[Tensor, "*batch n_keys head_dim"]
) -> Float[Tensor, "*batch n_queries n_keys"]:
    """How well each query (row) matches each key (column): their dot product, not yet scaled."""
    return query @ key.transpose(-2, -1)


def scaled(
    scores: Float[Tensor, "*batch n_queries n_keys"], head_dim: int
) -> Float[Tensor, "*batch n_queries n_keys"]:
    """Scores divided by the square root of ``head_dim``."""
    return scores / math.sqrt(head_dim)


def masked(
    scores: Float[Tensor, "*batch n_queries n_keys"],
) -> Float[Tensor, "*batch n_queries n_keys"]:
    """Minus infinity in place of every score of a key that comes after its query."""
    later = is_later(scores.shape[-2], scores.shape[-1], scores.device)
    return scores.masked_fill(later, -torch.inf)


def is_later(
    n_queries: int, n_keys: int, device: torch.device
) -> Bool[Tensor, "{n_queries} {n_keys}"]:
    """Whether a key (column) comes after the query (row); the last query sees all keys."""
    pairs = torch.ones(n_queries, n_keys, dtype=torch.bool, device=device)
    return pairs.triu(diagonal=1 + n_keys - n_queries)


def attn_weights(
    query: Float[Tensor, "*batch n_queries head_dim"], key: Float[Tensor, "*batch n_keys head_dim"]
) -> Float[Tensor, "*batch n_queries n_keys"]:
    """How much each query (row) takes from each key (column): every row sums to 1."""
    scores = scaled(attn_scores(query, key), query.shape[-1])
    return torch.softmax(masked(scores), dim=-1)


def _as_it_is(_step: str, numbers: Tensor) -> Tensor:
    return numbers


def attend(
    query: Float[Tensor, "*batch n_queries head_dim"],
    key: Float[Tensor, "*batch n_keys head_dim"],
    value: Float[Tensor, "*batch n_keys head_dim"],
    after: Callable[[str, Tensor], Tensor] = _as_it_is,
) -> Float[Tensor, "*batch n_queries head_dim"]:
    """What each query gathers: its weights times the values.

    Args:
        after: gets the name of each step and what it made; what it gives goes on to the next.
    """
    scores = after("scores", attn_scores(query, key))
    scores = after("scale", scaled(scores, query.shape[-1]))
    scores = after("mask", masked(scores))
    weights = after("softmax", torch.softmax(scores, dim=-1))
    weights = after("dropout", weights)
    return after("gather", weights @ value)
