"""Who said it: a token's score as a sum of what each part of the model adds to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from gptviz.model import NORM_EPS
from gptviz.quoting import quoted
from gptviz.tracing.block_trace import BlockTrace
from gptviz.tracing.hooks import mask
from gptviz.tracing.trace import Trace


@dataclass(frozen=True, eq=False)
class Attribution:
    """What each part adds to a token's logit; or to the difference of two tokens' logits.

    Args:
        tok_emb, pos_emb: the embeddings of the token at the position, and of the position.
        heads: each head, through its own columns of ``out_proj``; none where attention is a
            placeholder.
        attention_bias: the bias of each layer's ``out_proj``, which belongs to no head; likewise.
        feed_forward: each layer's feed-forward, its bias included; none where it is a placeholder.
        norm_shift: the final norm's shift, which is the same for every sentence.
        logit: the model's own score, from the output head. The parts sum to it.
    """

    tok_emb: float
    pos_emb: float
    heads: Float64[np.ndarray, "n_layers n_heads"] | None
    attention_bias: Float64[np.ndarray, " n_layers"] | None
    feed_forward: Float64[np.ndarray, " n_layers"] | None
    norm_shift: float
    logit: float

    @property
    def attention(self) -> Float64[np.ndarray, " n_layers"] | None:
        """What each layer's attention adds: all its heads and the bias."""
        if self.heads is None or self.attention_bias is None:
            return None
        return self.heads.sum(axis=1) + self.attention_bias

    @property
    def total(self) -> float:
        """The sum of all parts."""
        layers = (self.attention, self.feed_forward)
        added = sum(float(numbers.sum()) for numbers in layers if numbers is not None)
        return self.tok_emb + self.pos_emb + added + self.norm_shift

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers."""
        arrays = (self.heads, self.attention_bias, self.feed_forward)
        return 8 * 4 + sum(array.nbytes for array in arrays if array is not None)


@torch.inference_mode()
def attribution(
    trace: Trace,
    token_id: int,
    against: int | None = None,
    position: int = -1,
    before_each: Callable[[int], object] | None = None,
) -> Attribution:
    r"""Split the score for ``token_id`` after the token at ``position`` among the parts.

    The stream is a sum, and with the mean :math:`\mu` and deviation :math:`\sigma` that the final
    norm found there, the score is linear in it: with the output head's row w of the token,
    logit = Σ over parts of part · u, plus w · shift, where u = (scale w - mean(scale w)) / σ
    (taking the mean from a part and then weighing it is weighing it with the mean taken from the
    weights). σ itself belongs to the sentence: what a part does to it is not told apart here.
    Exact with dropout too, as a mask only multiplies.
    Source: Elhage et al. 2021, A Mathematical Framework for Transformer Circuits.

    Args:
        against: another token: the score is then the difference of the two.
        before_each: called with the layer's number before each layer; what it raises stops the
            work and reaches the caller.

    Raises:
        IndexError: if there is no such position or token.
        ValueError: if shortcuts are placeholders in this model: the stream is no sum then.
    """
    if not trace.config.has("shortcut"):
        raise ValueError(
            "shortcuts are placeholders in this model: each part replaces the stream in place of "
            "adding to it, so the score is no sum over parts"
        )
    logits = trace.logits(position)
    place = position % trace.n_tokens
    direction, norm_shift = _direction(trace, place, _row(trace, token_id, against))
    tok_emb, pos_emb = (
        _weighed(_dropped(each, trace, place), direction)
        for each in (trace.tok_emb[place], trace.pos_emb[place])
    )
    heads, biases, feed_forward = [], [], []
    for block in trace.blocks:
        if before_each is not None:
            before_each(block.layer)
        if block.attention_out is not None:
            found, bias = _of_attention(trace, block, place, direction)
            heads.append(found)
            biases.append(bias)
        if block.feed_forward_out is not None:
            feed_forward.append(_weighed(block.feed_forward_out[place], direction))
    return Attribution(
        tok_emb=float(tok_emb),
        pos_emb=float(pos_emb),
        heads=_stacked(heads),
        attention_bias=_stacked(biases),
        feed_forward=_stacked(feed_forward),
        norm_shift=norm_shift,
        logit=float(logits[token_id]) - (0 if against is None else float(logits[against])),
    )


def _row(trace: Trace, token_id: int, against: int | None) -> Float[Tensor, " emb_dim"]:
    """The output head's row of the token, less that of the other one."""
    weight, last = trace.weight("out_head.weight"), trace.config.vocab_size - 1
    for each in (token_id, against):
        if each is not None and not 0 <= each <= last:
            raise IndexError(f"token id {quoted(each)} isn't there: ids go from 0 to {last}")
    row = weight[token_id].double()
    return row if against is None else row - weight[against].double()


def _direction(
    trace: Trace, place: int, row: Float[Tensor, " emb_dim"]
) -> tuple[Float[Tensor, " emb_dim"], float]:
    """What a part's numbers are weighed with, and what the final norm's shift adds."""
    if not trace.config.has("norm"):
        return row, 0.0
    scale, shift = (trace.weight(f"final_norm.{name}").double() for name in ("scale", "shift"))
    deviation = torch.sqrt(trace.last_resid[place].double().var(correction=0) + NORM_EPS)
    scaled = scale * row
    return (scaled - scaled.mean()) / deviation, float(shift @ row)


def _dropped(x: Float[Tensor, " emb_dim"], trace: Trace, place: int) -> Float[Tensor, " emb_dim"]:
    """One embedding as the embeddings' dropout lets it through."""
    if trace.dropout is None:
        return x
    stays = mask(trace.dropout, "drop_emb", (1, *trace.embeddings.shape))[0, place]
    return x * stays.to(x.device) / (1 - trace.dropout.rate)


def _of_attention(
    trace: Trace, block: BlockTrace, place: int, direction: Float[Tensor, " emb_dim"]
) -> tuple[Float[Tensor, " n_heads"], Float[Tensor, ""]]:
    """What each head, and the bias of out_proj, adds by way of ``direction``."""
    path, dropout, context_vec = f"blocks.{block.layer}", trace.dropout, block.context_vec
    assert context_vec is not None, block.layer
    if dropout is not None:  # what stays after out_proj is weighed more, the rest not at all
        stays = mask(dropout, f"{path}.drop1", (1, *block.resid_pre.shape))[0, place]
        direction = direction * stays.to(direction.device) / (1 - dropout.rate)
    weight, bias = (trace.weight(f"{path}.attention.out_proj.{n}") for n in ("weight", "bias"))
    gathered = context_vec[:, place]  # (n_heads, head_dim)
    wanted = (direction @ weight.double()).unflatten(-1, gathered.shape)
    return (gathered.double() * wanted).sum(dim=-1), _weighed(bias, direction)


def _weighed(
    part: Float[Tensor, " emb_dim"], direction: Float[Tensor, " emb_dim"]
) -> Float[Tensor, ""]:
    return part.double() @ direction


def _stacked(layers: list[Tensor]) -> Float64[np.ndarray, "n_layers ..."] | None:
    return torch.stack(layers).numpy(force=True) if layers else None
