"""Figures of what goes on inside a block show the numbers they are given."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from gptviz.figures.activations import (
    station_heatmap,
    station_histogram,
    station_statistics,
)
from gptviz.figures.theme import DARK, LIGHT, Theme

LABELS = ["Once", "<b>", "$x$"]
VALUES = np.array([[1, -2, 0, 0.5], [0, 0, 0, 0], [3, -8, 1, 1]], dtype=np.float32)


@pytest.fixture(params=[LIGHT, DARK], ids=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> Theme:
    return request.param


def assert_tokens(figure: go.Figure) -> None:
    assert "$x$" not in figure.to_json()
    axes = [figure.layout.xaxis, figure.layout.yaxis]
    alias = {"0": "Once", "1": "&lt;b&gt;", "2": "&#36;x&#36;"}
    assert alias in [axis.labelalias for axis in axes]


def test_heatmap_cells_are_the_values(theme: Theme) -> None:
    figure = station_heatmap(VALUES, LABELS, theme)
    heatmap = figure.data[0]
    np.testing.assert_array_equal(heatmap.z, VALUES)
    assert heatmap.z.dtype == np.float32
    assert figure.layout.yaxis.range == (2.5, -0.5)  # the first token on top
    assert figure.layout.xaxis.range == (-0.5, 3.5)
    assert figure.layout.yaxis.title.text == "token"
    assert figure.layout.xaxis.title.text == "dimension"
    for piece in ("%{y:d}", "%{y}", "%{x}", "%{z:.6~g}"):
        assert piece in heatmap.hovertemplate
    assert_tokens(figure)


def test_heatmap_colours_are_even_on_both_sides_and_say_where_they_end(theme: Theme) -> None:
    figure = station_heatmap(VALUES, LABELS, theme)
    heatmap = figure.data[0]
    limit = np.percentile(np.abs(VALUES), 99.5)
    assert limit < 8  # the largest number is past the end: the bar must say so
    assert heatmap.zmax == pytest.approx(limit)
    assert heatmap.zmin == -heatmap.zmax
    assert f"full colour from ±{limit:.3g} (99.5th percentile)" in figure.layout.annotations[0].text
    assert [colour for _, colour in heatmap.colorscale] == list(theme.diverging)


def test_a_heatmap_of_zeros_is_drawn() -> None:
    heatmap = station_heatmap(np.zeros((3, 4), dtype=np.float32), LABELS, LIGHT).data[0]
    assert (heatmap.zmin, heatmap.zmax) == (-1, 1)


def test_a_large_heatmap_sends_its_numbers_and_little_else() -> None:
    values = np.zeros((256, 1024), dtype=np.float32)
    sent = len(station_heatmap(values, ["␣word"] * 256, LIGHT).to_json())
    assert sent < 2 * values.nbytes  # base64; a text for each cell would be far more


def test_histogram_bars_stand_between_their_edges(theme: Theme) -> None:
    counts, edges = np.array([5, 0, 2]), np.array([-1.0, 0.0, 0.5, 2.0])
    figure = station_histogram(counts, edges, theme)
    bars = figure.data[0]
    np.testing.assert_array_equal(bars.y, counts)
    np.testing.assert_allclose(bars.x - bars.width / 2, edges[:-1])
    np.testing.assert_allclose(bars.x + bars.width / 2, edges[1:])
    np.testing.assert_allclose(bars.customdata, [[-1, 0], [0, 0.5], [0.5, 2]])
    assert figure.layout.yaxis.type == "log"
    assert "logarithmic" in figure.layout.yaxis.title.text


def test_statistics_are_three_lines_over_the_tokens(theme: Theme) -> None:
    mean, std, norm = (np.array(n, dtype=np.float32) for n in ([0, 1, 2], [3, 4, 5], [6, 7, 8]))
    figure = station_statistics(mean, std, norm, LABELS, theme)
    for line, numbers in zip(figure.data, (mean, std, norm), strict=True):
        np.testing.assert_array_equal(line.y, numbers)
    names = [figure.layout[axis].title.text for axis in ("yaxis", "yaxis2", "yaxis3")]
    assert names == ["mean", "spread (std)", "size (norm)"]
    assert [line.yaxis for line in figure.data] == ["y", "y2", "y3"]
    assert figure.layout.xaxis.title.text == "token"
    assert figure.layout.xaxis.anchor == "y3"  # below the last
    assert_tokens(figure)


@pytest.mark.parametrize(("count", "mode"), [(1, "lines+markers"), (64, "lines")])
def test_a_long_sentence_has_lines_without_markers(count: int, mode: str) -> None:
    row = np.ones(count, dtype=np.float32)
    figure = station_statistics(row, row, row, ["a"] * count, LIGHT)
    assert [line.mode for line in figure.data] == [mode] * 3


def test_sorted_dimensions_keep_their_numbers(theme: Theme) -> None:
    figure = station_heatmap(VALUES, LABELS, theme, order=np.array([1, 0, 3, 2]))
    np.testing.assert_array_equal(figure.data[0].z, VALUES[:, [1, 0, 3, 2]])
    assert figure.data[0].x == ("1", "0", "3", "2")
    assert figure.layout.xaxis.type == "category"


def test_figures_stand_on_the_pages_ground(theme: Theme) -> None:
    row = np.ones(3, dtype=np.float32)
    for figure in (
        station_heatmap(VALUES, LABELS, theme),
        station_histogram(np.array([1]), np.array([0.0, 1.0]), theme),
        station_statistics(row, row, row, LABELS, theme),
    ):
        assert figure.layout.paper_bgcolor == theme.background
        assert figure.layout.font.color == theme.text
