"""Colour scales as numbers, for pictures that are not plotly's."""

from __future__ import annotations

from collections.abc import Sequence

from plotly.colors import sample_colorscale, unlabel_rgb


def colour_table(scale: Sequence[str], size: int = 256) -> list[list[int]]:
    """``size`` colours along a scale, each as red, green and blue from 0 to 255."""
    places = [i / (size - 1) for i in range(size)]
    sampled = sample_colorscale(list(scale), places)
    return [[round(value) for value in unlabel_rgb(colour)] for colour in sampled]
