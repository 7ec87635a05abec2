"""Outlier dimensions, against a count by hand."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from gptviz.analysis.outliers import SHARE, TIMES, by_size, mean_sizes, outlier_dimensions


def test_sizes_have_no_sign_and_order_goes_down() -> None:
    values = np.array([[1, -9, 0, 2], [-3, 9, 0, 2]], dtype=np.float32)
    assert mean_sizes(values).tolist() == [2, 9, 0, 2]
    assert by_size(values).tolist() == [1, 0, 3, 2]  # equal ones in their order


def test_against_a_count_of_single_numbers() -> None:
    values = np.random.default_rng(3).normal(size=(50, 40)).astype(np.float32)
    values[:, 7] *= 9
    values[:, 11] = -20
    values[:2, 30] = 100  # on 2 of 50 tokens: fewer than 6 %
    values[:3, 31] = 100  # on 3 of 50: 6 %
    found = outlier_dimensions(values)
    rows = values.tolist()
    sizes = [sum(abs(row[d]) for row in rows) / 50 for d in range(40)]
    usual = statistics.median(sizes)
    large = [sum(abs(row[d]) > 6 * usual for row in rows) for d in range(40)]
    expected = sorted((d for d in range(40) if large[d] >= 3), key=lambda d: -sizes[d])
    assert {7, 11, 31} <= set(expected)
    assert 30 not in expected
    assert found.dimensions.tolist() == expected
    assert found.n_tokens.tolist() == [large[d] for d in expected]
    assert found.threshold == pytest.approx(6 * usual)
    assert found.least_tokens == 3
    assert found.ratios == pytest.approx([sizes[d] / usual for d in expected])
    assert found.means == pytest.approx([sum(r[d] for r in rows) / 50 for d in expected])


def test_of_one_token_one_is_enough() -> None:
    values = np.array([[1, 1, -1, 1, -7]], dtype=np.float32)
    found = outlier_dimensions(values)
    assert (found.least_tokens, found.dimensions.tolist()) == (1, [4])
    assert found.ratios.tolist() == [7]


def test_where_all_is_0_nothing_stands_out() -> None:
    assert len(outlier_dimensions(np.zeros((4, 3), dtype=np.float32)).dimensions) == 0


def test_the_rule_is_the_papers() -> None:
    assert (TIMES, SHARE) == (6.0, 0.06)
