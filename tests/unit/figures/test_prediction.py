"""Figures of what comes next show the numbers they are given."""

from __future__ import annotations

import csv
import math
from io import StringIO

import numpy as np
import pytest

from gptviz.figures.prediction import (
    candidate_bars,
    entropy_colours,
    head_shares,
    lens_map,
    part_bars,
    percent,
    probability_colours,
    rank_colours,
    sampled_bars,
)
from gptviz.figures.table import as_csv
from gptviz.figures.theme import DARK, LIGHT, Theme

LABELS = ["␣king", "<b>", "$x$"]
SHARES = np.array([0.5, 0.2, 0.05], dtype=np.float32)
ALIAS = {"0": "␣king", "1": "&lt;b&gt;", "2": "&#36;x&#36;", "3": "1,000 others"}


@pytest.fixture(params=[LIGHT, DARK], ids=["light", "dark"])
def theme(request: pytest.FixtureRequest) -> Theme:
    return request.param


@pytest.mark.parametrize("came", [None, 1])
def test_candidates_are_bars_and_the_rest_is_one(theme: Theme, came: int | None) -> None:
    figure = candidate_bars(LABELS, SHARES, np.log(SHARES), (1000, 0.25), came, theme)
    bars = figure.data[0]
    np.testing.assert_allclose(bars.x, [0.5, 0.2, 0.05, 0.25])
    assert figure.layout.yaxis.labelalias == ALIAS
    assert figure.layout.yaxis.range == (3.5, -0.5)  # the likeliest on top
    assert figure.layout.xaxis.title.text == "probability"
    assert list(bars.customdata[1]) == ["rank 2", f"log-probability {math.log(0.2):.3f} nats"]
    assert [text.endswith("came next") for text in bars.text] == [i == came for i in range(4)]
    assert len(set(bars.marker.color[:3])) == (1 if came is None else 2)
    rows = list(csv.reader(StringIO(as_csv(figure)[1:])))
    assert rows[0] == ["line", "probability", "next token", "next token: token"]
    assert rows[2][1:] == [str(float(SHARES[1])), "1", "<b>"]


def test_sampled_bars_have_both_and_say_what_is_cut(theme: Theme) -> None:
    before, after = SHARES.astype(float), np.array([0.7, 0.3, 0.0])
    figure = sampled_bars(LABELS, (before, 0.25), (after, 0.0), 1000, 1, theme)
    wide, narrow = figure.data
    np.testing.assert_allclose(wide.x, [*before, 0.25])
    np.testing.assert_allclose(narrow.x, [*after, 0])
    assert wide.width > narrow.width
    assert figure.layout.yaxis.labelalias == ALIAS
    texts = [note.text for note in figure.layout.annotations]
    assert texts == ["70.0%", "30.0% · drawn", "cut", "cut"]
    assert wide.marker.color[0] != wide.marker.color[2] == theme.muted
    assert "$x$" not in figure.to_json()


VALUES = np.array([[0.1, 0.9], [0.4, 0.6], [0.2, 0.3]], dtype=np.float32)
SAID = [["a", "<img>"], ["$y$", "averylongtoken"], ["c", "d"]]


def test_the_lens_has_a_token_in_each_cell(theme: Theme) -> None:
    details = [[f"{i}{j}" for j in range(2)] for i in range(3)]
    colours = probability_colours(theme)
    figure = lens_map(SAID, VALUES, details, LABELS, (1, 2), colours, theme)
    cells = figure.data[0]
    np.testing.assert_array_equal(cells.z, VALUES)
    assert list(cells.y) == ["before block 0", "after block 0", "after block 1"]
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.xaxis.range == (0.5, 2.5)
    assert list(cells.text[0]) == ["a", "&lt;img&gt;"]
    assert list(cells.text[1]) == ["&#36;y&#36;", "averylon…"]
    assert cells.hovertext[1][1] == "<b>averylongtoken</b><br>11"
    mark = figure.layout.shapes[0]
    assert (mark.x0, mark.x1, mark.y0, mark.y1) == (1.5, 2.5, -0.5, 2.5)
    rows = list(csv.reader(StringIO(as_csv(figure)[1:])))
    assert rows[1][1:] == ["1", "<b>", "a", str(float(VALUES[0, 0]))]
    assert rows[2][-2] == "<img>"


def test_the_lens_has_ranks_in_its_table_not_the_logarithms_of_its_colours() -> None:
    ranks = np.array([[1, 10], [100, 5], [1, 1]])
    details, colours = [["", ""]] * 3, rank_colours(1000, LIGHT)
    figure = lens_map(
        SAID, np.log10(ranks).astype(np.float32), details, LABELS, (1, 2), colours, LIGHT, ranks
    )
    rows = list(csv.reader(StringIO(as_csv(figure)[1:])))
    assert [row[-1] for row in rows[1:]] == ["1", "10", "100", "5", "1", "1"]


def test_colours_of_the_lens_go_from_end_to_end(theme: Theme) -> None:
    share, bits = probability_colours(theme), entropy_colours(1024, theme)
    rank = rank_colours(1000, theme)
    assert [colours.most for colours in (share, bits, rank)] == [1, 10, 3]
    assert share.shades[-1] == bits.shades[0] == rank.shades[0] == theme.sequential[-1]
    assert rank.marks == [(0, "1"), (1, "10"), (2, "100"), (3, "1,000")]


def test_the_lens_is_coloured_by_its_scale_which_the_bar_names() -> None:
    details, colours = [["", ""]] * 3, rank_colours(1000, LIGHT)
    figure = lens_map(SAID, VALUES, details, LABELS, (1, 2), colours, LIGHT)
    cells = figure.data[0]
    assert (cells.zmin, cells.zmax) == (0, 3)
    assert cells.colorscale[0] == (0, LIGHT.sequential[-1])
    assert cells.colorbar.ticktext == ("1", "10", "100", "1,000")
    assert figure.layout.annotations[0].text == colours.title


def test_parts_start_where_the_one_above_ended_and_end_at_the_sum(theme: Theme) -> None:
    parts = [("token", "embedding", 1.5), ("attention 0", "attention", -2.0)]
    parts += [("feed-forward 0", "feed_forward", 3.25), ("shift", "norm", -0.0001)]
    bars = part_bars(parts, "sum", theme).data[0]
    assert list(bars.y) == ["token", "attention 0", "feed-forward 0", "shift", "sum"]
    np.testing.assert_allclose(bars.x, [1.5, -2.0, 3.25, -0.0001, 2.7499])
    np.testing.assert_allclose(bars.base, [0, 1.5, -0.5, 2.75, 0])
    assert bars.marker.color[1] == theme.kinds["attention"]
    assert bars.text == ("+1.50", "-2.00", "+3.25", "+0.00", "+2.75")


def test_parts_that_add_nothing_are_drawn() -> None:
    assert part_bars([("a", "norm", 0.0)], "sum", LIGHT).layout.xaxis.range == (-0.15, 0.15)


def test_heads_are_even_on_both_sides(theme: Theme) -> None:
    heads = np.array([[1.0, -3.0, 0.5], [0.0, 2.0, 0.1]])
    figure = head_shares(heads, theme, "score")
    cells = figure.data[0]
    np.testing.assert_array_equal(cells.z, heads)
    assert cells.zmin == -cells.zmax
    assert figure.layout.yaxis.range == (1.5, -0.5)  # layer 0 on top
    assert (figure.layout.yaxis.title.text, figure.layout.xaxis.title.text) == ("layer", "head")
    assert "added to the score" in figure.layout.annotations[0].text


def test_figures_stand_on_the_pages_ground(theme: Theme) -> None:
    for figure in (
        candidate_bars(LABELS, SHARES, np.log(SHARES), (1, 0.25), 0, theme),
        head_shares(np.zeros((1, 1)), theme),
        part_bars([("a", "norm", 1.0)], "sum", theme),
    ):
        assert figure.layout.paper_bgcolor == theme.background


def test_a_small_share_is_not_said_to_be_nothing() -> None:
    assert [percent(share, 2) for share in (0.35123, 0.001, 3.4e-6, 0.0)] == [
        "35.12%",
        "0.10%",
        "0.00034%",
        "0%",
    ]
