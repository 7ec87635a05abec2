"""Token axes show tokens literally, by position, and stay readable."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
import pytest

from gptviz.figures.axes import (
    bands,
    bar_on_top,
    clip_limit,
    downwards,
    escaped,
    framed,
    plain_axis,
    scale,
    stacked,
    token_axis,
)
from gptviz.figures.theme import DARK, LIGHT


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("␣the", "␣the"),
        ("<b>", "&lt;b&gt;"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("&lt;", "&amp;lt;"),
        ("$x$", "&#36;x&#36;"),
        ('"', '"'),
        ("=" * 20, "=" * 20),
        ("=" * 21, "=" * 19 + "…"),
        ("&" * 30, "&amp;" * 19 + "…"),  # cut first, so that no entity is cut in two
    ],
)
def test_text_is_shown_literally(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_every_position_has_its_token_though_tokens_repeat() -> None:
    axis = token_axis(["a", "<b>", "a"], "token", LIGHT)
    assert axis["labelalias"] == {"0": "a", "1": "&lt;b&gt;", "2": "a"}
    assert axis["range"] == [-0.5, 2.5]
    assert axis["title"]["text"] == "token"
    assert downwards(axis)["range"] == [2.5, -0.5]


@pytest.mark.parametrize(
    ("n_tokens", "step"), [(0, 1), (1, 1), (48, 1), (49, 2), (256, 6), (1024, 22)]
)
def test_at_most_48_ticks(n_tokens: int, step: int) -> None:
    axis = token_axis(["x"] * n_tokens, "token", LIGHT)
    assert axis["dtick"] == step
    assert len(range(0, n_tokens, axis["dtick"])) <= 48
    assert len(axis["labelalias"]) == n_tokens  # the hover text knows them all


def test_a_scale_runs_from_first_to_last_colour() -> None:
    for theme in (LIGHT, DARK):
        for colours in (theme.sequential, theme.diverging):
            made = scale(colours)
            assert [colour for _, colour in made] == list(colours)
            steps = np.diff([place for place, _ in made])
            assert (made[0][0], made[-1][0]) == (0, 1)
            np.testing.assert_allclose(steps, steps[0])


def test_the_limit_is_a_percentile_of_sizes() -> None:
    values = np.concatenate([np.arange(-1000, 0), [np.nan, np.inf], [0.0]]).astype(np.float32)
    assert clip_limit(values) == pytest.approx(995)
    assert clip_limit(np.zeros((2, 2), dtype=np.float32)) == 1
    assert clip_limit(np.full((2, 2), np.nan, dtype=np.float32)) == 1


def test_charts_one_above_the_other_share_the_height_and_the_axis_below_the_last() -> None:
    rows = [(plain_axis(name, LIGHT), [go.Bar(y=[1]), go.Bar(y=[2])]) for name in "abc"]
    figure = stacked(rows, plain_axis("token", LIGHT), LIGHT, 300, gap=0.1)
    assert [trace.yaxis for trace in figure.data] == ["y", "y", "y2", "y2", "y3", "y3"]
    assert {trace.xaxis for trace in figure.data} == {None}
    assert figure.layout.xaxis.anchor == "y3"
    axes = [figure.layout[name] for name in ("yaxis", "yaxis2", "yaxis3")]
    assert [axis.title.text for axis in axes] == ["a", "b", "c"]
    np.testing.assert_allclose([axis.domain for axis in axes], bands(3, 0.1))


@pytest.mark.parametrize(("count", "gap"), [(1, 0.1), (2, 0.08), (3, 0.06), (4, 0.05), (7, 0.02)])
def test_bands_fill_the_height_but_for_the_gaps(count: int, gap: float) -> None:
    made = bands(count, gap)
    assert made[0][1] == 1
    assert made[-1][0] == pytest.approx(0)
    assert made[-1][0] >= 0
    for (bottom, _), (_, top) in pairwise(made):
        assert bottom - top == pytest.approx(gap)
    assert len({round(top - bottom, 9) for bottom, top in made}) == 1


@pytest.mark.parametrize(("said", "below"), [("norm", 0), ("value<br>full colour from 3", 22)])
def test_a_frame_has_the_page_behind_it_and_room_for_its_bar(said: str, below: int) -> None:
    bar, room = bar_on_top(said, DARK, below)
    axis = plain_axis("dimension", DARK)
    heatmap = go.Heatmap(z=[[1]], colorbar=bar)
    figure = framed(heatmap, DARK, 200, axis, axis, bargap=0.5, **room)
    assert (figure.layout.paper_bgcolor, figure.layout.height) == (DARK.background, 200)
    assert (figure.layout.bargap, figure.layout.margin.b) == (0.5, 8)
    words = figure.layout.annotations[0]
    assert words.text == said
    # From the top: the bar, its numbers, the words, what else stands there, the map.
    lines = 14 * (1 + said.count("<br>"))
    assert figure.layout.margin.t >= 8 + 14 + lines + words.yshift
    assert words.yshift > below
