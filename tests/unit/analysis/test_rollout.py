"""Rollout, against the paper's recursion in plain loops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gptviz.analysis.attention import head_map
from gptviz.analysis.rollout import rollout
from gptviz.tracing.trace import Trace

Read = Callable[..., Trace]

IDS = [4, 9, 4, 7, 250]


def by_hand(traced: Trace, shortcut: float) -> np.ndarray:
    n, config = traced.n_tokens, traced.config
    mixed = [[float(i == j) for j in range(n)] for i in range(n)]
    for layer in range(config.n_layers):
        maps = [head_map(traced, layer, head) for head in range(config.n_heads)]
        passed = [[sum(float(m[i, j]) for m in maps) / len(maps) for j in range(n)]
                  for i in range(n)]  # fmt: skip
        for i in range(n):
            passed[i][i] += shortcut
            total = sum(passed[i])
            passed[i] = [share / total for share in passed[i]]
        mixed = [[sum(passed[i][k] * mixed[k][j] for k in range(n)) for j in range(n)]
                 for i in range(n)]  # fmt: skip
    return np.array(mixed)


def test_it_is_the_product_of_the_layers_mean_maps_with_the_shortcut(read: Read) -> None:
    traced = read(IDS, n_layers=3)
    found = rollout(traced)
    np.testing.assert_allclose(found, by_hand(traced, shortcut=1), atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), np.ones(len(IDS)), atol=1e-6)
    assert not np.triu(found, k=1).any()


def test_where_no_shortcut_is_built_none_is_added(read: Read) -> None:
    traced = read(IDS, placeholders={"shortcut"})
    np.testing.assert_allclose(rollout(traced), by_hand(traced, shortcut=0), atol=1e-6)


def test_it_can_be_stopped_and_needs_attention(read: Read) -> None:
    def stop(layer: int) -> None:
        if layer == 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        rollout(read(IDS), before_each=stop)
    with pytest.raises(ValueError, match="attention is a placeholder"):
        rollout(read(IDS, placeholders={"attention"}))
