"""Which part of a long sentence the tokens page draws."""

from __future__ import annotations

import pytest

from gptviz.ui.tokens.vectors import window


@pytest.mark.parametrize(
    ("n_tokens", "token", "shown"),
    [
        (5, 0, (0, 5)),
        (10, 10 - 1, (0, 10)),
        (100, 0, (0, 10)),
        (100, 50, (45, 55)),
        (100, 99, (90, 100)),
    ],
)
def test_a_window_has_the_chosen_token_in_it(n_tokens, token, shown):
    found = window(n_tokens, 10, token)
    assert (found.start, found.stop) == shown
