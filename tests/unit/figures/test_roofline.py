"""The roofline: the roof by hand, and points that stand where their work can be at most."""

from __future__ import annotations

import math

import pytest

from gptviz.counting.costs import DEVICES, Device, Work
from gptviz.figures.roofline import roofline
from gptviz.figures.table import as_csv
from gptviz.figures.theme import DARK, LIGHT

DEVICE = Device("box", flops=100e12, bandwidth=1e12, memory=1, source="")
WORKS = {"reading": Work(4_000_000, 10_000), "writing": Work(20_000, 10_000)}  # 400 and 2 a byte


def test_the_roof_bends_where_computing_becomes_the_limit():
    roof = roofline(DEVICE, WORKS, LIGHT).data[0]
    assert list(roof.x) == [0.5, 100, 1600]
    assert list(roof.y) == [0.5, 100, 100]  # TFLOP/s


def test_a_point_stands_on_the_roof_above_its_intensity():
    _, reading, writing = roofline(DEVICE, WORKS, LIGHT).data
    assert (reading.name, reading.x[0], reading.y[0]) == ("reading", 400, 100)
    assert (writing.name, writing.x[0], writing.y[0]) == ("writing", 2, 2)
    for point, work in ((reading, WORKS["reading"]), (writing, WORKS["writing"])):
        assert work.flops / (point.y[0] * 1e12) == pytest.approx(work.seconds_on(DEVICE))


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_all_points_are_inside_of_logarithmic_axes(device, theme):
    figure = roofline(device, WORKS, theme)
    for axis, name in ((figure.layout.xaxis, "x"), (figure.layout.yaxis, "y")):
        assert axis.type == "log"
        least, most = axis.range
        for trace in figure.data:
            assert all(least - 1e-9 <= math.log10(v) <= most + 1e-9 for v in getattr(trace, name))


def test_words_near_the_right_edge_grow_to_the_left():
    works = {"reading": Work(500_000, 10_000), "writing": Work(20_000, 10_000)}  # 50 and 2
    reading, writing, bend = roofline(DEVICE, works, LIGHT).layout.annotations
    assert (reading.text, reading.xanchor) == ("reading", "right")
    assert (writing.text, writing.xanchor) == ("writing", "left")
    assert (bend.x, bend.xref, bend.xanchor) == (1, "paper", "right")


def test_its_numbers_can_be_taken_along():
    lines = as_csv(roofline(DEVICE, WORKS, LIGHT))[1:].splitlines()
    assert lines[0] == "line,FLOPs a byte (arithmetic intensity),TFLOP/s at most"
    assert lines[-1] == "writing,2.0,2.0"
