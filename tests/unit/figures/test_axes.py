"""Token axes show tokens literally, by position, and stay readable."""

from __future__ import annotations

import numpy as np
import pytest

from gptviz.figures.axes import clip_limit, downwards, escaped, scale, token_axis
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
