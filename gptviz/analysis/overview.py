"""What goes on inside a model, made small enough to be seen at a glance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from gptviz.analysis.attention import require_attention
from gptviz.model import attn_weights
from gptviz.tracing.trace import Trace

BAND = 128  # queries worked on at once
MOST_CELLS = 1_200_000  # of all heads' maps together: what a browser draws and is sent at once
MOST_ROWS, LEAST_ROWS = 64, 8  # of one head's map


@dataclass(frozen=True, eq=False)
class Overview:
    """Every head's attention map, made small.

    Args:
        maps: 255 times the square root of the weight, so that faint weights can be seen: query in
            the row, key in the column.
        factor: how many tokens share a row or column; each cell shows the largest of its
            factor x factor weights, so that a bright one survives.
    """

    maps: UInt8[np.ndarray, "n_layers n_heads size size"]
    factor: int

    @property
    def nbytes(self) -> int:
        """Bytes of the maps."""
        return self.maps.nbytes


@torch.inference_mode()
def all_heads(
    trace: Trace, most: int | None = None, before_each: Callable[[int], object] | None = None
) -> Overview:
    """An overview with at most ``most`` rows and columns a head.

    No whole map is ever in memory.

    Args:
        most: by default 64, or fewer where a model has very many heads: see ``rows_of_each``.
        before_each: called with the layer's number before each layer; what it raises stops the
            work and reaches the caller.

    Raises:
        ValueError: if attention is a placeholder in this model.
    """
    most = rows_of_each(trace.config.n_layers * trace.config.n_heads) if most is None else most
    layers = []
    for layer in range(len(trace.blocks)):
        if before_each is not None:
            before_each(layer)
        layers.append(layer_heads(trace, layer, most))
    return Overview(np.stack(layers), _factor(trace, most))


def rows_of_each(n_maps: int) -> int:
    """Rows and columns for each of so many maps, so that all together can be drawn: 8 to 64."""
    return min(MOST_ROWS, max(LEAST_ROWS, math.isqrt(MOST_CELLS // n_maps)))


def layer_heads(
    trace: Trace, layer: int, most: int = MOST_ROWS
) -> UInt8[np.ndarray, "n_heads size size"]:
    """One layer of ``all_heads``.

    Raises:
        IndexError: if there is no such layer.
        ValueError: if attention is a placeholder in this model.
    """
    weights = largest_weights(trace, layer, most)
    return np.rint(255 * np.sqrt(weights)).astype(np.uint8)


@torch.inference_mode()
def largest_weights(
    trace: Trace, layer: int, most: int = MOST_ROWS
) -> Float32[np.ndarray, "n_heads size size"]:
    """The weights that ``layer_heads`` draws, as they are: the largest of each cell.

    Raises:
        IndexError: if there is no such layer.
        ValueError: if attention is a placeholder in this model.
    """
    require_attention(trace)
    block = trace.blocks[layer]
    both = block.qk
    assert both is not None, layer
    small = _largest_weights(*both, _factor(trace, most))
    return small.float().numpy(force=True)


@torch.inference_mode()
def last_hidden(trace: Trace, layer: int, most: int = 256) -> Float32[np.ndarray, " size"] | None:
    """The last token's hidden layer after GELU: sizes without sign, the largest of all is 1.

    At most ``most`` numbers: each is the largest of its neighbours. None without a feed-forward.

    Raises:
        IndexError: if there is no such layer.
    """
    hidden = trace.blocks[layer].gelu_out
    if hidden is None:
        return None
    sizes = hidden[-1].float().abs()
    pooled = F.max_pool1d(sizes[None, None], math.ceil(len(sizes) / most), ceil_mode=True)[0, 0]
    return (pooled / pooled.max().clamp_min(1e-12)).numpy(force=True)


@torch.inference_mode()
def pooled(
    values: Float[Tensor, "rows columns"], most: tuple[int, int]
) -> Float[Tensor, "fewer_rows fewer_columns"]:
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


def _factor(trace: Trace, most: int) -> int:
    return math.ceil(trace.n_tokens / most)


def _largest_weights(
    q: Float[Tensor, "n_heads n_tokens head_dim"],
    k: Float[Tensor, "n_heads n_tokens head_dim"],
    factor: int,
) -> Float[Tensor, "n_heads size size"]:
    n_heads, n_tokens, _ = q.shape
    size = math.ceil(n_tokens / factor)
    largest = q.new_zeros(n_heads, size, size)
    # A band of queries at a time: no work above the diagonal, and the numbers stay in the
    # processor's cache. At 1,024 tokens it is six times faster than whole maps.
    step = factor * max(1, BAND // factor)
    for first in range(0, n_tokens, step):
        weights = _weights_of_band(q, k, first, min(first + step, n_tokens))
        pooled = _max_pooled(weights, factor)
        row = first // factor
        largest[:, row : row + pooled.shape[1], : pooled.shape[2]] = pooled
    return largest


def _weights_of_band(
    q: Float[Tensor, "n_heads n_tokens head_dim"],
    k: Float[Tensor, "n_heads n_tokens head_dim"],
    first: int,
    last: int,
) -> Float[Tensor, "n_heads {last-first} {last}"]:
    """``attn_weights``, for the queries from ``first`` up to ``last`` and the keys they see."""
    return attn_weights(q[:, first:last], k[:, :last])


def _max_pooled(
    weights: Float[Tensor, "n_heads n_queries n_keys"], factor: int
) -> Float[Tensor, "n_heads rows columns"]:
    # The last row and column may stand for fewer tokens than the others.
    missing = [-length % factor for length in weights.shape[1:]]
    if any(missing):
        weights = F.pad(weights, (0, missing[1], 0, missing[0]))
    rows = weights.unflatten(-2, (-1, factor)).amax(dim=-2)  # (n_heads, rows, n_keys)
    return rows.unflatten(-1, (-1, factor)).amax(dim=-1)
