"""What a head's silence does, as figures."""

from __future__ import annotations

import csv
from io import StringIO

import numpy as np
import pytest

from gptviz.figures.silencing import before_and_after, weight_and_effect
from gptviz.figures.table import as_csv
from gptviz.figures.theme import DARK, LIGHT

BEFORE = np.array([0.5, 0.25], dtype=np.float32)
AFTER = np.array([0.125, 0.75], dtype=np.float32)
BITS = np.array([[0, 0.5, 1], [2, 0.25, 0.125]], dtype=np.float32)
WEIGHTS = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], dtype=np.float32)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_both_probabilities_of_each_token_stand_side_by_side(theme) -> None:
    figure = before_and_after(BEFORE, AFTER, ["␣king", "<b>"], theme)
    with_it, without = figure.data
    np.testing.assert_array_equal(with_it.x, BEFORE)
    np.testing.assert_array_equal(without.x, AFTER)
    assert (with_it.name, without.name) == ("with the head", "without it")
    assert figure.layout.yaxis.labelalias == {"0": "␣king", "1": "&lt;b&gt;"}
    assert figure.layout.yaxis.range == (1.5, -0.5)  # the likeliest on top
    assert with_it.marker.color != without.marker.color


def test_its_table_names_the_tokens() -> None:
    rows = list(
        csv.reader(StringIO(as_csv(before_and_after(BEFORE, AFTER, ["a", "b"], LIGHT))[1:]))
    )
    assert rows[0] == ["line", "probability", "next token", "next token: token"]
    assert rows[4] == ["without it", "0.75", "1", "b"]


def test_every_head_is_a_point_of_its_layer() -> None:
    figure = weight_and_effect(WEIGHTS, BITS, LIGHT)
    assert [points.name for points in figure.data] == ["layer 0", "layer 1"]
    for layer, points in enumerate(figure.data):
        np.testing.assert_array_equal(points.x, WEIGHTS[layer])
        np.testing.assert_array_equal(points.y, BITS[layer])
        assert points.mode == "markers"  # the names are for the hover text and the table
    assert figure.layout.xaxis.range == (0, 1.03)
    rows = list(csv.reader(StringIO(as_csv(figure)[1:])))
    assert rows[5][:2] == ["layer 1", "head 1"]
    assert [float(number) for number in rows[5][2:]] == [0.5, 0.25]
