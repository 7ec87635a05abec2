"""The model, textbook-plain. To read it in forward order: ``gpt``, ``positions``, ``block``,
``norms``, ``attention`` (with ``kv_cache``), ``feed_forward``.

Shapes are written with the names of ``GPTConfig``; ``n_tokens`` is the length of the sentence.
"""

from gptviz.model.attention import (
    AttentionCore,
    MultiHeadAttention,
    attend,
    attn_scores,
    attn_weights,
    masked,
    merge_heads,
    scaled,
    split_heads,
)
from gptviz.model.block import Shortcut, TransformerBlock, joined
from gptviz.model.feed_forward import GELU, FeedForward
from gptviz.model.gpt import GPTModel, bands, draw_weights
from gptviz.model.kv_cache import KVCache, LayerCache
from gptviz.model.norms import NORM_EPS, LayerNorm, layer_norm, layer_norm_steps, norm
from gptviz.model.positions import check_length, positions

__all__ = [
    "GELU",
    "NORM_EPS",
    "AttentionCore",
    "FeedForward",
    "GPTModel",
    "KVCache",
    "LayerCache",
    "LayerNorm",
    "MultiHeadAttention",
    "Shortcut",
    "TransformerBlock",
    "attend",
    "attn_scores",
    "attn_weights",
    "bands",
    "check_length",
    "draw_weights",
    "joined",
    "layer_norm",
    "layer_norm_steps",
    "masked",
    "merge_heads",
    "norm",
    "positions",
    "scaled",
    "split_heads",
]
