"""The map of one head shows the weights as they are."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from gptviz.figures.attention import (
    attention_map,
    both_directions,
    rollout_map,
    steps_of_query,
)
from gptviz.figures.theme import DARK, LIGHT, Theme

WEIGHTS = np.array([[1, 0, 0], [0.25, 0.75, 0], [0.125, 0.375, 0.5]], dtype=np.float32)
LABELS = ["Once", "␣a", "␣a"]


@pytest.fixture(params=[LIGHT, DARK], ids=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> Theme:
    return request.param


@pytest.fixture
def figure(theme: Theme) -> go.Figure:
    return attention_map(WEIGHTS, LABELS, theme)


def test_cells_are_the_weights_and_later_keys_are_empty(figure: go.Figure) -> None:
    cells = figure.data[0].z
    assert cells.dtype == np.float32
    for query in range(3):
        for key in range(3):
            if key > query:
                assert np.isnan(cells[query, key])
            else:
                assert cells[query, key] == WEIGHTS[query, key]
    assert figure.data[0].hoverongaps is False


def test_a_weight_of_zero_is_not_empty() -> None:
    weights = np.array([[1, 0], [1, 0]], dtype=np.float32)
    cells = attention_map(weights, ["a", "b"], LIGHT).data[0].z
    assert cells[1, 1] == 0
    assert np.isnan(cells[0, 1])


def test_axes_say_who_looks_and_who_is_looked_at(figure: go.Figure) -> None:
    assert figure.layout.xaxis.title.text == "key: the token looked at (column)"
    assert figure.layout.yaxis.title.text == "query: the token that looks (row)"
    assert figure.layout.xaxis.range == (-0.5, 2.5)
    assert figure.layout.yaxis.range == (2.5, -0.5)  # the first token on top
    assert figure.layout.yaxis.scaleanchor == "x"
    assert figure.layout.xaxis.labelalias == {"0": "Once", "1": "␣a", "2": "␣a"}


def test_colour_starts_at_zero_and_the_bar_says_where_it_ends(
    figure: go.Figure, theme: Theme
) -> None:
    heatmap = figure.data[0]
    limit = np.percentile([1, 0.25, 0.75, 0.125, 0.375, 0.5], 99.5)
    assert heatmap.zmin == 0
    assert heatmap.zmax == pytest.approx(limit)
    assert f"full colour from {limit:.3g} (99.5th percentile)" in figure.layout.annotations[0].text
    assert [colour for _, colour in heatmap.colorscale] == list(theme.sequential)


def test_the_hover_text_names_both_tokens_positions_and_the_weight(figure: go.Figure) -> None:
    template = figure.data[0].hovertemplate
    for piece in ("%{y:d}", "%{y}", "%{x:d}", "%{x}", "%{z:.4f}"):
        assert piece in template


def test_hostile_tokens_stay_text() -> None:
    figure = attention_map(WEIGHTS, ["<img src=x onerror=alert(1)>", "$x$", "%{z}"], LIGHT)
    sent = str(json.loads(figure.to_json()))  # as JSON alone, < would be written otherwise
    assert "&lt;img" in sent
    assert "<img" not in sent
    assert "$x$" not in sent


def test_it_stands_on_the_pages_ground(figure: go.Figure, theme: Theme) -> None:
    assert figure.layout.paper_bgcolor == theme.background
    assert figure.layout.font.color == theme.text


def test_a_long_sentence_sends_its_cells_and_little_else() -> None:
    n = 512
    weights = np.tril(np.ones((n, n), dtype=np.float32)) / np.arange(1, n + 1, dtype=np.float32)
    sent = len(attention_map(weights, ["␣word"] * n, LIGHT).to_json())
    assert sent < 8 * n * n  # four bytes a cell, in base64; a text for each would be far more


def test_rollout_is_drawn_as_shares_of_input_tokens(theme: Theme) -> None:
    figure = rollout_map(WEIGHTS, LABELS, theme)
    np.testing.assert_array_equal(figure.data[0].z[2], WEIGHTS[2])
    assert np.isnan(figure.data[0].z[0, 1])
    assert figure.layout.xaxis.title.text == "input token (column)"
    assert figure.layout.yaxis.title.text == "position after the last block (row)"
    assert "share %{z:.4f}" in figure.data[0].hovertemplate


def test_one_token_in_both_directions_stands_at_its_place(theme: Theme) -> None:
    looks_at, looked_at_by = WEIGHTS[1, :2], WEIGHTS[1:, 1]
    above, below = both_directions(looks_at, looked_at_by, 1, LABELS, theme).data
    assert list(above.x) == [0, 1]
    assert list(below.x) == [1, 2]
    np.testing.assert_array_equal(above.y, [0.25, 0.75])
    np.testing.assert_array_equal(below.y, [0.75, 0.375])


def test_both_directions_share_one_scale_and_the_tokens(theme: Theme) -> None:
    layout = both_directions(WEIGHTS[1, :2], WEIGHTS[1:, 1], 1, LABELS, theme).layout
    assert layout.yaxis.range == layout.yaxis2.range == pytest.approx((0, 1.05 * 0.75))
    assert layout.xaxis.labelalias == {"0": "Once", "1": "␣a", "2": "␣a"}
    assert layout.xaxis.range == (-0.5, 2.5)


@pytest.mark.parametrize("mixed_by", [None, np.array([0, 1.5], dtype=np.float32)])
def test_the_steps_of_a_query_are_bars_over_the_keys_it_sees(mixed_by, theme: Theme) -> None:
    scaled = np.array([-1, 2], dtype=np.float32)
    figure = steps_of_query(scaled, WEIGHTS[1, :2], mixed_by, LABELS, theme)
    rows = [scaled, WEIGHTS[1, :2], *([] if mixed_by is None else [mixed_by])]
    assert len(figure.data) == len(rows)
    for bars, row in zip(figure.data, rows, strict=True):
        np.testing.assert_array_equal(bars.y, row)
        assert list(bars.x) == [0, 1]
    assert figure.layout.yaxis.range is None  # scores and weights have scales of their own


@pytest.mark.parametrize("n_tokens", [1, 32, 33, 250, 1024])
def test_names_along_a_map_have_room_on_a_narrow_screen(n_tokens: int) -> None:
    weights = np.eye(n_tokens, dtype=np.float32)
    layout = attention_map(weights, ["x"] * n_tokens, LIGHT).layout
    for axis in (layout.xaxis, layout.yaxis):
        assert axis.dtick >= 1
        assert n_tokens / axis.dtick <= 32
