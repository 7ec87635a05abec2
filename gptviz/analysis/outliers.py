"""Dimensions that are far larger than the others."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

TIMES = 6.0  # the median dimension's size
SHARE = 0.06  # of the sentence's tokens

Values = Float32[np.ndarray, "n_tokens width"]


@dataclass(frozen=True, eq=False)
class Outliers:
    """A station's outlier dimensions, the largest first.

    Args:
        threshold: a number is large if its size (its distance from 0) is above this.
        least_tokens: an outlier dimension is large on at least so many tokens.
        dimensions: their numbers.
        means: the mean of each over the sentence.
        ratios: the mean size of each, divided by that of the median dimension.
        n_tokens: on how many tokens each is large.
    """

    threshold: float
    least_tokens: int
    dimensions: Int64[np.ndarray, " n"]
    means: Float64[np.ndarray, " n"]
    ratios: Float64[np.ndarray, " n"]
    n_tokens: Int64[np.ndarray, " n"]


def mean_sizes(values: Values) -> Float64[np.ndarray, " width"]:
    """How far each dimension's numbers are from 0, on the mean over the sentence's tokens."""
    return np.abs(values).mean(axis=0, dtype=np.float64)


def by_size(values: Values) -> Int64[np.ndarray, " width"]:
    """The dimensions' numbers, the largest ``mean_sizes`` first; equal ones in their order."""
    return np.argsort(-mean_sizes(values), kind="stable")


def outlier_dimensions(values: Values) -> Outliers:
    """Dimensions with numbers above 6 times the median dimension's size, on 6 % of the tokens.

    The size of a dimension is its mean size over the tokens. The rule is that of Dettmers et al.
    2022 (LLM.int8(), section 4.1): sizes of at least 6.0 on at least 6 % of the tokens. Their 6.0
    is for models whose usual numbers have a size about 1; here it is counted in usual sizes, so
    that it fits any model and station. Their third condition, a quarter of the layers, is left to
    the eye: this is about one station.
    """
    sizes = mean_sizes(values)
    threshold = TIMES * float(np.median(sizes))
    least_tokens = max(1, math.ceil(SHARE * len(values)))
    n_large = (np.abs(values) > threshold).sum(axis=0)
    order = by_size(values)
    found = order[n_large[order] >= least_tokens]
    return Outliers(
        threshold,
        least_tokens,
        found,
        values[:, found].mean(axis=0, dtype=np.float64),
        TIMES * sizes[found] / (threshold or np.inf),
        n_large[found],
    )
