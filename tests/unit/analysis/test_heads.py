"""What heads do, against sums over single weights; and a head that is known to look back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from gptviz.analysis.attention import head_map
from gptviz.analysis.heads import induction_score, previous_token_score, repeated_tokens
from gptviz.tracing import BlockTrace, BlockTraces, Trace

Read = Callable[..., Trace]


def mean_weight(traced: Trace, layer: int, head: int, pairs: list[tuple[int, int]]) -> float:
    weights = head_map(traced, layer, head)
    return sum(float(weights[query, key]) for query, key in pairs) / len(pairs)


def each_head(traced: Trace, pairs: list[tuple[int, int]]) -> list[list[float]]:
    config = traced.config
    return [
        [mean_weight(traced, layer, head, pairs) for head in range(config.n_heads)]
        for layer in range(config.n_layers)
    ]


def looking_at(traced: Trace, keys: list[int]) -> Trace:
    """The same trace, but every head's query i matches the key of token ``keys[i]`` alone."""
    n = traced.n_tokens
    query = torch.nn.functional.one_hot(torch.tensor(keys), n).float().expand(3, n, n) * 1000
    key = torch.eye(n).expand(3, n, n)

    class Fixed(BlockTrace):
        q = property(lambda _: query)
        k = v = property(lambda _: key)

    blocks = [Fixed(**vars(block)) for block in traced.blocks]
    return replace(traced, blocks=BlockTraces(blocks))


def test_previous_token_score_is_the_mean_of_the_weights_before(read: Read) -> None:
    traced = read([5, 6, 7, 8, 5, 200])
    pairs = [(i, i - 1) for i in range(1, 6)]
    np.testing.assert_allclose(previous_token_score(traced), each_head(traced, pairs), rtol=1e-5)


def test_induction_score_is_the_mean_of_the_weights_after_the_earlier_copy(read: Read) -> None:
    traced = read(repeated_tokens(300, 5))
    pairs = [(5 + i, i + 1) for i in range(5)]
    np.testing.assert_allclose(induction_score(traced), each_head(traced, pairs), rtol=1e-5)


def test_a_head_that_does_only_that_scores_one(read: Read) -> None:
    traced = read(repeated_tokens(300, 6))
    back = looking_at(traced, [0, *range(11)])
    np.testing.assert_allclose(previous_token_score(back), np.ones((2, 3)), atol=1e-6)
    np.testing.assert_allclose(induction_score(back), np.zeros((2, 3)), atol=1e-6)
    induction = looking_at(traced, [0] * 6 + [1, 2, 3, 4, 5, 6])
    np.testing.assert_allclose(induction_score(induction), np.ones((2, 3)), atol=1e-6)
    assert previous_token_score(induction).max() < 0.1 + 1e-6  # 1 of 11 queries: token 1 on 0


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


def test_other_sentences_are_refused(read: Read) -> None:
    for ids in ([1, 2, 3], [1, 2, 1, 3]):
        with pytest.raises(ValueError, match="one sequence, repeated twice"):
            induction_score(read(ids))
    with pytest.raises(ValueError, match="at least 2 tokens"):
        previous_token_score(read([1]))
    with pytest.raises(ValueError, match="attention is a placeholder"):
        previous_token_score(read([1, 2], placeholders={"attention"}))
