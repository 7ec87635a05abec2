"""The transformer block: attention and feed-forward, each between a norm and a shortcut.

Source: He et al. 2015 (shortcuts).
"""

from __future__ import annotations

from functools import partial

from jaxtyping import Float
from torch import Tensor, nn

from gptviz.config import GPTConfig
from gptviz.model.attention import MultiHeadAttention
from gptviz.model.feed_forward import FeedForward
from gptviz.model.kv_cache import LayerCache
from gptviz.model.norms import norm


class TransformerBlock(nn.Module):
    """Attention, then feed-forward: each reads the normed stream and adds its result to it."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        attention, feed_forward = config.has("attention"), config.has("feed_forward")
        shortcut = config.has("shortcut")
        self.norm1 = norm(config)
        self.attention = MultiHeadAttention(config) if attention else nn.Identity()
        self.drop1 = nn.Dropout(config.drop_rate) if attention else nn.Identity()
        self.shortcut1 = Shortcut() if shortcut else nn.Identity()
        self.norm2 = norm(config)
        self.feed_forward = FeedForward(config) if feed_forward else nn.Identity()
        self.drop2 = nn.Dropout(config.drop_rate) if feed_forward else nn.Identity()
        self.shortcut2 = Shortcut() if shortcut else nn.Identity()

    def forward(
        self, x: Float[Tensor, "batch n_tokens emb_dim"], cache: LayerCache | None = None
    ) -> Float[Tensor, "batch n_tokens emb_dim"]:
        attention = partial(self.attention, cache=cache) if cache else self.attention
        return self.second_half(
            joined(x, self.drop1(attention(self.norm1(x))), self.attention, self.shortcut1)
        )

    def second_half(
        self, x: Float[Tensor, "batch n_tokens emb_dim"]
    ) -> Float[Tensor, "batch n_tokens emb_dim"]:
        """From the stream between attention and feed-forward to the stream after the block."""
        return joined(
            x, self.drop2(self.feed_forward(self.norm2(x))), self.feed_forward, self.shortcut2
        )


def joined(
    x: Float[Tensor, "batch n_tokens emb_dim"],
    added: Float[Tensor, "batch n_tokens emb_dim"],
    part: nn.Module,
    shortcut: nn.Module,
) -> Float[Tensor, "batch n_tokens emb_dim"]:
    """The stream after a part, where part and shortcut may be placeholders."""
    if isinstance(shortcut, nn.Identity):
        return added  # no shortcut, no sum: only what the part made goes on
    if isinstance(part, nn.Identity):
        return x  # nothing was made, so nothing is added
    return shortcut(x, added)


class Shortcut(nn.Module):
    """The residual stream goes straight on; a part only adds to it."""

    def forward(
        self, x: Float[Tensor, "*batch emb_dim"], added: Float[Tensor, "*batch emb_dim"]
    ) -> Float[Tensor, "*batch emb_dim"]:
        return x + added
