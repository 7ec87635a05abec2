"""Hidden units and what is said of them, against sums over single numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from gptviz.analysis.neurons import SILENT, busiest, gelu_curve, hidden, silence
from gptviz.config import Dropout
from gptviz.tracing.trace import Trace

Read = Callable[..., Trace]
IDS = [1, 20, 20, 299, 4]


def gelu(x: float) -> float:
    """Hendrycks & Gimpel 2016, section 2: the approximation with tanh."""
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


@pytest.mark.parametrize("dropout", [None, Dropout(0.3)])
def test_the_units_are_the_traces_and_gelu_is_the_papers(
    read: Read, dropout: Dropout | None
) -> None:
    traced = read(IDS, dropout=dropout)
    found = hidden(traced, 1)
    np.testing.assert_array_equal(found.before, traced.blocks[1].ff_hidden)
    np.testing.assert_array_equal(found.after, traced.blocks[1].gelu_out)
    for x, y in zip(found.before[3].tolist(), found.after[3].tolist(), strict=True):
        assert y == pytest.approx(gelu(x), abs=1e-6)
    assert found.nbytes == 4 * 96 * (2 * len(IDS) + 1)


def test_the_units_and_their_columns_make_what_the_feed_forward_makes(read: Read) -> None:
    traced = read(IDS)
    found, linear2 = hidden(traced, 0), traced.model.blocks[0].feed_forward.linear2
    columns = linear2.weight.detach().T.tolist()
    for length, column in zip(found.lengths.tolist(), columns, strict=True):
        assert length == pytest.approx(math.sqrt(sum(w * w for w in column)), rel=1e-5)
    for dimension in range(24):
        made = linear2.bias[dimension].item()
        for activation, column in zip(found.after[2].tolist(), columns, strict=True):
            made += activation * column[dimension]
        expected = traced.blocks[0].feed_forward_out
        assert expected is not None
        assert made == pytest.approx(expected[2, dimension].item(), abs=1e-5)


def test_the_curve_is_gelu() -> None:
    curve = gelu_curve(-4.0, 3.0, 15)
    assert curve.x.tolist() == pytest.approx([-4 + step / 2 for step in range(15)])
    assert curve.y.tolist() == pytest.approx([gelu(x) for x in curve.x.tolist()], abs=1e-6)


def test_what_is_held_back_is_between_the_bounds_that_are_said() -> None:
    lowest = gelu_curve(-20.0, 0.0, 20_001).y
    assert -0.1701 < lowest.min() < -0.17
    assert lowest.max() <= 0


def test_silence_is_counted_unit_by_unit(read: Read) -> None:
    traced = read(IDS)
    for block in traced.model.blocks:  # the units from 40 on are far below 0 at every token
        block.feed_forward.linear1.bias.data[40:] = -9
    found = silence(traced)
    for layer in range(2):
        units = hidden(traced, layer)
        for position in range(len(IDS)):
            before, after = units.before[position].tolist(), units.after[position].tolist()
            below = sum(x < 0 for x in before) / 96
            quiet = sum(-0.01 < y < 0.01 for y in after) / 96
            assert found.held_back[layer, position] == pytest.approx(below)
            assert found.silent[layer, position] == pytest.approx(quiet)
        columns = units.after.T.tolist()
        always = sum(all(abs(y) < SILENT for y in column) for column in columns)
        assert found.always_silent[layer] == always
        assert 56 <= always < 96
    assert found.nbytes == 2 * 4 * 2 * len(IDS) + 8 * 2


def test_silence_can_be_stopped_before_each_layer(read: Read) -> None:
    asked: list[int] = []
    silence(read(IDS), before_each=asked.append)
    assert asked == [0, 1]


@pytest.mark.parametrize("by_writing", [False, True])
def test_the_busiest_come_first(read: Read, by_writing: bool) -> None:
    units = hidden(read(IDS), 1)
    lengths, activations = units.lengths.tolist(), units.after[4].tolist()
    written = [abs(a) * length for a, length in zip(activations, lengths, strict=True)]
    sizes = written if by_writing else [abs(a) for a in activations]
    order = sorted(range(96), key=lambda neuron: -sizes[neuron])
    found = busiest(units, 4, 10, by_writing)
    assert found.neurons.tolist() == order[:10]
    assert found.activations.tolist() == [activations[n] for n in order[:10]]
    assert found.written.tolist() == pytest.approx([written[n] for n in order[:10]])
    assert len(busiest(units, 4, 500).neurons) == 96


def test_writing_counts_more_than_being_active(read: Read) -> None:
    traced = read(IDS)
    first, second = busiest(hidden(traced, 0), 0, 2).neurons.tolist()
    traced.model.blocks[0].feed_forward.linear2.weight.data[:, first] = 0
    units = hidden(traced, 0)
    assert busiest(units, 0, 1).neurons.tolist() == [first]
    assert first not in busiest(units, 0, 20, by_writing=True).neurons
    assert second in busiest(units, 0, 20, by_writing=True).neurons


def test_a_placeholder_has_no_neurons(read: Read) -> None:
    traced = read(IDS, placeholders={"feed_forward"})
    for ask in (lambda: hidden(traced, 0), lambda: silence(traced)):
        with pytest.raises(ValueError, match="feed-forward is a placeholder"):
            ask()


def test_a_layer_or_token_that_is_not_there_is_refused(read: Read) -> None:
    with pytest.raises(IndexError):
        hidden(read(IDS), 2)
    with pytest.raises(IndexError):
        busiest(hidden(read(IDS), 0), 5, 3)
