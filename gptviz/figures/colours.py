"""Colour scales as numbers, for pictures that are not plotly's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8
from plotly.colors import sample_colorscale, unlabel_rgb


def colour_table(scale: Sequence[str], size: int = 256) -> list[list[int]]:
    """``size`` colours along a scale, each as red, green and blue from 0 to 255."""
    places = [i / (size - 1) for i in range(size)]
    sampled = sample_colorscale(list(scale), places)
    return [[round(value) for value in unlabel_rgb(colour)] for colour in sampled]


def levels(values: Float[np.ndarray, "*shape"], most: float) -> UInt8[np.ndarray, "*shape"]:
    """Places in a colour table of 256: 0 for nothing, 255 for ``most`` and more."""
    return np.rint(255 * np.clip(values / (most or 1), 0, 1)).astype(np.uint8)
