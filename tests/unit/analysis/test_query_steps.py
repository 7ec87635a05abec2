"""The steps of one query, against sums over single numbers and the model's own outcome."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from gptviz.analysis.query_steps import query_steps
from gptviz.config import Dropout
from gptviz.tracing.trace import Trace

Read = Callable[..., Trace]

IDS = [4, 9, 4, 7, 250]
QUERY = 3


def test_each_step_is_the_one_before_by_plain_arithmetic(read: Read) -> None:
    traced = read(IDS)
    block = traced.blocks[1]
    q, k, v = (heads[2].tolist() for heads in (block.q, block.k, block.v))
    found = query_steps(traced, 1, 2, QUERY)
    scores = [sum(a * b for a, b in zip(q[QUERY], key, strict=True)) for key in k]
    scaled = [score / math.sqrt(8) for score in scores]
    exps = [math.exp(s - max(scaled[: QUERY + 1])) for s in scaled[: QUERY + 1]]
    weights = [e / sum(exps) for e in exps]
    context = [sum(w * v[key][d] for key, w in enumerate(weights)) for d in range(8)]
    np.testing.assert_allclose(found.scores, scores, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.scaled, scaled, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.masked, [*scaled[: QUERY + 1], -math.inf], rtol=1e-4)
    np.testing.assert_allclose(found.exps, [*exps, 0], rtol=1e-4)
    np.testing.assert_allclose(found.weights, [*weights, 0], rtol=1e-4)
    np.testing.assert_allclose(found.context_vec, context, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(found.mixed_by, found.weights)
    np.testing.assert_allclose(found.weights, block.attn_weights(2)[QUERY], atol=1e-6)


def test_the_models_own_outcome_stands_beside_and_agrees(read: Read) -> None:
    traced = read(IDS)
    for layer, head, query in ((0, 0, 0), (1, 2, 4)):
        found = query_steps(traced, layer, head, query)
        own = traced.blocks[layer].context_vec[head, query].numpy()
        np.testing.assert_array_equal(found.models_own, own)
        assert found.error == np.abs(found.context_vec - own).max() < 1e-5


def test_in_train_mode_the_values_are_mixed_by_what_dropout_left(read: Read) -> None:
    traced = read(IDS, dropout=Dropout(0.5, seed=3))
    block, found = traced.blocks[0], query_steps(traced, 0, 1, 4)
    np.testing.assert_array_equal(found.mixed_by, block.dropped_weights(1)[4])
    kept = found.mixed_by > 0
    assert 0 < kept.sum() < 5
    np.testing.assert_allclose(found.mixed_by[kept], found.weights[kept] * 2, rtol=1e-5)
    assert found.weights.sum() == pytest.approx(1)
    assert found.error < 1e-5


def test_what_is_not_there_is_refused(read: Read) -> None:
    for layer, head, query, said in (
        (2, 0, 0, "layer 2"),
        (0, 3, 0, "head 3"),
        (0, 0, 5, "position 5"),
        (0, 0, -1, "position -1"),
    ):
        with pytest.raises(IndexError, match=f"{said} isn't there"):
            query_steps(read(IDS), layer, head, query)
    with pytest.raises(ValueError, match="attention is a placeholder"):
        query_steps(read(IDS, placeholders={"attention"}), 0, 0, 0)
