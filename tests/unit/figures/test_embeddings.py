"""Figures of vectors show the numbers they are given, and names literally."""

from __future__ import annotations

import csv
from io import StringIO

import numpy as np
import plotly.graph_objects as go
import pytest

from gptviz.figures.embeddings import (
    cosine_by_distance,
    embedding_heatmaps,
    neighbour_bars,
    position_cosines,
    token_cosines,
    vocabulary_scatter,
)
from gptviz.figures.table import as_csv
from gptviz.figures.theme import DARK, LIGHT, Theme

LABELS = ["Once", "<b>", "$x$"]
ONE = np.array([[1, -2, 0, 0.5], [0, 0, 0, 0], [3, -8, 1, 1]], dtype=np.float32)
COSINES = np.array([[1, 0.5, -0.25], [0.5, 1, 0], [-0.25, 0, 1]], dtype=np.float32)
PLACES = np.arange(18, dtype=np.float32).reshape(6, 3)
SHARES = np.array([0.5, 0.25, 0.125], dtype=np.float32)
NAMES = ["a", "<img src=x>", "$x$", "d", "e", "f"]


@pytest.fixture(params=[LIGHT, DARK], ids=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> Theme:
    return request.param


def table(figure: go.Figure) -> list[list[str]]:
    return list(csv.reader(StringIO(as_csv(figure)[1:])))


def test_the_maps_have_their_numbers_their_names_and_one_scale(theme: Theme) -> None:
    figure = embedding_heatmaps({"tok": ONE, "pos": 2 * ONE, "sum": 3 * ONE}, LABELS, theme)
    for times, (name, heatmap) in enumerate(zip(("tok", "pos", "sum"), figure.data, strict=True)):
        np.testing.assert_array_equal(heatmap.z, (times + 1) * ONE)
        assert (heatmap.name, heatmap.showscale) == (name, times == 0)
    about, *names = [note.text for note in figure.layout.annotations]
    assert names == ["tok", "pos", "sum"]
    limit = np.percentile(np.abs(np.stack([ONE, 2 * ONE, 3 * ONE])), 99.5)
    assert {(heatmap.zmin, heatmap.zmax) for heatmap in figure.data} == {(-limit, limit)}
    assert f"±{limit:.3g}" in about
    for axis in ("yaxis", "yaxis2", "yaxis3"):
        assert figure.layout[axis].labelalias["1"] == "&lt;b&gt;"
        assert figure.layout[axis].range == (2.5, -0.5)
    assert "$x$" not in figure.to_json()


def test_the_table_of_the_maps_names_them() -> None:
    head, *rows = table(embedding_heatmaps({"tok": ONE, "pos": 2 * ONE}, LABELS, LIGHT))
    assert head == ["map", "token", "token: token", "dimension", "value"]
    assert rows[0] == ["tok", "0", "Once", "0", "1.0"]
    assert rows[-1] == ["pos", "2", "$x$", "3", "2.0"]


def test_what_dropout_strikes_is_grey_in_the_last_map_alone(theme: Theme) -> None:
    kept = ONE != 0
    figure = embedding_heatmaps({"sum": ONE, "after": 2 * ONE}, LABELS, theme, kept=kept)
    whole, grey, after = figure.data
    np.testing.assert_array_equal(whole.z, ONE)
    np.testing.assert_array_equal(np.isnan(grey.z), kept)
    np.testing.assert_array_equal(np.isnan(after.z), ~kept)
    np.testing.assert_array_equal(after.z[kept], 2 * ONE[kept])
    assert {colour for _, colour in grey.colorscale} == {theme.kinds["dropout"]}
    assert (after.yaxis, grey.yaxis, whole.yaxis) == ("y2", "y2", "y")


def test_a_part_of_a_sentence_keeps_its_positions() -> None:
    heatmap = embedding_heatmaps({"tok": ONE[:2]}, LABELS, LIGHT, first=1)
    assert heatmap.data[0].y0 == 1
    assert heatmap.layout.yaxis.range == (2.5, 0.5)
    assert heatmap.layout.yaxis.tick0 == 1
    square = token_cosines(COSINES[:2, :2], LABELS, LIGHT, first=1)
    assert (square.data[0].x0, square.data[0].y0) == (1, 1)
    assert square.layout.xaxis.range == (0.5, 2.5)
    assert square.layout.yaxis.range == (2.5, 0.5)


@pytest.mark.parametrize("n_tokens", [1, 16, 60, 300])
def test_names_have_room(n_tokens: int) -> None:
    values = np.zeros((n_tokens, 4), dtype=np.float32)
    figure = embedding_heatmaps({"tok": values}, ["x"] * n_tokens, LIGHT)
    assert n_tokens / figure.layout.yaxis.dtick <= 230 / 15 + 1


@pytest.mark.parametrize("n_tokens", [1, 2, 16, 250])
def test_the_name_of_a_map_stands_between_it_and_the_one_above(n_tokens: int) -> None:
    values = np.zeros((n_tokens, 4), dtype=np.float32)
    panels = {"tok": values, "pos": values, "sum": values}
    layout = embedding_heatmaps(panels, ["x"] * n_tokens, LIGHT).layout
    upper, lower = layout.yaxis.domain, layout.yaxis2.domain
    inside = layout.height - layout.margin.t - 60  # all that an axis may take below
    assert (upper[0] - lower[1]) * inside > 18  # a line of 13 pixels


def test_cosines_are_drawn_as_they_are_and_what_is_one_does_not_count(theme: Theme) -> None:
    figure = token_cosines(COSINES, LABELS, theme)
    np.testing.assert_array_equal(figure.data[0].z, COSINES)
    limit = np.percentile([0.5, 0.5, 0.25, 0.25, 0, 0], 99.5)
    assert figure.data[0].zmax == pytest.approx(limit)
    assert figure.layout.xaxis.labelalias["2"] == "&#36;x&#36;"
    assert token_cosines(COSINES[:1, :1], ["a"], theme).data[0].zmax == 1


def test_positions_left_out_leave_the_others_where_they_are() -> None:
    positions = np.array([0, 4, 8])
    figure = position_cosines(COSINES, positions, LIGHT)
    np.testing.assert_array_equal(figure.data[0].x, positions)
    assert table(figure)[2] == ["0", "4", "0.5"]
    line = cosine_by_distance(np.array([1, 0.25, 0], np.float32), positions, LIGHT).data[0]
    assert list(zip(line.x, line.y, strict=True)) == [(0, 1), (4, 0.25), (8, 0)]


def test_bars_are_named_and_as_long_as_the_cosine(theme: Theme) -> None:
    figure = neighbour_bars(np.array([0.5, 0.25], np.float32), ["<b> · 7", "$x$ · 8"], theme)
    assert list(figure.data[0].x) == [0.5, 0.25]
    assert figure.layout.yaxis.range == (1.5, -0.5)
    assert table(figure)[1:] == [["", "0.5", "0", "<b> · 7"], ["", "0.25", "1", "$x$ · 8"]]
    assert "$x$" not in figure.to_json()


@pytest.mark.parametrize("solid", [False, True])
def test_every_token_of_the_map_stands_in_its_place_once(theme: Theme, solid: bool) -> None:
    figure = vocabulary_scatter(PLACES, SHARES, NAMES, 3, 1, theme, solid)
    names = {trace.name: list(trace.text) for trace in figure.data}
    assert names == {
        "other tokens": ["d", "e", "f"],
        "named by pointing": [],
        "the sentence": ["a", "&#36;x&#36;"],
        "the chosen token": ["&lt;img src=x&gt;"],
    }
    head, *rows = table(figure)
    axes = [f"{name} main axis (PC {i})" for i, name in enumerate(("first", "second", "third"), 1)]
    shown = 3 if solid else 2
    assert [title.split(":")[0] for title in head[2:]] == axes[:shown]
    assert head[2].endswith(": 50.0%")
    found = {name: [float(number) for number in place] for _, name, *place in rows}
    assert found == {name: PLACES[i, :shown].tolist() for i, name in enumerate(NAMES)}
    assert "$x$" not in figure.to_json()


def test_a_map_of_many_tokens_names_sixty_and_the_chosen_one() -> None:
    places = np.zeros((200, 3), np.float32)
    figure = vocabulary_scatter(places, SHARES, ["x"] * 200, 150, 149, LIGHT)
    written = [len(trace.text) for trace in figure.data if "text" in trace.mode]
    assert written == [60, 1]
    assert sum(len(trace.text) for trace in figure.data) == 200


def test_figures_stand_on_the_pages_ground(theme: Theme) -> None:
    for figure in (
        embedding_heatmaps({"tok": ONE}, LABELS, theme),
        token_cosines(COSINES, LABELS, theme),
        position_cosines(COSINES, np.arange(3), theme),
        neighbour_bars(SHARES, LABELS, theme),
        vocabulary_scatter(PLACES, SHARES, NAMES, 3, 0, theme),
    ):
        assert figure.layout.paper_bgcolor == theme.background
        assert figure.layout.font.color == theme.text
