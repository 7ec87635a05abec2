"""A figure's table has what the figure draws."""

from __future__ import annotations

import csv
from io import StringIO

import numpy as np
import plotly.graph_objects as go
import pytest

from gptviz.figures.activations import station_heatmap, station_histogram, station_statistics
from gptviz.figures.attention import attention_map
from gptviz.figures.dropout import mask_map
from gptviz.figures.embeddings import embedding_heatmaps
from gptviz.figures.stream import size_map
from gptviz.figures.table import as_csv, grid_as_csv, heads_as_csv, tokens_as_csv, written
from gptviz.figures.theme import LIGHT

LABELS = ["the", "<img>", 'a"b,c']


def rows(figure: go.Figure) -> list[list[str]]:
    return list(csv.reader(StringIO(as_csv(figure)[1:])))


def test_a_map_has_each_weight_that_can_be_seen_with_both_tokens() -> None:
    weights = np.array([[1, 0, 0], [0.25, 0.75, 0], [0.5, 0.25, 0.25]], dtype=np.float32)
    head, *cells = rows(attention_map(weights, LABELS, LIGHT))
    query, key = "query: the token that looks (row)", "key: the token looked at (column)"
    assert head == [query, f"{query}: token", key, f"{key}: token", "value"]
    assert cells == [
        [str(i), LABELS[i], str(j), LABELS[j], str(float(weights[i, j]))]
        for i in range(3)
        for j in range(i + 1)
    ]


def test_a_part_of_a_sentence_keeps_its_positions() -> None:
    head, *cells = rows(station_heatmap(np.eye(2, dtype=np.float32), LABELS, LIGHT, first=1))
    assert head == ["token", "token: token", "dimension", "value"]
    assert cells[0] == ["1", "<img>", "0", "1.0"]
    assert cells[-1] == ["2", 'a"b,c', "1", "1.0"]


def test_a_map_coloured_by_a_logarithm_has_the_numbers_themselves() -> None:
    sizes = np.array([[0.5, 0, 20]], dtype=np.float32)
    found = rows(size_map(sizes, ("stream", ["start"]), LABELS, "norm", (0.5, 20.0), LIGHT))
    assert found == [
        ["stream", "token", "token: token", "value"],
        ["start", "0", "the", "0.5"],
        ["start", "2", 'a"b,c', "20.0"],
    ]


def test_a_mask_has_zeros_and_ones() -> None:
    found = rows(mask_map(np.array([[True, False]]), LABELS[:1], LIGHT))
    assert [row[-1] for row in found] == ["value", "1", "0"]


def test_sorted_columns_keep_their_numbers() -> None:
    values = np.array([[1, 2]], dtype=np.float32)
    found = rows(station_heatmap(values, LABELS[:1], LIGHT, order=np.array([1, 0])))
    assert found[1:] == [["0", "the", "1", "2.0"], ["0", "the", "0", "1.0"]]


def test_lines_have_their_names_and_a_header_wherever_the_axes_change() -> None:
    numbers = [np.array(row, dtype=np.float32) for row in ([1, 2, 3], [4, 5, 6], [7, 8, 9])]
    found = rows(station_statistics(*numbers, LABELS, LIGHT))
    assert ["size (norm)", "2", 'a"b,c', "9.0"] in found
    assert ["mean", "0", "the", "1.0"] in found
    assert len(found) == 3 * (1 + 3)


def test_maps_of_one_figure_are_named_and_share_an_axis_title() -> None:
    values = np.eye(3, dtype=np.float32)
    found = rows(embedding_heatmaps({"one": values, "other": 2 * values}, LABELS, LIGHT))
    assert found[0] == ["map", "token", "token: token", "dimension", "value"]
    assert found[1] == ["one", "0", "the", "0", "1.0"]
    assert found[-1] == ["other", "2", 'a"b,c', "2", "2.0"]
    assert len(found) == 1 + 2 * 9


def test_points_with_names_have_them() -> None:
    figure = go.Figure(go.Scatter(x=[1], y=[2], text=["&lt;b&gt;"], name="sentence"))
    assert rows(figure) == [["line", "name", "x", "y"], ["sentence", "<b>", "1", "2"]]


def test_bars_have_their_places_and_heights() -> None:
    found = rows(station_histogram(np.array([5, 7]), np.array([0.0, 1.0, 2.0]), LIGHT))
    assert found == [
        ["line", "value", "how many (logarithmic)"],
        ["", "0.5", "5"],
        ["", "1.5", "7"],
    ]


def test_points_in_space_have_their_names() -> None:
    figure = go.Figure(go.Scatter3d(x=[1], y=[2], z=[3], text=["&lt;b&gt;"], name="sentence"))
    assert rows(figure)[1] == ["sentence", "<b>", "1", "2", "3"]


def test_shares_have_their_paths() -> None:
    figure = go.Figure(go.Treemap(ids=["a", "a.b"], labels=["A", "B"], parents=["", "a"],
                                  values=[3, 2]))  # fmt: skip
    assert rows(figure)[1:] == [["a", "A", "", "3"], ["a.b", "B", "a", "2"]]


def test_a_kind_without_a_table_says_so() -> None:
    with pytest.raises(ValueError, match="no table for a pie"):
        as_csv(go.Figure(go.Pie(values=[1])))


def test_the_picture_of_all_heads_has_a_line_for_each_cell_that_is_seen() -> None:
    layers = [np.arange(8, dtype=np.float32).reshape(2, 2, 2), np.ones((2, 2, 2), np.float32)]
    rows = list(csv.reader(StringIO(heads_as_csv(layers, ["a", "␣b", ",", "c"], factor=2)[1:])))
    assert rows[0][:4] == ["layer", "head", "query", "query: token"]
    assert len(rows) == 1 + 2 * 2 * 3  # what comes later is hidden
    assert rows[6] == ["0", "1", "2", ",", "2", ",", "7.0"]


def test_a_number_for_each_head_is_a_line_each() -> None:
    values = np.array([[0.5, 1], [2, 4]], dtype=np.float32)
    rows = list(csv.reader(StringIO(grid_as_csv(values, "spread, bits")[1:])))
    assert rows[0] == ["layer", "head", "spread, bits"]
    assert rows[3] == ["1", "0", "2.0"]


def test_a_number_for_each_token_says_where_it_stands() -> None:
    text = tokens_as_csv([(3, 'a "word", or two', 0.5), (4, "␣b", 1.25)], "bits")
    assert list(csv.reader(StringIO(text[1:]))) == [
        ["position", "token", "bits"],
        ["3", 'a "word", or two', "0.5"],
        ["4", "␣b", "1.25"],
    ]


@pytest.mark.parametrize(
    "token", ["=1+1", "+a", "-", "--", "@SUM(A1)", "\tx", "\rx", "-1-1", "-inf"]
)
def test_a_spreadsheet_runs_no_cell(token: str) -> None:
    assert next(csv.reader(StringIO(written([(0, token)])))) == ["\ufeff0", "'" + token]


@pytest.mark.parametrize(
    "cell", ["a=b", "␣-", "-1", "+2.5", "-3e-05", -1, -0.5, 2e-7, "", "'", None]
)
def test_words_and_numbers_stay_as_they_are(cell: object) -> None:
    said = "" if cell is None else str(cell)
    assert next(csv.reader(StringIO(written([(0, cell)])))) == ["\ufeff0", said]


def test_every_file_begins_with_the_byte_order_mark_once() -> None:
    weights = np.eye(2, dtype=np.float32)
    texts = [
        as_csv(attention_map(weights, LABELS[:2], LIGHT)),
        heads_as_csv([weights[None]], LABELS, factor=1),
        grid_as_csv(weights, "bits"),
        tokens_as_csv([(0, "␣a", 0.5)], "bits"),
    ]
    for text in texts:
        assert text.encode().startswith(b"\xef\xbb\xbf")
        assert text.count("\ufeff") == 1
