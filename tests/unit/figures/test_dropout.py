"""Figures of dropout show the mask and the numbers they are given."""

from __future__ import annotations

import numpy as np
import pytest

from gptviz.figures.dropout import before_and_after, dropped_shares, mask_map
from gptviz.figures.theme import DARK, LIGHT, Theme

STAYS = np.array([[True, False, True], [False, True, True]])


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_mask_colours_what_was_dropped(theme: Theme) -> None:
    figure = mask_map(STAYS, ["x", "a", "<b>"], theme, first=1)
    heatmap = figure.data[0]
    assert heatmap.z.tolist() == [[1, 0, 1], [0, 1, 1]]
    assert heatmap.colorscale == ((0, theme.kinds["head"]), (1, theme.sequential[0]))
    assert (heatmap.y0, figure.layout.yaxis.range) == (1, (2.5, 0.5))
    assert figure.layout.yaxis.labelalias["2"] == "&lt;b&gt;"


def test_shares_stand_beside_the_rate() -> None:
    figure = dropped_shares(np.array([0.5, 0.25], dtype=np.float32), 0.3, ["a", "b"], LIGHT)
    assert figure.data[0].y.tolist() == [0.5, 0.25]
    assert (figure.layout.shapes[0].y0, figure.layout.shapes[0].y1) == (0.3, 0.3)
    assert figure.layout.annotations[0].text == "drop_rate 30%"


def test_what_stays_and_what_is_dropped_are_points_of_two_kinds() -> None:
    before = np.array([1, 2, -3], dtype=np.float32)
    after = np.array([2, 0, -6], dtype=np.float32)
    stay, dropped = before_and_after(before, after, STAYS[0], LIGHT).data
    assert (stay.name, stay.x.tolist(), stay.y.tolist()) == ("stays, enlarged", [1, -3], [2, -6])
    assert (dropped.name, dropped.x.tolist(), dropped.y.tolist()) == ("dropped", [2], [0])
    assert (stay.customdata.tolist(), dropped.customdata.tolist()) == ([0, 2], [1])
