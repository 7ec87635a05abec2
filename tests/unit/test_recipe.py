from __future__ import annotations

import json
import math
from dataclasses import asdict

import pytest

from gptviz.recipe import Recipe


def test_the_rate_rises_in_a_line_and_falls_as_a_cosine():
    recipe = Recipe(learning_rate=1.0, warmup_steps=10)
    rates = [recipe.rate(step, 110) for step in range(111)]
    assert rates[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert rates[10] == pytest.approx(1)
    assert rates[60] == pytest.approx(0.5)
    assert rates[35] == pytest.approx((1 + math.sqrt(0.5)) / 2)
    assert rates[110] == pytest.approx(0)
    assert rates[9:] == sorted(rates[9:], reverse=True)


def test_the_length_of_a_run():
    assert Recipe(tokens=1_000_000, rows=16).n_steps(256) == 244
    assert Recipe(tokens=1).n_steps(256) == 1


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("tokens", 0, "whole and at least 1"),
        ("rows", 2.5, "whole"),
        ("eval_every", 0, "whole and at least 1"),
        ("copy_rows", -1, "whole and at least 0"),
        ("warmup_steps", True, "whole"),
        ("seed", -1, "whole and at least 0"),
        ("seed", 2**63, "at most"),
        ("learning_rate", 0.0, "a number above 0"),
        ("learning_rate", math.nan, "a number above 0"),
        ("learning_rate", math.inf, "a number above 0"),
        ("clip_norm", "1", "a number above 0"),
        ("weight_decay", -0.1, "a number of at least 0"),
        ("betas", (0.9, 1.0), "two numbers of at least 0 and below 1"),
        ("betas", (0.9,), "two numbers"),
        ("betas", None, "two numbers"),
    ],
)
def test_a_field_that_breaks_its_rule_is_named(field, value, rule):
    with pytest.raises(ValueError, match=f"{field}=.* must be {rule}"):
        Recipe(**{field: value})


def test_some_rows_are_text():
    with pytest.raises(ValueError, match="copy_rows=2 and echo_rows=6 leave none of rows=8"):
        Recipe(rows=8, copy_rows=2, echo_rows=6)
    assert Recipe(rows=9, copy_rows=2, echo_rows=6).rows == 9


def test_a_recipe_comes_back_from_json():
    recipe = Recipe(seed=7)
    assert Recipe(**json.loads(json.dumps(asdict(recipe)))) == recipe


def test_differences_are_named_one_by_one():
    assert Recipe().differences(Recipe()) == []
    assert Recipe(rows=8, seed=7).differences(Recipe()) == [
        "rows is 8 (was 16)",
        "seed is 7 (was 123)",
    ]
