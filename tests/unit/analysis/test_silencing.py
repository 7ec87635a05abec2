"""What silencing a head does to the next token, against sums over the whole vocabulary."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from gptviz.analysis.attention import head_map
from gptviz.analysis.silencing import (
    bits_moved,
    bits_of_each_head,
    brightest_head,
    largest_weights,
    shift,
)
from gptviz.config import Dropout
from gptviz.tracing.changes import silence
from gptviz.tracing.trace import Trace, trace

Read = Callable[..., Trace]

IDS = [4, 9, 4, 7, 250]


def silent(traced: Trace, *heads: tuple[int, int]) -> Trace:
    without = silence(heads)
    return trace(traced.model, traced.token_ids, None, traced.dropout, without)


@pytest.mark.parametrize("position", [0, 2, 4])
def test_the_brightest_head_has_the_largest_single_weight(read: Read, position: int) -> None:
    traced = read(IDS)
    expected = np.array(
        [[max(head_map(traced, layer, head)[position]) for head in range(3)] for layer in range(2)]
    )
    np.testing.assert_allclose(largest_weights(traced, position), expected, rtol=1e-5)
    layer, head = brightest_head(traced, position)
    assert expected[layer, head] == expected.max()


@pytest.mark.parametrize("position", [1, 4])
def test_bits_are_the_divergence_over_the_whole_vocabulary(read: Read, position: int) -> None:
    before = read(IDS)
    after = silent(before, (0, 1), (1, 2))
    p, q = (one.probabilities(position).double().tolist() for one in (before, after))
    expected = sum(a * math.log2(a / b) for a, b in zip(p, q, strict=True))
    assert expected > 0
    assert bits_moved(before, after, position) == pytest.approx(expected, rel=1e-2)
    assert bits_moved(before, before, position) == 0


def test_both_distributions_stand_side_by_side(read: Read) -> None:
    before = read(IDS)
    after = silent(before, (0, 0), (0, 1), (0, 2))
    found = shift(before, after, 4, count=3)
    p, q = before.probabilities(4).numpy(), after.probabilities(4).numpy()
    tops = {*np.argsort(p)[-3:].tolist(), *np.argsort(q)[-3:].tolist()}
    assert set(found.token_ids.tolist()) == tops
    np.testing.assert_array_equal(found.before, p[found.token_ids])
    np.testing.assert_array_equal(found.after, q[found.token_ids])
    assert (np.diff(found.before) <= 0).all()
    assert (found.top_before, found.top_after) == (p.argmax(), q.argmax())
    assert found.bits == bits_moved(before, after, 4)


@pytest.mark.parametrize("dropout", [None, Dropout(0.3, seed=5)])
def test_each_head_is_silenced_alone(read: Read, dropout: Dropout | None) -> None:
    traced, asked = read(IDS, dropout=dropout), []
    found = bits_of_each_head(traced, 4, asked.append)
    assert asked == [(layer, head) for layer in range(2) for head in range(3)]
    for layer, head in asked:
        expected = bits_moved(traced, silent(traced, (layer, head)), 4)
        assert found[layer, head] == pytest.approx(expected, rel=1e-6)
    assert (found > 0).all()


def test_it_can_be_stopped_and_needs_attention(read: Read) -> None:
    def stop(head: tuple[int, int]) -> None:
        if head == (1, 0):
            raise InterruptedError

    def stop_inside(layer: int) -> None:
        if layer == 1:
            raise InterruptedError

    for callbacks in ((stop, None), (None, stop_inside)):
        with pytest.raises(InterruptedError):
            bits_of_each_head(read(IDS), 4, *callbacks)
    without = read(IDS, placeholders={"attention"})
    for ask in (largest_weights, bits_of_each_head, brightest_head):
        with pytest.raises(ValueError, match="attention is a placeholder"):
            ask(without, 0)
