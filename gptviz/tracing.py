"""Run a model once and keep what happened: ``trace`` does it, a ``Trace`` holds it.

It keeps what can't be derived cheaply, and derives the rest, exactly, when asked.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, SupportsIndex, overload

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Int64
from torch import Tensor, nn

from gptviz.config import Dropout, GPTConfig
from gptviz.hooks import WHOLE, BeforeBlock, Recorder, dropped, install_hooks, recording, silenced
from gptviz.interventions import UNCHANGED, Interventions
from gptviz.model import (
    GELU,
    AttentionCore,
    FeedForward,
    GPTModel,
    MultiHeadAttention,
    TransformerBlock,
    attn_scores,
    attn_weights,
    split_heads,
)
from gptviz.quoting import quoted


@dataclass(frozen=True, eq=False)
class BlockTrace:
    """What one block did to the sentence.

    The residual stream before, between and after the two parts is always there. Everything of a
    part that is a placeholder in the configuration is None. What can be made again, to the last
    bit, from the stream and the block's own weights is made when asked for, and not kept. Tensors
    that are one and the same share their memory: this block's ``resid_post`` is the next one's
    ``resid_pre``.

    Args:
        block: the model's own block, not a copy.
        layer: its number.
        dropout: what the pass dropped; None in eval mode.
        resid_pre: the residual stream as the block finds it.
        attention_out: what attention adds to the stream, after dropout.
        feed_forward_out: what the feed-forward adds to the stream, after dropout.
        resid_post: the stream as the block leaves it.
        interventions: what was changed in the pass.
    """

    block: TransformerBlock
    layer: int
    dropout: Dropout | None
    resid_pre: Float[Tensor, "n_tokens emb_dim"]
    attention_out: Float[Tensor, "n_tokens emb_dim"] | None
    feed_forward_out: Float[Tensor, "n_tokens emb_dim"] | None
    resid_post: Float[Tensor, "n_tokens emb_dim"]
    interventions: Interventions = UNCHANGED

    @property
    @torch.inference_mode()
    def normed1(self) -> Float[Tensor, "n_tokens emb_dim"] | None:
        """After the first norm, what attention reads."""
        norm = self.block.norm1
        return None if isinstance(norm, nn.Identity) else norm(self.resid_pre)

    @property
    def q(self) -> Float[Tensor, "n_heads n_tokens head_dim"] | None:
        """Queries, one row a token, for each head."""
        return self._heads_of("query")

    @property
    def k(self) -> Float[Tensor, "n_heads n_tokens head_dim"] | None:
        """Keys, likewise."""
        return self._heads_of("key")

    @property
    def v(self) -> Float[Tensor, "n_heads n_tokens head_dim"] | None:
        """Values, likewise."""
        return self._heads_of("value")

    @torch.inference_mode()
    def _heads_of(self, projection: str) -> Float[Tensor, "n_heads n_tokens head_dim"] | None:
        attention = self.block.attention
        if not isinstance(attention, MultiHeadAttention):
            return None
        # With the batch axis that the pass had, so that the same kernel gives the same bits.
        wide = attention.get_submodule(projection)(self.block.norm1(self.resid_pre[None]))
        return split_heads(wide, attention.n_heads)[0]

    @property
    @torch.inference_mode()
    def resid_mid(self) -> Float[Tensor, "n_tokens emb_dim"]:
        """The stream between attention and feed-forward."""
        shortcut, added = self.block.shortcut1, self.attention_out
        if isinstance(shortcut, nn.Identity):
            return self.block.norm1(self.resid_pre) if added is None else added
        return self.resid_pre if added is None else shortcut(self.resid_pre, added)

    @property
    @torch.inference_mode()
    def normed2(self) -> Float[Tensor, "n_tokens emb_dim"] | None:
        """After the second norm, what the feed-forward reads."""
        norm = self.block.norm2
        return None if isinstance(norm, nn.Identity) else norm(self.resid_mid)

    @property
    @torch.inference_mode()
    def ff_hidden(self) -> Float[Tensor, "n_tokens ff_dim"] | None:
        """The feed-forward's hidden layer before GELU."""
        feed_forward = self.block.feed_forward
        if not isinstance(feed_forward, FeedForward):
            return None
        return feed_forward.linear1(self.block.norm2(self.resid_mid[None]))[0]

    @torch.inference_mode()
    def attn_scores(
        self, head: int | None = None
    ) -> Float[Tensor, "*n_heads n_tokens n_tokens"] | None:
        """How well each query (row) matches each key (column), not scaled and not masked.

        One head's map, or all heads' where ``head`` is None; None without attention.

        Raises:
            IndexError: if there is no such head.
        """
        q, k = self.q, self.k
        if q is None or k is None:
            return None
        heads = _heads(head, len(q))
        return attn_scores(q[heads], k[heads])

    @torch.inference_mode()
    def attn_weights(
        self, head: int | None = None
    ) -> Float[Tensor, "*n_heads n_tokens n_tokens"] | None:
        """How much each query (row) takes from each key (column): every row sums to 1.

        One head's map, or all heads' where ``head`` is None; None without attention. It is what
        the softmax makes, before dropout.

        Raises:
            IndexError: if there is no such head.
        """
        q, k = self.q, self.k
        if q is None or k is None:
            return None
        heads = _heads(head, len(q))
        return attn_weights(q[heads], k[heads])

    @torch.inference_mode()
    def dropped_weights(
        self, head: int | None = None
    ) -> Float[Tensor, "*n_heads n_tokens n_tokens"] | None:
        """``attn_weights`` after dropout, as the values are mixed: in eval mode the same.

        In train mode some weights are 0, the others enlarged: a row sums to 1 only on average.

        Raises:
            IndexError: if there is no such head.
        """
        weights = self.attn_weights()
        if weights is None:
            return None
        heads = _heads(head, len(weights))
        if self.dropout is None:
            return weights[heads]
        return dropped(weights[None], self.dropout, self.layer, "core")[0, heads]

    @property
    @torch.inference_mode()
    def context_vec(self) -> Float[Tensor, "n_heads n_tokens head_dim"] | None:
        """What each head gathered for each token: its weights times the values; 0 if silenced."""
        q, k, v = self.q, self.k, self.v
        if q is None or k is None or v is None:
            return None
        if self.dropout is None:
            gathered = AttentionCore(drop_rate=0.0)(q[None], k[None], v[None])[0]
        else:
            weights = self.dropped_weights()
            assert weights is not None
            gathered = weights @ v
        return silenced(gathered, self.interventions.silenced_in(self.layer))

    @property
    @torch.inference_mode()
    def gelu_out(self) -> Float[Tensor, "n_tokens ff_dim"] | None:
        """The feed-forward's hidden layer after GELU."""
        hidden = self.ff_hidden
        return None if hidden is None else GELU()(hidden)


class BlockTraces(tuple[BlockTrace, ...]):
    """One ``BlockTrace`` a layer, counted from 0; asking for a layer that isn't there says so."""

    @overload
    def __getitem__(self, layer: SupportsIndex) -> BlockTrace: ...
    @overload
    def __getitem__(self, layer: slice) -> tuple[BlockTrace, ...]: ...
    def __getitem__(self, layer: SupportsIndex | slice) -> BlockTrace | tuple[BlockTrace, ...]:
        if isinstance(layer, slice):
            return super().__getitem__(layer)
        return super().__getitem__(_checked("layer", layer, len(self)))


@dataclass(frozen=True, eq=False)
class Trace:
    """One sentence on its way through a model, without a batch axis.

    Its tensors, and those made when asked for, are inference tensors: autograd can't use them
    ("Inference tensors cannot be saved for backward"). A clone made outside of
    ``torch.inference_mode`` can be used: ``trace.stream.clone().requires_grad_()``, under
    ``torch.enable_grad()`` where gradients are off.

    Args:
        config: the model's configuration.
        token_ids: what was read.
        tok_emb: each token's own embedding.
        pos_emb: each position's embedding.
        embeddings: their sum, after dropout: the residual stream before block 0.
        blocks: what happened in each layer.
        stream: what the output head reads, at every position.
        last_logits: the output head's scores for the token after the sentence.
        model: what read it: the shared model itself, not a copy.
        dropout: what the pass dropped (train mode); None in eval mode.
        interventions: what was changed in the pass.
    """

    config: GPTConfig
    token_ids: Int64[Tensor, " n_tokens"]
    tok_emb: Float[Tensor, "n_tokens emb_dim"]
    pos_emb: Float[Tensor, "n_tokens emb_dim"]
    embeddings: Float[Tensor, "n_tokens emb_dim"]
    blocks: BlockTraces = field(repr=False)
    stream: Float[Tensor, "n_tokens emb_dim"]
    last_logits: Float[Tensor, " vocab_size"]
    model: GPTModel = field(repr=False)
    dropout: Dropout | None = None
    interventions: Interventions = UNCHANGED

    @property
    def n_tokens(self) -> int:
        """Length of the sentence, in tokens."""
        return len(self.token_ids)

    @property
    def final_norm(self) -> Float[Tensor, "n_tokens emb_dim"] | None:
        """What the final norm made of the stream; None where norms are placeholders."""
        return self.stream if self.config.has("norm") else None

    @torch.inference_mode()
    def logits(self, position: int = -1) -> Float[Tensor, " vocab_size"]:
        """A score for every possible token after the one at ``position``.

        Positions count from 0; negative ones from the end. The last position's scores come from
        the pass itself, others are made when asked for.

        Raises:
            IndexError: if the sentence has no such position.
        """
        place = position + self.n_tokens if position < 0 else position
        if not 0 <= place < self.n_tokens:
            raise IndexError(
                f"position {quoted(position)} is outside the sentence: its {self.n_tokens} tokens "
                f"are at 0 to {self.n_tokens - 1}, or -{self.n_tokens} to -1 counted from the end"
            )
        if place == self.n_tokens - 1:
            return self.last_logits
        return F.linear(self.stream[place], self.model.out_head.weight)

    @torch.inference_mode()
    def probabilities(self, position: int = -1) -> Float[Tensor, " vocab_size"]:
        """The probability of every possible token after the one at ``position``; they sum to 1.

        Raises:
            IndexError: if the sentence has no such position.
        """
        return torch.softmax(self.logits(position), dim=-1)

    @property
    def nbytes(self) -> int:
        """Bytes kept for this trace alone: shared memory counts once, the model's not at all."""
        holders = (self, *self.blocks)
        values = (getattr(holder, f.name) for holder in holders for f in fields(holder))
        tensors = (v for v in values if isinstance(v, Tensor))
        storages = (tensor.untyped_storage() for tensor in tensors)
        return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def _checked(what: str, index: SupportsIndex, length: int) -> int:
    number = operator.index(index)
    if not 0 <= number < length:
        raise IndexError(
            f"{what} {quoted(number)} isn't there: {what}s count from 0 to {length - 1}"
        )
    return number


def _heads(head: int | None, n_heads: int) -> int | slice:
    return slice(None) if head is None else _checked("head", head, n_heads)


def trace(
    model: GPTModel,
    token_ids: Iterable[int] | Int[Tensor, " n_tokens"],
    before_block: BeforeBlock | None = None,
    dropout: Dropout | None = None,
    interventions: Interventions = UNCHANGED,
) -> Trace:
    """Read one sentence with the model, in one forward pass, and keep what happened.

    Any number of threads may trace one model at the same moment, in train mode or not: torch's
    global random numbers are neither used nor disturbed.

    Args:
        model: in eval mode.
        token_ids: from 1 to ``context_length`` ids of the model's vocabulary.
        before_block: called with the layer's number before each block; what it raises stops the
            pass and reaches the caller.
        dropout: what to drop in this pass, as in train mode; the model itself stays as it is.
        interventions: what to change in this pass, likewise.

    Raises:
        ValueError: if the ids are none, too many or outside the vocabulary, if an intervention is
            about a part that isn't there, or the model is in train mode, where it would drop by
            masks that nobody knows.
    """
    if any(module.training for module in model.modules()):
        raise ValueError("the model is in train mode: call model.eval() before tracing it")
    interventions.check(model.config)
    ids = torch.tensor(checked_ids(model.config, token_ids), device=model.tok_emb.weight.device)
    install_hooks(model)
    recorder = Recorder(before_block, dropout, interventions)
    with torch.inference_mode(), recording(recorder):
        model(ids[None])
        return _trace_of(model, ids, recorder)


def checked_ids(
    config: GPTConfig, token_ids: Iterable[int] | Tensor, n_before: int = 0
) -> list[int]:
    """Token ids as whole numbers that a model can read, after ``n_before`` others.

    Raises:
        ValueError: if they are none, too many or outside the vocabulary.
    """
    ids = token_ids.tolist() if isinstance(token_ids, Tensor) else list(token_ids)
    if not ids or n_before + len(ids) > config.context_length:
        raise ValueError(
            f"{n_before + len(ids)} tokens: this model reads from 1 to {config.context_length} "
            "(context_length) at once"
        )
    for position, token_id in enumerate(ids):
        if not hasattr(token_id, "__index__") or not 0 <= token_id < config.vocab_size:
            raise ValueError(
                f"token id {quoted(token_id)} at position {position} is outside the vocabulary: "
                f"ids are whole numbers from 0 to {config.vocab_size - 1}"
            )
    return [operator.index(token_id) for token_id in ids]


def _trace_of(model: GPTModel, ids: Int64[Tensor, " n_tokens"], recorder: Recorder) -> Trace:
    def kept(layer: int, name: str) -> Any:
        tensor = recorder.kept.get((layer, name))
        return tensor if tensor is None or name == "pos_emb" else tensor[0]  # the batch of one

    names = ("resid_pre", "attention_out", "feed_forward_out", "resid_post")
    return Trace(
        config=model.config,
        token_ids=ids,
        tok_emb=kept(WHOLE, "tok_emb"),
        pos_emb=kept(WHOLE, "pos_emb"),
        embeddings=kept(WHOLE, "embeddings"),
        blocks=BlockTraces(
            BlockTrace(
                block,  # type: ignore[arg-type]
                layer,
                recorder.dropout,
                **{name: kept(layer, name) for name in names},
                interventions=recorder.interventions,
            )
            for layer, block in enumerate(model.blocks)
        ),
        stream=kept(WHOLE, "stream"),
        last_logits=kept(WHOLE, "last_logits"),
        model=model,
        dropout=recorder.dropout,
        interventions=recorder.interventions,
    )
