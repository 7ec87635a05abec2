"""Small maps of all heads, against the largest weight found cell by cell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gptviz.analysis import overview
from gptviz.analysis.attention import head_map
from gptviz.analysis.overview import (
    all_heads,
    largest_weights,
    last_hidden,
    layer_heads,
    rows_of_each,
)
from gptviz.tracing.trace import Trace

Read = Callable[..., Trace]


def by_hand(weights: np.ndarray, factor: int) -> np.ndarray:
    size = -(-len(weights) // factor)
    small = np.zeros((size, size), dtype=np.uint8)
    for row in range(size):
        for column in range(size):
            cell = weights[
                row * factor : (row + 1) * factor, column * factor : (column + 1) * factor
            ]
            small[row, column] = np.round(255 * np.sqrt(cell.max()))
    return small


@pytest.mark.parametrize(
    ("n_tokens", "factor"), [(1, 1), (7, 1), (64, 1), (65, 2), (131, 3), (300, 5)]
)
def test_every_cell_is_the_largest_of_its_weights(read: Read, n_tokens: int, factor: int) -> None:
    traced = read([(7 * i) % 300 for i in range(n_tokens)])
    found = all_heads(traced)
    size = -(-n_tokens // factor)
    assert found.factor == factor
    assert found.maps.shape == (2, 3, size, size)
    assert found.nbytes == 6 * size * size
    for layer in range(2):
        for head in range(3):
            expected = by_hand(head_map(traced, layer, head), factor).astype(int)
            # One step of 255 at most: a rounding border may fall either way.
            assert np.abs(found.maps[layer, head].astype(int) - expected).max() <= 1
            assert (found.maps[layer, head].astype(int) == expected).mean() > 0.99


def test_bands_of_any_width_give_the_same(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    traced = read(list(range(150)))
    usual = all_heads(traced, most=40).maps.astype(int)
    for band in (1, 7, 1000):
        monkeypatch.setattr(overview, "BAND", band)
        assert np.abs(all_heads(traced, most=40).maps - usual).max() <= 1


def test_one_layer_is_that_of_all(read: Read) -> None:
    traced = read(list(range(70)))
    np.testing.assert_array_equal(layer_heads(traced, 1), all_heads(traced).maps[1])
    with pytest.raises(IndexError, match="layer 2 isn't there"):
        layer_heads(traced, 2)


def test_the_largest_weights_are_exact(read: Read) -> None:
    traced = read([(7 * i) % 300 for i in range(70)])
    found, exact = largest_weights(traced, 1), head_map(traced, 1, 2)
    for row, column in ((0, 0), (17, 3), (34, 34), (34, 0)):
        cell = exact[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert found[2, row, column] == pytest.approx(cell.max(), rel=1e-5)


@pytest.mark.parametrize(
    ("n_maps", "rows"), [(1, 64), (144, 64), (48 * 25, 31), (96 * 96, 11), (128 * 128, 8)]
)
def test_very_many_heads_have_smaller_maps(n_maps: int, rows: int) -> None:
    assert rows_of_each(n_maps) == rows


def test_the_overview_is_as_fine_as_the_number_of_heads_allows(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced = read(list(range(70)))
    assert all_heads(traced).maps.shape == (2, 3, 35, 35)
    monkeypatch.setattr(overview, "MOST_CELLS", 6 * 20**2)
    assert all_heads(traced).maps.shape == (2, 3, 18, 18)


def test_work_can_be_stopped_before_a_layer(read: Read) -> None:
    called = []

    def stop(layer: int) -> None:
        called.append(layer)
        if layer == 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        all_heads(read([1, 2, 3]), before_each=stop)
    assert called == [0, 1]


def test_without_attention_there_are_no_heads(read: Read) -> None:
    traced = read([1, 2, 3], placeholders={"attention"})
    for ask in (all_heads, lambda t: layer_heads(t, 0), lambda t: head_map(t, 0, 0)):
        with pytest.raises(ValueError, match="attention is a placeholder"):
            ask(traced)


def test_one_heads_map_is_exact(read: Read) -> None:
    traced = read([9, 8, 7, 6])
    weights = traced.blocks[1].attn_weights(2)
    assert weights is not None
    np.testing.assert_array_equal(head_map(traced, 1, 2), weights.numpy())
    with pytest.raises(IndexError, match="head 3 isn't there"):
        head_map(traced, 0, 3)


@pytest.mark.parametrize(("most", "size"), [(256, 96), (96, 96), (40, 32)])
def test_last_hidden_is_the_largest_of_neighbours(read: Read, most: int, size: int) -> None:
    traced = read([4, 5, 6])
    hidden = traced.blocks[1].gelu_out
    assert hidden is not None
    sizes = np.abs(hidden[-1].numpy()).reshape(size, -1).max(axis=1)
    np.testing.assert_allclose(last_hidden(traced, 1, most), sizes / sizes.max(), rtol=1e-6)


def test_last_hidden_is_none_without_a_feed_forward(read: Read) -> None:
    assert last_hidden(read([4], placeholders={"feed_forward"}), 0) is None
