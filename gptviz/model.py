"""The GPT, in forward order: embeddings, blocks of attention and feed-forward, output head.

Shapes are written with the names of ``GPTConfig``; ``n_tokens`` is the length of the sentence.
Sources: Radford et al. 2019 (GPT-2), Vaswani et al. 2017 (attention), Ba et al. 2016 (layer norm),
Hendrycks & Gimpel 2016 (GELU).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from gptviz.config import GPTConfig

NORM_EPS = 1e-5
BAND = 2**23  # weights drawn at once: a tenth of a second


def layer_norm(
    x: Float[Tensor, "*batch emb_dim"],
    scale: Float[Tensor, " emb_dim"],
    shift: Float[Tensor, " emb_dim"],
) -> Float[Tensor, "*batch emb_dim"]:
    """Every token's numbers, brought to mean 0 and variance 1, then scaled and shifted.

    The textbook's way (Ba et al. 2016, eq. 4); ``LayerNorm`` does the same at one stroke.
    """
    mean = x.mean(dim=-1, keepdim=True)
    variance = x.var(dim=-1, keepdim=True, correction=0)
    return scale * (x - mean) / torch.sqrt(variance + NORM_EPS) + shift


class LayerNorm(nn.Module):
    """``layer_norm(x, scale, shift)``, computed at one stroke by torch's fused kernel."""

    def __init__(self, emb_dim: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(emb_dim))
        self.shift = nn.Parameter(torch.zeros(emb_dim))

    def forward(self, x: Float[Tensor, "*batch emb_dim"]) -> Float[Tensor, "*batch emb_dim"]:
        return F.layer_norm(x, x.shape[-1:], self.scale, self.shift, NORM_EPS)


def attn_scores(
    query: Float[Tensor, "*batch n_tokens head_dim"], key: Float[Tensor, "*batch n_tokens head_dim"]
) -> Float[Tensor, "*batch n_tokens n_tokens"]:
    """How well each query (row) matches each key (column): their dot product, not yet scaled."""
    return query @ key.transpose(-2, -1)


def attn_weights(
    query: Float[Tensor, "*batch n_tokens head_dim"], key: Float[Tensor, "*batch n_tokens head_dim"]
) -> Float[Tensor, "*batch n_tokens n_tokens"]:
    """How much each query (row) takes from each key (column): every row sums to 1.

    The textbook's way (Vaswani et al. 2017, eq. 1, with the causal mask): scores, scaled by the
    square root of ``head_dim``, keys after the query masked out, softmax.
    """
    scores = attn_scores(query, key) / math.sqrt(query.shape[-1])
    n_tokens = scores.shape[-1]
    later = torch.ones(n_tokens, n_tokens, dtype=torch.bool, device=scores.device).triu(diagonal=1)
    return torch.softmax(scores.masked_fill(later, -torch.inf), dim=-1)


class AttentionCore(nn.Module):
    """``attn_weights(query, key) @ value``, computed at one stroke by torch's fused kernel."""

    def __init__(self, drop_rate: float) -> None:
        super().__init__()
        self.drop_rate = drop_rate

    def forward(
        self,
        query: Float[Tensor, "batch n_heads n_tokens head_dim"],
        key: Float[Tensor, "batch n_heads n_tokens head_dim"],
        value: Float[Tensor, "batch n_heads n_tokens head_dim"],
    ) -> Float[Tensor, "batch n_heads n_tokens head_dim"]:
        drop_rate = self.drop_rate if self.training else 0.0
        return F.scaled_dot_product_attention(
            query, key, value, is_causal=True, dropout_p=drop_rate
        )


class MultiHeadAttention(nn.Module):
    """Masked multi-head attention: each token gathers from itself and the tokens before it."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.n_heads = config.n_heads
        self.query = nn.Linear(config.emb_dim, config.emb_dim, bias=config.qkv_bias)
        self.key = nn.Linear(config.emb_dim, config.emb_dim, bias=config.qkv_bias)
        self.value = nn.Linear(config.emb_dim, config.emb_dim, bias=config.qkv_bias)
        self.core = AttentionCore(config.drop_rate)
        self.out_proj = nn.Linear(config.emb_dim, config.emb_dim)

    def forward(
        self, x: Float[Tensor, "batch n_tokens emb_dim"]
    ) -> Float[Tensor, "batch n_tokens emb_dim"]:
        query = split_heads(self.query(x), self.n_heads)  # (batch, n_heads, n_tokens, head_dim)
        key = split_heads(self.key(x), self.n_heads)
        value = split_heads(self.value(x), self.n_heads)
        context_vec = self.core(query, key, value)
        return self.out_proj(merge_heads(context_vec))


def split_heads(
    x: Float[Tensor, "batch n_tokens emb_dim"], n_heads: int
) -> Float[Tensor, "batch n_heads n_tokens head_dim"]:
    """Cut the last axis into heads and put the heads before the tokens."""
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)


def merge_heads(
    x: Float[Tensor, "batch n_heads n_tokens head_dim"],
) -> Float[Tensor, "batch n_tokens emb_dim"]:
    """Undo ``split_heads``."""
    return x.transpose(1, 2).flatten(-2)


class GELU(nn.Module):
    """A soft on-off switch for each number, in the tanh form that GPT-2 uses."""

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        return F.gelu(x, approximate="tanh")


class FeedForward(nn.Module):
    """Two linear layers with a GELU between them, for each token on its own."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.linear1 = nn.Linear(config.emb_dim, config.ff_dim)
        self.gelu = GELU()
        self.linear2 = nn.Linear(config.ff_dim, config.emb_dim)

    def forward(self, x: Float[Tensor, "*batch emb_dim"]) -> Float[Tensor, "*batch emb_dim"]:
        return self.linear2(self.gelu(self.linear1(x)))


class Shortcut(nn.Module):
    """The residual stream goes straight on; a part only adds to it (He et al. 2015)."""

    def forward(
        self, x: Float[Tensor, "*batch emb_dim"], added: Float[Tensor, "*batch emb_dim"]
    ) -> Float[Tensor, "*batch emb_dim"]:
        return x + added


class TransformerBlock(nn.Module):
    """Attention, then feed-forward: each reads the normed stream and adds its result to it."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        attention, feed_forward = config.has("attention"), config.has("feed_forward")
        norm, shortcut = config.has("norm"), config.has("shortcut")
        self.norm1 = LayerNorm(config.emb_dim) if norm else nn.Identity()
        self.attention = MultiHeadAttention(config) if attention else nn.Identity()
        self.drop1 = nn.Dropout(config.drop_rate) if attention else nn.Identity()
        self.shortcut1 = Shortcut() if shortcut else nn.Identity()
        self.norm2 = LayerNorm(config.emb_dim) if norm else nn.Identity()
        self.feed_forward = FeedForward(config) if feed_forward else nn.Identity()
        self.drop2 = nn.Dropout(config.drop_rate) if feed_forward else nn.Identity()
        self.shortcut2 = Shortcut() if shortcut else nn.Identity()

    def forward(
        self, x: Float[Tensor, "batch n_tokens emb_dim"]
    ) -> Float[Tensor, "batch n_tokens emb_dim"]:
        x = sublayer(x, self.norm1, self.attention, self.drop1, self.shortcut1)
        return sublayer(x, self.norm2, self.feed_forward, self.drop2, self.shortcut2)


def sublayer(
    x: Float[Tensor, "batch n_tokens emb_dim"],
    norm: nn.Module,
    part: nn.Module,
    drop: nn.Module,
    shortcut: nn.Module,
) -> Float[Tensor, "batch n_tokens emb_dim"]:
    """``shortcut(x, drop(part(norm(x))))``, where any of them may be a placeholder."""
    added = drop(part(norm(x)))
    if isinstance(shortcut, nn.Identity):
        return added  # no shortcut, no sum: only what the part made goes on
    if isinstance(part, nn.Identity):
        return x  # nothing was made, so nothing is added
    return shortcut(x, added)


class GPTModel(nn.Module):
    """A GPT: token ids in, a score (logit) for every possible next token out.

    Weights are drawn part by part in forward order with torch's default distributions, from a
    generator of the model's own, so nobody's random numbers are disturbed.

    Args:
        config: what to build.
        seed: where the random weights start; or a generator, which goes on from where it is.
        device: ``"meta"`` gives shapes without memory and draws no weights.
        before_band: see ``draw_weights``.
    """

    def __init__(
        self,
        config: GPTConfig,
        seed: int | torch.Generator = 123,
        device: torch.device | str = "cpu",
        before_band: Callable[[], object] | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        with torch.device("meta"):
            self.tok_emb = nn.Embedding(config.vocab_size, config.emb_dim)
            self.pos_emb = nn.Embedding(config.context_length, config.emb_dim)
            self.drop_emb = nn.Dropout(config.drop_rate)
            self.blocks = nn.ModuleList(TransformerBlock(config) for _ in range(config.n_layers))
            self.final_norm = LayerNorm(config.emb_dim) if config.has("norm") else nn.Identity()
            self.out_head = nn.Linear(config.emb_dim, config.vocab_size, bias=False)
        if torch.device(device).type != "meta":
            self.to_empty(device=device)
        if config.tie_weights:
            self.out_head.weight = self.tok_emb.weight
        if torch.device(device).type != "meta":
            draw_weights(self, seed, before_band)

    def forward(
        self, token_ids: Int[Tensor, "batch n_tokens"]
    ) -> Float[Tensor, "batch n_tokens vocab_size"]:
        n_tokens = token_ids.shape[-1]
        if not 1 <= n_tokens <= self.config.context_length:
            raise ValueError(
                f"{n_tokens} tokens: this model reads from 1 to {self.config.context_length} "
                "(context_length) at once"
            )
        positions = torch.arange(n_tokens, device=token_ids.device)
        x = self.drop_emb(self.tok_emb(token_ids) + self.pos_emb(positions))
        for block in self.blocks:
            x = block(x)
        return self.out_head(self.final_norm(x))


def draw_weights(
    model: GPTModel,
    seed: int | torch.Generator,
    before_band: Callable[[], object] | None = None,
) -> None:
    """Draw every weight anew, part by part in forward order, by torch's default distributions.

    Args:
        before_band: called before each band of weights is drawn; what it raises stops the work and
            reaches the caller.
    """
    generator = seed if isinstance(seed, torch.Generator) else torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, LayerNorm):
            nn.init.ones_(module.scale)
            nn.init.zeros_(module.shift)
        elif isinstance(module, nn.Embedding):
            for band in bands(module.weight, before_band):
                nn.init.normal_(band, generator=generator)
        elif isinstance(module, nn.Linear) and module.weight is not model.tok_emb.weight:
            for band in bands(module.weight, before_band):
                nn.init.kaiming_uniform_(band, a=math.sqrt(5), generator=generator)
            if module.bias is not None:
                bound = 1 / math.sqrt(module.in_features)
                nn.init.uniform_(module.bias, -bound, bound, generator=generator)


def bands(
    weight: Float[Tensor, "rows columns"], before_band: Callable[[], object] | None = None
) -> Iterator[Float[Tensor, "_ columns"]]:
    """A weight in bands of rows, which share its memory: drawn in turn, they get the same numbers.

    torch draws normal numbers in groups of 16, and fewer than 16 in another way: so every band but
    the last has 16 rows or a multiple, and the last, which has the rest, no fewer.
    """
    rows = max(1, BAND // (16 * weight.shape[1])) * 16
    starts = range(rows, len(weight) - rows + 1, rows)
    for band in weight.detach().tensor_split(list(starts)):
        if before_band is not None:
            before_band()
        yield band
