"""The loss is minus the log of what the model gave the token that came."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch

from gptviz.analysis.loss import BAND, losses
from gptviz.config import PLACEHOLDER_PARTS
from gptviz.tracing.trace import Trace

Read = Callable[..., Trace]


@pytest.mark.parametrize("n_tokens", [2, 7, BAND, BAND + 1, BAND + 2, 2 * BAND + 5])
def test_each_is_minus_the_log_of_the_next_tokens_probability(read: Read, n_tokens: int) -> None:
    ids = [(7 * place**2 + 3) % 300 for place in range(n_tokens)]
    traced = read(ids)
    by_hand = []
    for position, (_, target) in enumerate(itertools.pairwise(ids)):
        logits = traced.logits(position).tolist()
        by_hand.append(math.log(sum(math.exp(logit) for logit in logits)) - logits[target])
    assert losses(traced).tolist() == pytest.approx(by_hand, abs=1e-4)


@pytest.mark.parametrize("placeholders", [(), PLACEHOLDER_PARTS, ("norm", "shortcut")])
def test_their_mean_is_the_loss_of_training(read: Read, placeholders: tuple[str, ...]) -> None:
    ids = torch.arange(40)
    traced = read(ids.tolist(), placeholders=placeholders)
    logits = torch.stack([traced.logits(position) for position in range(39)])
    expected = torch.nn.functional.cross_entropy(logits, ids[1:]).item()
    assert losses(traced).mean() == pytest.approx(expected, abs=1e-4)


def test_an_even_guess_costs_the_log_of_the_vocabulary(read: Read) -> None:
    traced = read([1, 2, 3])
    with torch.no_grad():
        traced.model.out_head.weight.zero_()
    assert losses(traced).tolist() == pytest.approx([math.log(300)] * 2)


def test_one_token_has_no_next(read: Read) -> None:
    with pytest.raises(ValueError, match="at least 2 tokens"):
        losses(read([1]))
