"""The picture of what is kept shows the bytes it is given."""

from __future__ import annotations

import numpy as np
import pytest

from gptviz.figures.kv_cache import cache_growth
from gptviz.figures.theme import DARK, LIGHT, Theme


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_cache_is_a_band_a_layer(theme: Theme) -> None:
    kept = np.array([[10, 20], [30, 40], [50, 60]])
    figure = cache_growth(np.array([4, 5, 6]), kept, theme)
    assert [list(band.y) for band in figure.data] == [[10, 30, 50], [20, 40, 60]]
    assert all(list(band.x) == [4, 5, 6] and band.stackgroup for band in figure.data)
    assert figure.layout.paper_bgcolor == theme.background
