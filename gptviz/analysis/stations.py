"""The sentence's numbers at each station of a block, and what can be said of them in brief."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

from gptviz.config import GPTConfig
from gptviz.quoting import quoted
from gptviz.tracing.trace import BlockTrace, Trace


@dataclass(frozen=True)
class Station:
    """A place in a block where the sentence's numbers can be looked at.

    Args:
        path: the module inside the block that made them.
        name: in plain words.
        term: the term of the field.
        part: the part of ``PLACEHOLDER_PARTS`` it belongs to.
        tensor: finds them in the block's trace.
    """

    path: str
    name: str
    term: str
    part: str
    tensor: Callable[[BlockTrace], Tensor | None]


STATIONS = (
    Station("norm1", "After norm 1", "layer norm, what attention reads", "norm",
            lambda block: block.normed1),
    Station("attention", "What attention adds", "attention output, after out_proj", "attention",
            lambda block: block.attention_out),
    Station("shortcut1", "The stream after attention", "residual stream, resid_mid", "shortcut",
            lambda block: block.resid_mid),
    Station("norm2", "After norm 2", "layer norm, what the feed-forward reads", "norm",
            lambda block: block.normed2),
    Station("feed_forward.linear1", "Hidden layer, before GELU", "pre-activations", "feed_forward",
            lambda block: block.ff_hidden),
    Station("feed_forward.gelu", "Hidden layer, after GELU", "activations", "feed_forward",
            lambda block: block.gelu_out),
    Station("feed_forward", "What the feed-forward adds", "MLP output", "feed_forward",
            lambda block: block.feed_forward_out),
    Station("shortcut2", "The stream after the block", "residual stream, resid_post", "shortcut",
            lambda block: block.resid_post),
)  # fmt: skip


def stations(config: GPTConfig) -> tuple[Station, ...]:
    """The stations that are really built, in forward order."""
    return tuple(station for station in STATIONS if config.has(station.part))


def station_values(trace: Trace, layer: int, path: str) -> Float32[np.ndarray, "n_tokens width"]:
    """The numbers at one station: a token in each row. They are the trace's own: read only.

    Raises:
        IndexError: if there is no such layer.
        ValueError: if no station of this model has that path.
    """
    built = {station.path: station for station in stations(trace.config)}
    if path not in built:
        known = ", ".join(built) or "none, all parts are placeholders"
        raise ValueError(f"there is no station {quoted(path)} in this model: it has {known}")
    tensor = built[path].tensor(trace.blocks[layer])
    assert tensor is not None, path
    values = tensor.float().numpy(force=True)
    values.flags.writeable = False
    return values


@dataclass(frozen=True, eq=False)
class Statistics:
    """Each token's mean, standard deviation (of all its numbers, biased) and norm (L2 length)."""

    mean: Float32[np.ndarray, " n_tokens"]
    std: Float32[np.ndarray, " n_tokens"]
    norm: Float32[np.ndarray, " n_tokens"]


def statistics(values: Float32[np.ndarray, "n_tokens width"]) -> Statistics:
    """What each token's numbers are like; the mean and deviation are what a layer norm removes."""
    return Statistics(
        values.mean(axis=1),
        values.std(axis=1),
        np.linalg.norm(values, axis=1),
    )


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many numbers fall between one edge and the next; the last edge belongs to its bin."""

    counts: Int64[np.ndarray, " n_bins"]
    edges: Float64[np.ndarray, " n_edges"]


def histogram(values: Float32[np.ndarray, "n_tokens width"], bins: int = 80) -> Histogram:
    """How often each size of number occurs at a station, from the least to the greatest."""
    counts, edges = np.histogram(values.astype(np.float64), bins=bins)
    return Histogram(counts, edges)
