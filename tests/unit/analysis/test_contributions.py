"""What parts add and how widely heads look, against sums over single numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from gptviz.analysis import heads
from gptviz.analysis.attention import head_map
from gptviz.analysis.contributions import attention_entropy, contributions, most_entropy
from gptviz.config import Dropout
from gptviz.tracing.trace import Trace

Read = Callable[..., Trace]
IDS = [5, 6, 7, 8, 5, 200]


def length(numbers: torch.Tensor) -> float:
    return math.sqrt(sum(float(number) ** 2 for number in numbers))


def mean_ratio(before: torch.Tensor, after: torch.Tensor) -> float:
    """From the stream alone, before and after: what was added is their difference."""
    ratios = [
        length(after[i].double() - before[i].double()) / length(before[i])
        for i in range(len(before))
        if length(before[i])
    ]
    return sum(ratios) / len(ratios)


@pytest.mark.parametrize("dropout", [None, Dropout(0.3, 1)])
def test_contributions_are_the_steps_of_the_stream_beside_the_stream(read: Read, dropout) -> None:
    traced = read(IDS, dropout=dropout)
    found = contributions(traced)
    blocks = traced.blocks
    attention = [mean_ratio(block.resid_pre, block.resid_mid) for block in blocks]
    feed_forward = [mean_ratio(block.resid_mid, block.resid_post) for block in blocks]
    np.testing.assert_allclose(found.attention, attention, rtol=1e-4)
    np.testing.assert_allclose(found.feed_forward, feed_forward, rtol=1e-4)
    positions = mean_ratio(traced.tok_emb, traced.tok_emb + traced.pos_emb)
    assert found.pos_emb == pytest.approx(positions, rel=1e-4)
    assert found.nbytes == 16


def test_a_placeholder_adds_nothing_and_without_shortcuts_nothing_is_added(read: Read) -> None:
    found = contributions(read(IDS, placeholders={"attention"}))
    assert found.attention is None
    assert found.feed_forward is not None
    found = contributions(read(IDS, placeholders={"shortcut"}))
    assert found.attention is None
    assert found.feed_forward is None
    assert found.pos_emb > 0


def test_tokens_with_nothing_in_the_stream_are_left_out(read: Read) -> None:
    traced = read(list(range(100)), dropout=Dropout(0.9, 3), emb_dim=3)
    empty = [length(row) == 0 for row in traced.embeddings]
    assert 0 < sum(empty) < 100
    found = contributions(traced).attention
    assert found is not None
    block = traced.blocks[0]
    assert found[0] == pytest.approx(mean_ratio(block.resid_pre, block.resid_mid), rel=1e-4)


def bits(traced: Trace, layer: int, head: int) -> float:
    weights = head_map(traced, layer, head).astype(np.float64)
    each = [-sum(w * math.log2(w) for w in row if w > 0) for row in weights[1:]]
    return sum(each) / len(each)


@pytest.mark.parametrize("at_once", [1, 10**6])
def test_entropy_is_the_mean_of_the_queries_sums(read: Read, at_once: int, monkeypatch) -> None:
    monkeypatch.setattr(heads, "AT_ONCE", at_once)
    traced = read(IDS)
    slow = [[bits(traced, layer, head) for head in range(3)] for layer in range(2)]
    np.testing.assert_allclose(attention_entropy(traced), slow, rtol=1e-4)


def test_a_head_that_looks_at_all_alike_has_the_most_entropy(read: Read) -> None:
    traced = read(IDS)
    with torch.inference_mode():
        for block in traced.model.blocks:
            block.attention.query.weight.zero_()  # type: ignore[union-attr]
    assert most_entropy(6) == pytest.approx(sum(math.log2(i + 1) for i in range(1, 6)) / 5)
    np.testing.assert_allclose(
        attention_entropy(traced), np.full((2, 3), most_entropy(6)), rtol=1e-5
    )
    assert most_entropy(2) == pytest.approx(1)


def test_entropy_needs_a_choice(read: Read) -> None:
    with pytest.raises(ValueError, match="at least 2 tokens"):
        attention_entropy(read([1]))
    with pytest.raises(ValueError, match="attention is a placeholder"):
        attention_entropy(read([1, 2], placeholders={"attention"}))


@pytest.mark.parametrize("measure", [contributions, attention_entropy])
def test_the_work_can_be_stopped_at_every_layer(read: Read, measure) -> None:
    asked: list[int] = []
    measure(read(IDS), before_each=asked.append)
    assert asked == [0, 1]
