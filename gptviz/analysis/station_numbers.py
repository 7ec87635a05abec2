"""The sentence's numbers at a station of a block, and what can be said of them in brief."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from gptviz.analysis.stations import stations
from gptviz.quoting import quoted
from gptviz.tracing.trace import Trace


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
    tensor = getattr(trace.blocks[layer], built[path].tensor)
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
