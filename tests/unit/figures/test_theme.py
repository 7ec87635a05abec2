"""Colours along a scale, and words that can be read on them."""

from __future__ import annotations

from itertools import pairwise
from math import isclose

import pytest
from PIL import ImageColor
from plotly.colors import sample_colorscale, unlabel_rgb

from gptviz.figures.theme import DARK, LIGHT, Theme, along, readable_on


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance, with the constants of the standard."""
    channels = [c / 255 for c in ImageColor.getrgb(colour)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_colour_along_a_scale_is_the_one_that_plotly_draws(theme: Theme) -> None:
    # Plotly cuts fractions off.
    shares = [i / 50 for i in range(51)]
    drawn = sample_colorscale(list(theme.sequential), shares)
    for share, colour in zip(shares, drawn, strict=True):
        ours = ImageColor.getrgb(along(theme.sequential, share))
        assert all(
            isclose(a, b, abs_tol=1.01) for a, b in zip(ours, unlabel_rgb(colour), strict=True)
        )
    assert along(theme.sequential, 0) == theme.sequential[0]
    assert along(theme.sequential, 1) == theme.sequential[-1]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_words_stand_out_from_every_colour_of_a_scale(theme: Theme) -> None:
    for i in range(101):
        colour = along(theme.sequential, i / 100)
        assert contrast(colour, readable_on(colour)) >= 4.5  # WCAG AA


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_more_is_always_farther_from_the_background(theme: Theme) -> None:
    steps = [contrast(theme.background, along(theme.sequential, i / 31)) for i in range(32)]
    assert all(a < b for a, b in pairwise(steps[1:]))
