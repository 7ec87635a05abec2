from __future__ import annotations

import pytest

from gptviz.figures.theme import DARK, LIGHT, Theme
from gptviz.figures.vocabulary import token_counts


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_bar_for_each_size_and_the_models_own_stands_out(theme: Theme) -> None:
    figure = token_counts({257: 12, 8192: 4, 50257: 3}, 8192, theme)
    bars = figure.data[0]
    assert list(bars.x) == ["257", "8,192", "50,257"]
    assert list(bars.y) == [12, 4, 3]
    low, own, high = bars.marker.color
    assert low == high != own
    assert figure.layout.xaxis.type == "category"  # not evenly spaced numbers
