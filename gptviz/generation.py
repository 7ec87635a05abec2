"""Write on: a text goes in, and a token at a time comes out, each drawn and then read in turn.

Tokens that were read once are not read again: their keys and values are kept (the KV cache). The
model's own modules do all the work, so the text is the one that reading the whole sentence anew for
each token would give; only the attention of the new tokens is written here a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from gptviz.config import Sampling
from gptviz.hooks import BeforeBlock
from gptviz.model import (
    GPTModel,
    MultiHeadAttention,
    TransformerBlock,
    merge_heads,
    split_heads,
    sublayer,
)
from gptviz.quoting import quoted
from gptviz.tokenizer import FULL_VOCAB_SIZE
from gptviz.tracing import checked_ids


@torch.inference_mode()
def filtered(
    logits: Float[Tensor, " vocab_size"], sampling: Sampling
) -> Float[Tensor, " vocab_size"]:
    """The probabilities that a token is drawn by: 0 for what was cut, the others sum to 1.

    Temperature comes first, then top-k, then top-p, and the shares of what is left are made to sum
    to 1 again after each. Of two tokens with the same score, the first is the likelier.
    """
    if not sampling.temperature:
        return torch.zeros_like(logits, dtype=torch.float64).index_fill_(0, logits.argmax(), 1)
    # In double, and against the largest: so any temperature above 0 gives a number.
    scores = (logits.double() - logits.max()) / sampling.temperature
    if not sampling.top_k and sampling.top_p == 1:
        return torch.softmax(scores, dim=-1)
    scores, order = scores.sort(descending=True, stable=True)
    scores[sampling.top_k or len(scores) :] = -torch.inf
    shares = torch.softmax(scores, dim=-1)
    before = shares.cumsum(dim=-1) - shares  # what the likelier ones have together
    shares = shares * (before < sampling.top_p)
    return torch.empty_like(shares).scatter_(0, order, shares / shares.sum())


class Reader:
    """Reads a text with a model bit by bit, every token once, and keeps keys and values.

    Any number of readers, in any number of threads, may read with one model.

    Raises:
        ValueError: if the model is in train mode, where it would drop numbers at random.
    """

    def __init__(self, model: GPTModel) -> None:
        if any(module.training for module in model.modules()):
            raise ValueError("the model is in train mode: call model.eval() before writing with it")
        self.model = model
        self.n_tokens = 0
        self._blocks = cast("list[TransformerBlock]", list(model.blocks))
        self._attentions = [_cached(block.attention) for block in self._blocks]

    @property
    def layer_bytes(self) -> tuple[int, ...]:
        """Bytes of keys and values kept in each layer; 0 where attention is a placeholder."""
        return tuple(
            attention.nbytes if isinstance(attention, CachedAttention) else 0
            for attention in self._attentions
        )

    @property
    def nbytes(self) -> int:
        """Bytes of keys and values kept in all layers."""
        return sum(self.layer_bytes)

    @torch.inference_mode()
    def read(
        self, token_ids: Iterable[int], before_block: BeforeBlock | None = None
    ) -> Float[Tensor, " vocab_size"]:
        """Read on, and give the scores for the token after the last one read.

        A pass that ``before_block`` breaks off leaves this reader useless.

        Raises:
            ValueError: if the ids are none, outside the vocabulary, or too many to be read.
        """
        model = self.model
        ids = torch.tensor(
            checked_ids(model.config, token_ids, self.n_tokens), device=model.tok_emb.weight.device
        )
        positions = torch.arange(self.n_tokens, self.n_tokens + len(ids), device=ids.device)
        x = model.drop_emb(model.tok_emb(ids[None]) + model.pos_emb(positions))
        for layer, (block, attention) in enumerate(
            zip(self._blocks, self._attentions, strict=True)
        ):
            if before_block is not None:
                before_block(layer)
            x = sublayer(x, block.norm1, attention, block.drop1, block.shortcut1)
            x = sublayer(x, block.norm2, block.feed_forward, block.drop2, block.shortcut2)
        self.n_tokens += len(ids)
        return model.out_head(model.final_norm(x[:, -1:]))[0, 0]


class CachedAttention(nn.Module):
    """A model's own attention, for new tokens alone: it keeps the keys and values of those before.

    Args:
        attention: the shared model's module; it stays as it is.
    """

    def __init__(self, attention: MultiHeadAttention) -> None:
        super().__init__()
        self.attention = attention
        width = attention.query.in_features // attention.n_heads
        self.keys = attention.query.weight.new_empty(1, attention.n_heads, 0, width)
        self.values = self.keys

    @property
    def nbytes(self) -> int:
        """Bytes of the keys and values kept."""
        return self.keys.nbytes + self.values.nbytes

    def forward(
        self, x: Float[Tensor, "batch n_new emb_dim"]
    ) -> Float[Tensor, "batch n_new emb_dim"]:
        attention, n_before = self.attention, self.keys.shape[2]
        query, key, value = (
            split_heads(projection(x), attention.n_heads)
            for projection in (attention.query, attention.key, attention.value)
        )
        self.keys = torch.cat([self.keys, key], dim=2)  # (1, n_heads, n_tokens, head_dim)
        self.values = torch.cat([self.values, value], dim=2)
        pairs = torch.ones(x.shape[1], self.keys.shape[2], dtype=torch.bool, device=x.device)
        seen = pairs.tril(diagonal=n_before)  # a new token sees all before it, and itself
        context_vec = F.scaled_dot_product_attention(query, self.keys, self.values, attn_mask=seen)
        return attention.out_proj(merge_heads(context_vec))


def _cached(attention: nn.Module) -> nn.Module:
    return CachedAttention(attention) if isinstance(attention, MultiHeadAttention) else attention


@dataclass(frozen=True, eq=False)
class Generated:
    """A token that was written.

    Args:
        token_id: what it is.
        position: its place in the text, counted from 0.
        probability: its share of what it was drawn from, that is of ``filtered``.
        logits: the model's scores, before ``filtered``.
        layer_bytes: bytes of keys and values in each layer when it was drawn: of the
            ``position`` tokens before it.
    """

    token_id: int
    position: int
    probability: float
    logits: Float[Tensor, " vocab_size"]
    layer_bytes: tuple[int, ...]


def generate(
    model: GPTModel,
    token_ids: Iterable[int] | Int[Tensor, " n_tokens"],
    n: int,
    sampling: Sampling | None = None,
    seed: int = 123,
    before_block: BeforeBlock | None = None,
) -> Iterator[Generated]:
    """Write up to ``n`` tokens after a text, each as soon as it is drawn.

    It ends earlier after ``<|endoftext|>``, and where the context is full: a token at position
    ``context_length`` can be drawn but not read, for the model has learned no position for it.
    (Dropping the oldest tokens would shift every position, and all that is kept would be wrong.)

    The draw at a position depends on the seed and the position alone, so a text written in two
    goes is the text written in one, and torch's global random numbers are neither used nor
    disturbed. Any number of threads may write with one model.

    Args:
        model: in eval mode.
        token_ids: from 1 to ``context_length`` ids of the model's vocabulary.
        sampling: how to draw; by the model's own probabilities if None.
        before_block: called with the layer's number before each block of each step; what it
            raises ends the writing and reaches the caller.

    Raises:
        ValueError: at once, if the ids are none, too many or outside the vocabulary, ``n`` is
            below 0, or the model is in train mode.
    """
    ids = checked_ids(model.config, token_ids)
    if n < 0:
        raise ValueError(f"n={quoted(n)} tokens can't be written: ask for 0 or more")
    return _written(Reader(model), ids, n, sampling or Sampling(), seed, before_block)


def _written(
    reader: Reader,
    new_ids: list[int],
    n: int,
    sampling: Sampling,
    seed: int,
    before_block: BeforeBlock | None,
) -> Iterator[Generated]:
    config = reader.model.config
    end_of_text = min(config.vocab_size, FULL_VOCAB_SIZE) - 1
    for _ in range(n):
        logits = reader.read(new_ids, before_block)
        position = reader.n_tokens
        token_id, probability = _draw(logits, sampling, seed, position)
        yield Generated(token_id, position, probability, logits, reader.layer_bytes)
        if token_id == end_of_text or position == config.context_length:
            return
        new_ids = [token_id]


def _draw(
    logits: Float[Tensor, " vocab_size"], sampling: Sampling, seed: int, position: int
) -> tuple[int, float]:
    probabilities = filtered(logits, sampling).cpu()
    place = sha256(f"{seed} {position}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(place[:4]))
    token_id = int(torch.multinomial(probabilities, 1, generator=generator))
    return token_id, float(probabilities[token_id])
