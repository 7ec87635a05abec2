"""The logit lens: what the model would say if it stopped after each layer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from gptviz.quoting import quoted
from gptviz.tracing.trace import Trace


@dataclass(frozen=True, eq=False)
class Lens:
    """What each layer would say comes next: a layer in each row, a position in each column.

    Row 0 is the stream before block 0, row i + 1 the stream after block i; the last row is the
    model's own answer. Column 0 is the token at ``first``.

    Args:
        first: position of the first column.
        token_ids: the likeliest next token.
        probabilities: its share of the whole vocabulary's probability.
        entropies: how undecided the layer is, in bits.
        ranks: where the layer has the model's own answer: 1 for the likeliest.
    """

    first: int
    token_ids: Int64[np.ndarray, "n_rows n_columns"]
    probabilities: Float32[np.ndarray, "n_rows n_columns"]
    entropies: Float32[np.ndarray, "n_rows n_columns"]
    ranks: Int64[np.ndarray, "n_rows n_columns"]

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers."""
        arrays = (self.token_ids, self.probabilities, self.entropies, self.ranks)
        return sum(array.nbytes for array in arrays)


@torch.inference_mode()
def logit_lens(
    trace: Trace,
    first: int,
    n_columns: int,
    before_each: Callable[[int], object] | None = None,
) -> Lens:
    """What each layer would say after the tokens from ``first`` on, ``n_columns`` of them.

    The stream at each place goes through the final norm and the output head as if no block came
    after it. One row is made at a time: ``n_columns`` x ``vocab_size`` numbers.
    Source: nostalgebraist 2020, interpreting GPT: the logit lens.

    Args:
        before_each: called with the row's number before each row; what it raises stops the work and
            reaches the caller.

    Raises:
        IndexError: if the sentence doesn't have these positions.
    """
    n_rows = len(trace.blocks) + 1
    answers = lens_logits(trace, n_rows - 1, first, n_columns).argmax(dim=-1)
    rows = []
    for row in range(n_rows):
        if before_each is not None:
            before_each(row)
        rows.append(_said(lens_logits(trace, row, first, n_columns), answers))
    stacked = (torch.stack(column).numpy(force=True) for column in zip(*rows, strict=True))
    return Lens(first, *stacked)


@torch.inference_mode()
def lens_logits(
    trace: Trace, row: int, first: int, n_columns: int
) -> Float[Tensor, "n_columns vocab_size"]:
    """The scores of one row of ``logit_lens``; those of the last row are the model's own.

    Raises:
        IndexError: if there is no such row, or the sentence doesn't have these positions.
    """
    if not 0 <= first < first + n_columns <= trace.n_tokens:
        raise IndexError(
            f"positions {quoted(first)} to {quoted(first + n_columns - 1)} are not all in the "
            f"sentence: it has 0 to {trace.n_tokens - 1}"
        )
    columns = slice(first, first + n_columns)
    if row == len(trace.blocks):
        normed = trace.stream[columns]
    elif row == 0:
        normed = trace.final_normed(trace.embeddings[columns])
    else:
        normed = trace.final_normed(trace.blocks[row - 1].resid_post[columns])
    return trace.unembed(normed)


def _said(
    logits: Float[Tensor, "n_columns vocab_size"], answers: Int64[Tensor, " n_columns"]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    logs = torch.log_softmax(logits.float(), dim=-1)
    top = logs.max(dim=-1)
    entropies = torch.special.entr(logs.exp()).sum(dim=-1) / math.log(2)
    ranks = 1 + (logs > logs.gather(1, answers[:, None])).sum(dim=-1)
    return top.indices, top.values.exp(), entropies, ranks
