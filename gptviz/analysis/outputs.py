"""What comes out of any part of the picture for the sentence that was read."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from gptviz.model import NORM_EPS, LayerNorm, merge_heads
from gptviz.tracing import BlockTrace, Trace

Rows = Float[Tensor, "rows columns"]


@torch.inference_mode()
def output_at(trace: Trace, path: str, head: int = 0) -> Rows | None:
    """What comes out of the part at ``path``: a token in each row.

    Inside the heads it is what comes out of one of them, ``head``: a query in each row, a key in
    each column, or the numbers of ``head_dim``. After the output head it is one row, for the token
    after the sentence. None where no numbers come out: of a placeholder, of the text itself and of
    the choice of the next token. Masked scores are minus infinity.

    Raises:
        IndexError: if there is no such layer or head.
        KeyError: if there is no such part.
    """
    name, _, rest = path.partition(".")
    if name == "blocks" and rest:
        layer, _, rest = rest.partition(".")
        return _in_block(trace.blocks[int(layer)], rest, head)
    if name == "final_norm":
        return _in_norm(trace.model.final_norm, _last_resid(trace), rest)
    return _WHOLE[path](trace)


@torch.inference_mode()
def pooled(values: Rows, most: tuple[int, int]) -> Float[Tensor, "fewer_rows fewer_columns"]:
    """Numbers made few enough for a small picture, each the farthest from 0 of its neighbours.

    Args:
        most: rows and columns.
    """
    factors = [math.ceil(size / limit) for size, limit in zip(values.shape, most, strict=True)]
    high, low = (
        F.max_pool2d(signed[None, None], factors, ceil_mode=True)[0, 0]
        for signed in (values, -values)
    )
    return torch.where(high >= low, high, -low)


def _last_resid(trace: Trace) -> Tensor:
    return trace.blocks[len(trace.blocks) - 1].resid_post


_WHOLE: dict[str, Callable[[Trace], Rows | None]] = {
    "tokens": lambda _: None,
    "tok_emb": lambda trace: trace.tok_emb,
    "pos_emb": lambda trace: trace.pos_emb,
    "embeddings": lambda trace: trace.embeddings,
    "embeddings.sum": lambda trace: trace.tok_emb + trace.pos_emb,
    "drop_emb": lambda trace: trace.embeddings,
    "blocks": _last_resid,
    "out_head": lambda trace: trace.last_logits[None],
    "out_head.matmul": lambda trace: trace.last_logits[None],
    "out_head.softmax": lambda trace: trace.probabilities()[None],
    "out_head.sampling": lambda _: None,
    "next_token": lambda trace: trace.probabilities()[None],
}


def _in_block(block: BlockTrace, name: str, head: int) -> Rows | None:
    part, _, step = name.partition(".")
    if part in ("norm1", "norm2"):
        stream = block.resid_pre if part == "norm1" else block.resid_mid
        return _in_norm(block.block.get_submodule(part), stream, step)
    if part == "attention" and step:
        return None if block.attention_out is None else _IN_ATTENTION[step](block, head)
    return _IN_BLOCK[name](block)


_IN_BLOCK: dict[str, Callable[[BlockTrace], Rows | None]] = {
    "": lambda block: block.resid_post,
    "attention": lambda block: _projected(block),
    "drop1": lambda block: block.attention_out,
    "shortcut1": lambda block: block.resid_mid,
    "feed_forward": lambda block: _narrowed(block),
    "feed_forward.linear1": lambda block: block.ff_hidden,
    "feed_forward.gelu": lambda block: block.gelu_out,
    "feed_forward.linear2": lambda block: _narrowed(block),
    "drop2": lambda block: block.feed_forward_out,
    "shortcut2": lambda block: block.resid_post,
}


def _projected(block: BlockTrace) -> Rows | None:
    """What attention makes, before dropout; kept by the pass itself where nothing was dropped."""
    if block.dropout is None or block.attention_out is None:
        return block.attention_out
    return block.block.get_submodule("attention.out_proj")(_merged(block.context_vec))


def _narrowed(block: BlockTrace) -> Rows | None:
    """What the feed-forward makes, before dropout."""
    if block.dropout is None or block.feed_forward_out is None:
        return block.feed_forward_out
    return block.block.get_submodule("feed_forward.linear2")(block.gelu_out)


def _merged(heads: Tensor | None) -> Tensor:
    assert heads is not None
    return merge_heads(heads[None])[0]


def _one(heads: Tensor | None, head: int) -> Tensor:
    assert heads is not None
    return heads[head]


def _scaled(block: BlockTrace, head: int) -> Tensor:
    query, scores = _one(block.q, head), block.attn_scores(head)
    assert scores is not None
    return scores / math.sqrt(query.shape[-1])


def _masked(block: BlockTrace, head: int) -> Tensor:
    scores = _scaled(block, head)
    later = torch.ones_like(scores, dtype=torch.bool).triu(diagonal=1)
    return scores.masked_fill(later, -torch.inf)


_IN_ATTENTION: dict[str, Callable[[BlockTrace, int], Rows | None]] = {
    "query": lambda block, _: _merged(block.q),
    "key": lambda block, _: _merged(block.k),
    "value": lambda block, _: _merged(block.v),
    "split": lambda block, head: _one(block.q, head),
    "core": lambda block, head: _one(block.context_vec, head),
    "core.scores": lambda block, head: block.attn_scores(head),
    "core.scale": _scaled,
    "core.mask": _masked,
    "core.softmax": lambda block, head: block.attn_weights(head),
    "core.dropout": lambda block, head: block.dropped_weights(head),
    "core.gather": lambda block, head: _one(block.context_vec, head),
    "merge": lambda block, _: _merged(block.context_vec),
    "out_proj": lambda block, _: _projected(block),
}


def _in_norm(norm: nn.Module, x: Tensor, step: str) -> Rows | None:
    """The textbook's steps, one by one; all of them together are ``layer_norm``."""
    if not isinstance(norm, LayerNorm):
        return None
    mean = x.mean(dim=-1, keepdim=True)
    variance = x.var(dim=-1, keepdim=True, correction=0)
    normalized = (x - mean) / torch.sqrt(variance + NORM_EPS)
    steps = {
        "mean": mean,
        "variance": variance,
        "normalize": normalized,
        "scale": norm.scale * normalized,
        "shift": norm.scale * normalized + norm.shift,
        "": norm(x),
    }
    return steps[step]
