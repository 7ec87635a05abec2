"""One token in both directions, summed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from gptviz.analysis.attention import directions

WEIGHTS = np.array([[1, 0, 0], [0.25, 0.75, 0], [0.125, 0.375, 0.5]], dtype=np.float32)


@pytest.mark.parametrize(
    ("token", "looks_at", "looked_at_by", "even"),
    [
        (0, [1], [1, 0.25, 0.125], 1 + 1 / 2 + 1 / 3),
        (1, [0.25, 0.75], [0.75, 0.375], 1 / 2 + 1 / 3),
        (2, [0.125, 0.375, 0.5], [0.5], 1 / 3),
    ],
)
def test_a_token_gives_its_row_and_gets_its_column(token, looks_at, looked_at_by, even) -> None:
    found = directions(WEIGHTS, token)
    np.testing.assert_array_equal(found.looks_at, looks_at)
    np.testing.assert_array_equal(found.looked_at_by, looked_at_by)
    assert found.received == pytest.approx(sum(looked_at_by))
    assert found.even == pytest.approx(even)
