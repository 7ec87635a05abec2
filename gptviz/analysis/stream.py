"""The residual stream over all blocks: how large it is, how it turns, and what is added to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32, Float64
from torch import Tensor

from gptviz.tracing.trace import Trace

Map = Float32[np.ndarray, "n_layers n_tokens"]


@dataclass(frozen=True, eq=False)
class Added:
    """How much one part adds, block by block and token by token.

    Args:
        norms: the L2 length of what is added.
        relative: the same, divided by the length of the stream it is added to; not a number where
            that is 0.
    """

    norms: Map
    relative: Map

    @property
    def nbytes(self) -> int:
        """Bytes of both maps."""
        return self.norms.nbytes + self.relative.nbytes


@dataclass(frozen=True, eq=False)
class Stream:
    """What becomes of the residual stream.

    Args:
        norms: each token's L2 length: before block 0, then after each block.
        cosines: of the angle between a token's stream after a block and before it: 1 is the same
            direction, 0 a right angle; not a number where one of them is 0.
        attention, feed_forward: what they add; None where they are placeholders.
    """

    norms: Float32[np.ndarray, "n_places n_tokens"]
    cosines: Map
    attention: Added | None
    feed_forward: Added | None

    @property
    def nbytes(self) -> int:
        """Bytes of all maps."""
        added = [part.nbytes for part in (self.attention, self.feed_forward) if part]
        return self.norms.nbytes + self.cosines.nbytes + sum(added)


@torch.inference_mode()
def stream(trace: Trace, before_each: Callable[[int], object] | None = None) -> Stream:
    """Lengths, turns and additions of the whole sentence in all blocks.

    Where shortcuts are placeholders nothing is added: what a part makes takes the stream's place,
    and is measured all the same.

    Args:
        before_each: called with the layer's number before each layer; what it raises stops the
            work and reaches the caller.
    """
    norms, cosines = [_lengths(trace.embeddings)], []
    added: dict[str, list[tuple[Tensor, Tensor]]] = {"attention": [], "feed_forward": []}
    for block in trace.blocks:
        if before_each is not None:
            before_each(block.layer)
        norms.append(_lengths(block.resid_post))
        cosines.append(_cosines(block.resid_pre, block.resid_post))
        if block.attention_out is not None:
            added["attention"].append(_added(block.attention_out, block.resid_pre))
        if block.feed_forward_out is not None:
            added["feed_forward"].append(_added(block.feed_forward_out, block.resid_mid))
    return Stream(
        _stacked(norms), _stacked(cosines), _maps(added["attention"]), _maps(added["feed_forward"])
    )


def _lengths(x: Float[Tensor, "n_tokens emb_dim"]) -> Float[Tensor, " n_tokens"]:
    return x.float().norm(dim=-1)


def _cosines(
    before: Float[Tensor, "n_tokens emb_dim"], after: Float[Tensor, "n_tokens emb_dim"]
) -> Float[Tensor, " n_tokens"]:
    cosines = F.cosine_similarity(before.float(), after.float(), dim=-1)
    is_zero = (before == 0).all(-1) | (after == 0).all(-1)
    return cosines.masked_fill(is_zero, torch.nan)


def _added(out: Tensor, stream: Tensor) -> tuple[Tensor, Tensor]:
    norms, beside = _lengths(out), _lengths(stream)
    return norms, (norms / beside).masked_fill(beside == 0, torch.nan)


def _stacked(rows: list[Tensor]) -> Float32[np.ndarray, "n_rows n_tokens"]:
    return torch.stack(rows).numpy(force=True)


def _maps(rows: list[tuple[Tensor, Tensor]]) -> Added | None:
    if not rows:
        return None
    norms, relative = zip(*rows, strict=True)
    return Added(_stacked(list(norms)), _stacked(list(relative)))


@dataclass(frozen=True, eq=False)
class Sum:
    """One token's way through one block, as a sum.

    Args:
        names: the trace's names of what is added up: ``resid_pre`` and what is built of
            ``attention_out`` and ``feed_forward_out``.
        parts: their numbers, a row each.
        result: ``resid_post``: the rows' sum, number by number.
        along: how far each part reaches in the result's direction (its dot product with the
            result, divided by the result's length): these sum to the result's length.
    """

    names: tuple[str, ...]
    parts: Float32[np.ndarray, "n_parts emb_dim"]
    result: Float32[np.ndarray, " emb_dim"]
    along: Float64[np.ndarray, " n_parts"]

    @property
    def largest_difference(self) -> float:
        """How far the rows' sum, in the model's order, is from the result: 0 but for a defect."""
        total = self.parts[0]
        for part in self.parts[1:]:
            total = total + part
        return float(np.abs(total - self.result).max())


def token_sum(trace: Trace, layer: int, position: int) -> Sum:
    """``resid_pre`` + attention out + feed-forward out = ``resid_post``, for one token.

    Source: Elhage et al. 2021, A Mathematical Framework for Transformer Circuits.

    Raises:
        IndexError: if there is no such layer or token.
        ValueError: if shortcuts are placeholders in this model: then there is no sum.
    """
    if not trace.config.has("shortcut"):
        raise ValueError("shortcuts are placeholders in this model: nothing is added up")
    block = trace.blocks[layer]
    built = {
        name: tensor[position].float().numpy(force=True)
        for name in ("resid_pre", "attention_out", "feed_forward_out")
        if (tensor := getattr(block, name)) is not None
    }
    parts = np.stack(list(built.values()))
    result = block.resid_post[position].float().numpy(force=True)
    wide = result.astype(np.float64)
    length = np.linalg.norm(wide)
    along = parts.astype(np.float64) @ wide / (length or 1.0)
    return Sum(tuple(built), parts, result, along)
