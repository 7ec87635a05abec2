"""The likeliest next tokens come from the whole vocabulary, not from a few of its logits."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from gptviz.analysis.loss import losses
from gptviz.analysis.next_token import entropy, likeliest, standing
from gptviz.tracing.trace import Trace

Read = Callable[..., Trace]


@pytest.mark.parametrize("position", [-1, 0, 2])
def test_probabilities_are_shares_of_the_whole_vocabulary(read: Read, position: int) -> None:
    traced = read([5, 6, 7, 8])
    logits = traced.logits(position).tolist()
    whole = sum(math.exp(logit) for logit in logits)
    best = sorted(range(300), key=lambda token_id: -logits[token_id])[:4]
    found = likeliest(traced, 4, position)
    assert found.token_ids.tolist() == best
    shares = [math.exp(logits[token_id]) / whole for token_id in best]
    assert found.probabilities.tolist() == pytest.approx(shares, rel=1e-4)
    assert found.rest == pytest.approx(1 - sum(shares), abs=1e-5)


def test_more_than_the_vocabulary_is_the_vocabulary(read: Read) -> None:
    found = likeliest(read([1]), 1000)
    assert sorted(found.token_ids.tolist()) == list(range(300))
    assert found.rest == pytest.approx(0, abs=1e-5)


def test_a_position_outside_the_sentence_is_refused(read: Read) -> None:
    with pytest.raises(IndexError, match="position 2 is outside"):
        likeliest(read([1, 2]), 3, position=2)


def test_logarithms_are_those_of_the_probabilities_even_where_these_vanish(read: Read) -> None:
    traced = read([5, 6])
    with torch.no_grad():
        traced.model.out_head.weight.mul_(1000)
    found = likeliest(traced, 300, position=0)
    logits = traced.logits(0).double()
    exact = torch.log_softmax(logits, dim=-1)[found.token_ids]
    assert found.log_probabilities.tolist() == pytest.approx(exact.tolist(), rel=1e-5, abs=1e-5)
    assert found.probabilities[-1] == 0
    assert found.log_probabilities[-1] > -math.inf


@pytest.mark.parametrize("position", [-1, 0])
def test_a_token_stands_after_all_that_score_higher(read: Read, position: int) -> None:
    traced = read([5, 6, 7])
    logits = traced.logits(position).tolist()
    whole = sum(math.exp(logit) for logit in logits)
    for token_id in (0, 150, 299, logits.index(max(logits))):
        found = standing(traced, token_id, position)
        assert found.token_id == token_id
        assert found.rank == 1 + sum(logit > logits[token_id] for logit in logits)
        assert found.probability == pytest.approx(math.exp(logits[token_id]) / whole, rel=1e-4)
        assert math.exp(found.log_probability) == pytest.approx(found.probability)


def test_minus_the_log_of_what_came_is_its_loss(read: Read) -> None:
    ids = [5, 6, 7, 200]
    traced = read(ids)
    costs = [-standing(traced, ids[place + 1], place).log_probability for place in range(3)]
    assert costs == pytest.approx(losses(traced).tolist(), abs=1e-5)


def test_entropy_is_the_mean_surprise_in_bits(read: Read) -> None:
    traced = read([5, 6, 7])
    shares = traced.probabilities(1).tolist()
    assert entropy(traced, 1) == pytest.approx(-sum(p * math.log2(p) for p in shares), abs=1e-4)


def test_an_even_guess_and_a_sure_one(read: Read) -> None:
    traced = read([5, 6])
    with torch.no_grad():
        traced.model.out_head.weight.zero_()
        assert entropy(traced, 0) == pytest.approx(math.log2(300))
        traced.model.out_head.weight[17] = 1000 * traced.stream[0]
        assert entropy(traced, 0) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("token_id", [-1, 300])
def test_a_token_outside_the_vocabulary_is_refused(read: Read, token_id: int) -> None:
    with pytest.raises(IndexError, match=f"token id {token_id} isn't there"):
        standing(read([1, 2]), token_id)
