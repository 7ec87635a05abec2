"""Numbers as places in a table of colours."""

from __future__ import annotations

import numpy as np
import pytest

from gptviz.figures.colours import colour_table, levels
from gptviz.figures.theme import LIGHT


def test_a_colour_grows_with_its_number_from_0_to_the_most() -> None:
    values = np.array([[-1, 0, 0.5], [1, 2, 4]], dtype=np.float32)
    assert levels(values, 2.0).tolist() == [[0, 0, 64], [128, 255, 255]]
    assert levels(values * 0, 0.0).tolist() == [[0] * 3] * 2  # where all are 0, none has a colour


@pytest.mark.parametrize("size", [2, 256])
def test_the_table_begins_and_ends_with_the_scale(size: int) -> None:
    table = colour_table(LIGHT.sequential, size)
    assert len(table) == size
    assert [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in (table[0], table[-1])] == [
        LIGHT.sequential[0],
        LIGHT.sequential[-1],
    ]
