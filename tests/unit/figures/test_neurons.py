"""Figures of GELU and of neurons show the numbers they are given."""

from __future__ import annotations

import numpy as np
import pytest

from gptviz.figures.neurons import busiest_bars, gelu_between, neuron_bars, silence_lines
from gptviz.figures.theme import DARK, LIGHT, NEGATIVE, POSITIVE, Theme


def numbers(*row: float) -> np.ndarray:
    return np.array(row, dtype=np.float32)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_gelu_stands_between_what_goes_in_and_what_comes_out(theme: Theme) -> None:
    x, y = numbers(-1, 0, 1), numbers(-0.2, 0, 0.8)
    before = (np.array([5, 7]), np.array([-2.0, 0.0, 1.0]))
    after = (np.array([9, 3]), np.array([0.0, 1.0, 4.0]))
    curve, low, side = gelu_between((x, y), before, after, theme).data
    assert (curve.x.tolist(), curve.y.tolist()) == (x.tolist(), y.tolist())
    assert (low.x.tolist(), low.y.tolist(), low.width.tolist()) == ([-1, 0.5], [5, 7], [2, 1])
    assert (side.y.tolist(), side.x.tolist(), side.width.tolist()) == ([0.5, 2.5], [9, 3], [1, 3])
    assert (low.orientation, side.orientation) == ("v", "h")
    assert low.customdata.tolist() == [[-2, 0], [0, 1]]


def test_what_goes_in_shares_the_curves_axis_and_what_comes_out_the_other() -> None:
    counted = (np.array([1]), np.array([0.0, 1.0]))
    figure = gelu_between((numbers(0, 1), numbers(0, 1)), counted, counted, LIGHT)
    curve, low, side = figure.data
    assert curve.xaxis == low.xaxis != side.xaxis
    assert curve.yaxis == side.yaxis != low.yaxis
    for axis in (f"yaxis{low.yaxis[1:]}", f"xaxis{side.xaxis[1:]}"):
        assert figure.layout[axis].type == "log"


def test_silence_is_two_lines_over_blocks_or_tokens() -> None:
    figure = silence_lines(numbers(0.5, 1), numbers(0.25, 0), LIGHT)
    assert [line.y.tolist() for line in figure.data] == [[0.5, 1], [0.25, 0]]
    assert [line.name for line in figure.data] == ["held back (below 0)", "silent"]
    assert figure.layout.xaxis.title.text == "block"
    figure = silence_lines(numbers(0.5, 1), numbers(0.25, 0), LIGHT, ["a", "<b>"])
    assert figure.layout.xaxis.title.text == "token"
    assert figure.layout.xaxis.labelalias["1"] == "&lt;b&gt;"


@pytest.mark.parametrize("by_writing", [False, True])
def test_the_busiest_have_a_bar_each(by_writing: bool) -> None:
    activations, written = numbers(3, -0.1), numbers(1, 2)
    bars = busiest_bars(np.array([7, 4]), activations, written, by_writing, LIGHT).data[0]
    assert bars.y == ("neuron 7", "neuron 4")
    assert bars.x.tolist() == (written if by_writing else activations).tolist()
    assert bars.marker.color == (POSITIVE, NEGATIVE)
    np.testing.assert_array_equal(bars.customdata, np.stack([activations, written], axis=1))


def test_a_neuron_has_a_bar_at_each_token() -> None:
    figure = neuron_bars(numbers(1, -0.1), ["a", "<b>"], LIGHT)
    assert figure.data[0].y.tolist() == pytest.approx([1, -0.1])
    assert figure.data[0].marker.color == (POSITIVE, NEGATIVE)
    assert figure.layout.xaxis.labelalias == {"0": "a", "1": "&lt;b&gt;"}
