"""What heads do, against sums over single weights; and a head that is known to look back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from gptviz.analysis import heads
from gptviz.analysis.attention import head_map
from gptviz.analysis.heads import (
    INDUCTION,
    MEASURE_OF,
    MEASURES,
    PREVIOUS_TOKEN,
    head_names,
    measured,
    repeated_tokens,
)
from gptviz.tracing.block_trace import BlockTrace, BlockTraces
from gptviz.tracing.trace import Trace

Read = Callable[..., Trace]


def looking_at(traced: Trace, keys: list[int]) -> Trace:
    """The same trace, but every head's query i matches the key of token ``keys[i]`` alone."""
    n = traced.n_tokens
    query = torch.nn.functional.one_hot(torch.tensor(keys), n).float().expand(3, n, n) * 1000
    key = torch.eye(n).expand(3, n, n)

    class Fixed(BlockTrace):
        qk = property(lambda _: (query, key))

    blocks = [Fixed(**vars(block)) for block in traced.blocks]
    return replace(traced, blocks=BlockTraces(blocks))


IDS = [5, 6, 7, 5, 6, 9, 5, 5, 200]


def by_hand(key: str, weights: np.ndarray, ids: list[int]) -> float:
    """A measure of one head by its definition, query by query and key by key."""
    at_queries = []
    for query in range(1, len(ids)):
        copies = [key for key in range(query) if ids[key] == ids[query]]
        followers = [copy + 1 for copy in copies if copy + 1 < query]
        row = [float(weight) for weight in weights[query]]
        if key == "entropy":
            at_queries.append(-sum(w * math.log2(w) for w in row if w > 0))
        elif key == "distance":
            at_queries.append(sum(row[k] * (query - k) for k in range(query + 1)))
        elif key in ("previous", "first", "itself"):
            at_queries.append(row[{"previous": query - 1, "first": 0, "itself": query}[key]])
        elif targets := {"duplicate": copies, "induction": followers}[key]:
            at_queries.append(sum(row[k] for k in targets))
    return sum(at_queries) / len(at_queries)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.key)
def test_every_measure_is_the_mean_over_queries_of_its_definition(read: Read, measure) -> None:
    traced = read(IDS, context_length=16)
    expected = [
        [by_hand(measure.key, head_map(traced, layer, head), IDS) for head in range(3)]
        for layer in range(2)
    ]
    np.testing.assert_allclose(measure.of(traced), expected, rtol=1e-5, atol=1e-6)


def test_all_at_once_is_each_alone_however_few_maps_are_in_memory(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced = read(IDS)
    alone = np.stack([measure.of(traced) for measure in MEASURES])
    for at_once in (1, 2 * len(IDS) ** 2, 10**6):
        monkeypatch.setattr(heads, "AT_ONCE", at_once)
        np.testing.assert_allclose(measured(traced), alone, rtol=1e-5, atol=1e-6)


def test_the_keys_are_those_of_the_measures() -> None:
    assert len(MEASURE_OF) == len(MEASURES)
    assert all(MEASURE_OF[measure.key] is measure for measure in MEASURES)


def test_work_can_be_stopped_before_a_layer(read: Read) -> None:
    called = []

    def stop(layer: int) -> None:
        called.append(layer)
        if layer == 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        measured(read(IDS), before_each=stop)
    assert called == [0, 1]


def test_a_head_that_does_only_that_scores_one(read: Read) -> None:
    ones, zeros = np.ones((2, 3)), np.zeros((2, 3))
    traced = read([10, 20, 30, 40, 50, 60] * 2)
    back = looking_at(traced, [0, *range(11)])
    np.testing.assert_allclose(PREVIOUS_TOKEN.of(back), ones, atol=1e-6)
    np.testing.assert_allclose(INDUCTION.of(back), zeros, atol=1e-6)
    np.testing.assert_allclose(MEASURE_OF["distance"].of(back), ones, atol=1e-5)
    np.testing.assert_allclose(MEASURE_OF["entropy"].of(back), zeros, atol=1e-5)
    induction = looking_at(traced, [0] * 6 + [1, 2, 3, 4, 5, 6])
    np.testing.assert_allclose(INDUCTION.of(induction), ones, atol=1e-6)
    assert PREVIOUS_TOKEN.of(induction).max() < 0.1 + 1e-6  # 1 of 11 queries: token 1 on 0
    copies = looking_at(traced, [0] * 6 + [0, 1, 2, 3, 4, 5])
    np.testing.assert_allclose(MEASURE_OF["duplicate"].of(copies), ones, atol=1e-6)
    np.testing.assert_allclose(INDUCTION.of(copies), zeros, atol=1e-6)
    sink, mirror = looking_at(traced, [0] * 12), looking_at(traced, list(range(12)))
    np.testing.assert_allclose(MEASURE_OF["first"].of(sink), ones, atol=1e-6)
    np.testing.assert_allclose(MEASURE_OF["itself"].of(mirror), ones, atol=1e-6)


def test_a_head_has_a_name_over_one_half_and_well_over_chance() -> None:
    values = np.array([[0.49, 0.51, 0.9]], dtype=np.float32)
    chance = np.array([[0.1, 0.0, 0.16]], dtype=np.float32)
    assert PREVIOUS_TOKEN.is_called(values, chance).tolist() == [[False, True, True]]
    assert PREVIOUS_TOKEN.is_called(values, chance * 1.2).tolist() == [[False, False, True]]
    assert PREVIOUS_TOKEN.is_called(values, chance * 2).tolist() == [[False] * 3]
    assert not MEASURE_OF["entropy"].is_called(values, chance * 0).any()


def test_repeated_tokens_are_one_random_row_twice() -> None:
    ids = repeated_tokens(300, 64)
    assert ids[:64] == ids[64:]
    assert len(set(ids)) > 40
    assert ids == repeated_tokens(300, 64)
    assert ids != repeated_tokens(300, 64, seed=5)


@pytest.mark.parametrize(("vocab_size", "greatest"), [(257, 255), (50257, 50255), (60000, 50255)])
def test_repeated_tokens_are_text(vocab_size: int, greatest: int) -> None:
    ids = repeated_tokens(vocab_size, 200_000)
    assert min(ids) >= 0
    assert greatest - 20 <= max(ids) <= greatest


def test_what_a_sentence_has_no_token_for_is_refused_alone_and_empty_among_all(read: Read) -> None:
    for ids in ([1, 2, 3], [1, 1]):  # the token after the earlier copy is the present one
        with pytest.raises(ValueError, match="Induction can't be measured here: no token comes"):
            INDUCTION.of(read(ids))
    with pytest.raises(ValueError, match="one token has none before it"):
        PREVIOUS_TOKEN.of(read([1]))
    empty = np.isnan(measured(read([1, 2, 3]))).all(axis=(1, 2))
    assert empty.tolist() == [measure.needs_repeats for measure in MEASURES]
    assert np.isnan(measured(read([1]))).all()
    for ask in (PREVIOUS_TOKEN.of, measured):
        with pytest.raises(ValueError, match="attention is a placeholder"):
            ask(read([1, 2], placeholders={"attention"}))


def test_a_head_has_every_name_that_it_earns_and_most_have_none() -> None:
    values = np.full((len(MEASURES), 2, 3), 0.1, np.float32)
    keys = list(MEASURE_OF)
    values[keys.index("first"), 1, 2] = values[keys.index("induction"), 1, 2] = 0.9
    values[keys.index("entropy")] = 5  # for which there is no name
    values[keys.index("duplicate")] = np.nan  # no token comes back
    names = head_names(values, np.full(values.shape, 0.1, np.float32))
    assert names == [[[], [], []], [[], [], ["first-token head", "induction head"]]]
