"""The likeliest next tokens come from the whole vocabulary, not from a few of its logits."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from gptviz.analysis.next_token import likeliest
from gptviz.tracing import Trace

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
