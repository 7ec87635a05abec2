"""What sampling makes of the expectation, seen on the likeliest tokens and on all others."""

from __future__ import annotations

import math

import pytest
import torch

from gptviz.analysis.sampling import choices
from gptviz.config import Sampling
from gptviz.tracing.generation import filtered

LOGITS = torch.tensor([4.51, 0.89, -1.90, 6.75, 1.63, -1.62, -1.89, 6.28, 1.79])


def test_before_it_is_the_softmax_and_after_it_what_is_drawn_by() -> None:
    sampling = Sampling(0.8, 4, 0.95)
    found = choices(LOGITS, sampling, 5)
    assert found.token_ids.tolist() == [3, 7, 0, 8, 4]
    whole = sum(math.exp(logit) for logit in LOGITS.tolist())
    own = [math.exp(LOGITS[i]) / whole for i in found.token_ids]
    assert found.probabilities.tolist() == pytest.approx(own)
    assert found.rest == pytest.approx(1 - sum(own))
    after = filtered(LOGITS, sampling)
    assert found.shares.tolist() == after[found.token_ids].tolist()
    assert found.rest_shares == 0
    assert found.cut.tolist() == [after[i] == 0 for i in found.token_ids]
    assert found.n_left == int((after > 0).sum()) < 5


@pytest.mark.parametrize("drawn", [3, 2, None])
def test_what_was_drawn_is_among_them_once(drawn: int | None) -> None:
    found = choices(LOGITS, Sampling(5), 3, drawn)
    assert found.token_ids.tolist() == [3, 7, 0] + ([2] if drawn == 2 else [])
    for shares, rest in ((found.probabilities, found.rest), (found.shares, found.rest_shares)):
        assert shares.sum() + rest == pytest.approx(1)
    assert found.n_left == 9


def test_entropies_in_bits() -> None:
    even = torch.zeros(8)
    assert choices(even, Sampling(top_k=2), 3).entropies == pytest.approx((3, 1))
    assert choices(even, Sampling(0), 3).entropies == pytest.approx((3, 0))


def test_a_count_beyond_the_vocabulary_is_the_vocabulary() -> None:
    found = choices(LOGITS, Sampling(), 50)
    assert len(found.token_ids) == 9
    assert found.rest == 0
