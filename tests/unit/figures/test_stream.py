"""Figures of the residual stream show the numbers they are given."""

from __future__ import annotations

import numpy as np
import pytest

from gptviz.figures.stream import log_limits, size_map, sum_strips, token_path, turn_map
from gptviz.figures.theme import DARK, LIGHT, Theme

LABELS = ["Once", "<b>", "$x$"]
ALIAS = {"0": "Once", "1": "&lt;b&gt;", "2": "&#36;x&#36;"}
SIZES = np.array([[0.1, 0, 0.2], [3, 4, np.nan], [30, 400, 50]], dtype=np.float32)


@pytest.fixture(params=[LIGHT, DARK], ids=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> Theme:
    return request.param


def test_the_scale_leaves_the_first_rows_and_what_is_no_size_out() -> None:
    assert log_limits(SIZES) == (3, 400)
    assert log_limits(SIZES, np.array([[9000, 1, 1], [2, 5, 5], [3, 3, 3]], dtype=np.float32)) == (
        2,
        400,
    )
    assert log_limits(SIZES[:1]) == (pytest.approx(0.1), pytest.approx(0.2))  # a single row counts
    assert log_limits(np.zeros((2, 2), dtype=np.float32)) == (1, 1)


def test_sizes_are_coloured_by_their_logarithm_and_said_as_they_are(theme: Theme) -> None:
    rows = ("block", ["a", "b", "c"])
    figure = size_map(SIZES, rows, LABELS, "norm", (3.0, 400.0), theme)
    heatmap = figure.data[0]
    assert heatmap.z[2].tolist() == pytest.approx(np.log10([30, 400, 50]))
    assert np.isnan(heatmap.z[0, 1])  # 0 has no logarithm
    assert np.isnan(heatmap.z[1, 2])
    np.testing.assert_array_equal(heatmap.customdata, SIZES)
    assert (heatmap.zmin, heatmap.zmax) == pytest.approx((np.log10(3), np.log10(400)))
    assert heatmap.y == ("a", "b", "c")
    assert "norm %{customdata" in heatmap.hovertemplate
    assert "colour ends at 3 and 400" in heatmap.colorbar.title.text
    bar = heatmap.colorbar
    assert [10**tick for tick in bar.tickvals] == pytest.approx([float(t) for t in bar.ticktext])
    assert figure.layout.yaxis.autorange == "reversed"  # the first block on top
    assert figure.layout.xaxis.labelalias == ALIAS
    assert figure.layout.paper_bgcolor == theme.background


def test_a_part_of_a_sentence_keeps_its_positions() -> None:
    figure = size_map(SIZES[:, 1:], ("block", list("abc")), LABELS, "norm", (3.0, 400.0), LIGHT, 1)
    assert figure.data[0].x0 == 1
    assert figure.layout.xaxis.range == (0.5, 2.5)


def test_the_stronger_the_colour_the_larger_the_turn(theme: Theme) -> None:
    cosines = np.array([[-0.2, 0.1], [0.9, 0.5], [1, np.nan]], dtype=np.float32)
    heatmap = turn_map(cosines, LABELS[:2], theme).data[0]
    np.testing.assert_array_equal(heatmap.z, cosines)
    assert (heatmap.zmin, heatmap.zmax) == (0.5, 1)
    assert [colour for _, colour in heatmap.colorscale] == list(theme.sequential[::-1])
    assert heatmap.y == ("0", "1", "2")


@pytest.mark.parametrize("cosines", [[[1.0], [1.0]], [[np.nan]]])
def test_turns_that_are_none_or_unknown_are_drawn(cosines: list[list[float]]) -> None:
    heatmap = turn_map(np.array(cosines, dtype=np.float32), ["a"], LIGHT).data[0]
    assert heatmap.zmin < heatmap.zmax


def test_a_tokens_path_is_a_line_for_each_size(theme: Theme) -> None:
    sizes = {"all": ([1.0, 10.0], "stream"), "added": ([0.5, 0.0], "attention")}
    figure = token_path(sizes, theme)
    for line, (name, (numbers, kind)) in zip(figure.data, sizes.items(), strict=True):
        assert line.name == name
        assert line.y.tolist() == numbers
        assert line.line.color == theme.kinds[kind]
    assert figure.layout.yaxis.type == "log"
    assert (figure.layout.yaxis.tickvals[0], figure.layout.yaxis.tickvals[-1]) == (0.5, 10)
    assert figure.layout.showlegend


def test_a_path_of_zeros_is_drawn() -> None:
    assert token_path({"all": ([0.0], "stream")}, LIGHT).data[0].y.tolist() == [0]


def test_a_sum_has_its_parts_above_its_result(theme: Theme) -> None:
    rows = np.array([[1, -2], [3, 4], [4, 2]], dtype=np.float32)
    figure = sum_strips(rows, ["a", "+ b", "= c"], theme)
    np.testing.assert_array_equal(figure.data[0].z, rows)
    assert figure.data[0].y == ("a", "+ b", "= c")
    assert figure.data[0].zmax == -figure.data[0].zmin
    assert figure.layout.yaxis.autorange == "reversed"
