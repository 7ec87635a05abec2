"""Figures of a layer norm show the numbers they are given."""

from __future__ import annotations

import numpy as np
import pytest

from gptviz.figures.norms import learned_lines, spread_at_stages
from gptviz.figures.theme import DARK, LIGHT, Theme


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_a_bar_goes_one_deviation_up_and_down_from_the_mean(theme: Theme) -> None:
    means, variances = np.array([[1.0, -2.0], [0.0, 0.0]]), np.array([[4.0, 9.0], [1.0, 1.0]])
    figure = spread_at_stages(means, variances, ("before", "after"), ["a", "<b>"], theme)
    bars, middles, ones, zeros = figure.data
    assert bars.base.tolist() == [-1, -5]
    assert bars.y.tolist() == [4, 6]
    assert middles.y.tolist() == [1, -2]
    assert middles.customdata.tolist() == [[4, 2], [9, 3]]  # variance, deviation
    assert (ones.base.tolist(), ones.y.tolist()) == ([-1, -1], [2, 2])
    assert zeros.y.tolist() == [0, 0]
    assert [trace.yaxis for trace in figure.data] == ["y", "y", "y2", "y2"]
    titles = [figure.layout[axis].title.text for axis in ("yaxis", "yaxis2", "xaxis")]
    assert titles == ["before", "after", "token"]
    assert figure.layout.xaxis.labelalias == {"0": "a", "1": "&lt;b&gt;"}
    assert figure.layout.paper_bgcolor == theme.background


def test_what_was_learned_is_two_lines() -> None:
    scale, shift = (np.array(row, dtype=np.float32) for row in ([1, 2, 3], [0, -1, 0]))
    figure = learned_lines(scale, shift, LIGHT)
    assert [line.name for line in figure.data] == ["scale", "shift"]
    assert [line.y.tolist() for line in figure.data] == [[1, 2, 3], [0, -1, 0]]
