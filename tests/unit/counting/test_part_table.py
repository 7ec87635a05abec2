"""Parameters part by part: the formulas give the counts, and the parts give the whole."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.counting.part_table import BLOCK, four_totals, part_table
from gptviz.presets import PRESETS

SMALL = PRESETS["gpt2-small"]

configs = st.builds(
    lambda n_heads, head_dim, free, **fields: GPTConfig(
        n_heads=n_heads,
        emb_dim=free or n_heads * head_dim,
        head_dim=head_dim,
        **fields,
    ),
    free=st.integers(0, 99),
    ff_dim=st.integers(0, 99),
    n_heads=st.integers(1, 8),
    head_dim=st.integers(1, 64),
    vocab_size=st.integers(257, 60_000),
    context_length=st.integers(1, 4096),
    n_layers=st.integers(1, 100),
    qkv_bias=st.booleans(),
    tie_weights=st.booleans(),
    placeholders=st.frozensets(st.sampled_from(PLACEHOLDER_PARTS)),
)


def by_path(config):
    return {row.path: row for row in part_table(config)}


def value(formula: str, config: GPTConfig) -> int:
    letters = {"V": config.vocab_size, "C": config.context_length}
    letters |= {"L": config.n_layers, "d": config.emb_dim, "f": config.ff_dim}
    letters |= {"H": config.n_heads, "h": config.head_dim}
    code = re.sub(r"(?<=\d)(?=[A-Za-z])", "*", formula.replace("·", "*").replace("²", "**2"))
    return eval(code, {}, letters)


@given(configs)
def test_every_formula_gives_the_ledgers_count(config):
    for row in part_table(config):
        assert value(row.formula, config) == row.parameters, row


@given(configs)
def test_the_parts_sum_up(config):
    rows = by_path(config)
    summed = [path for path in rows if path and "." not in path]
    assert sum(rows[path].parameters for path in summed) == rows[""].parameters
    assert rows[""].parameters == Ledger(config).parameters
    assert config.n_layers * rows[BLOCK].parameters == rows["blocks"].parameters
    for around in (BLOCK, f"{BLOCK}.attention", f"{BLOCK}.feed_forward"):
        inside = [row for path, row in rows.items() if path.rpartition(".")[0] == around]
        assert len(inside) > 1
        assert sum(row.parameters for row in inside) == rows[around].parameters


def test_the_formulas_of_gpt2_small():
    rows = by_path(SMALL)
    assert rows[f"{BLOCK}.attention"].formula == "4d² + d"
    assert rows[f"{BLOCK}.attention.query"].formula == "d²"
    assert rows[f"{BLOCK}.feed_forward"].formula == "8d² + 5d"
    assert rows[""].formula == "V·d + C·d + L·(12d² + 10d) + 2d + V·d"
    assert rows[f"{BLOCK}.attention"].parameters == 2_360_064
    assert by_path(SMALL.changed(qkv_bias=True))[f"{BLOCK}.attention"].formula == "4d² + 4d"


def test_the_same_rows_stand_for_every_configuration():
    bare = SMALL.changed(placeholders=frozenset(PLACEHOLDER_PARTS), tie_weights=True)
    assert list(by_path(bare)) == list(by_path(SMALL))
    assert {row.path: row.formula for row in part_table(bare) if row.parameters} == {
        "tok_emb": "V·d",
        "pos_emb": "C·d",
        "": "V·d + C·d",
    }


def test_depth_counts_the_rows_around():
    depths = {row.name: row.depth for row in part_table(SMALL)}
    assert depths["query"] == 2
    assert depths["attention"] == depths["norm 2"] == 1
    assert depths["one block"] == depths["all blocks"] == depths["the whole model"] == 0


# Untied; tied; and what query, key and value's biases add: 3 x emb_dim x n_layers.
@pytest.mark.parametrize(
    ("name", "untied", "tied", "real"),
    [
        ("gpt2-small", 163_009_536, 124_412_160, 124_439_808),
        ("gpt2-xl", 1_637_792_000, 1_557_380_800, 1_557_611_200),
    ],
)
def test_the_four_totals(name, untied, tied, real):
    for start in (PRESETS[name], PRESETS[name].changed(tie_weights=True, qkv_bias=True)):
        found = four_totals(start)
        assert (found[False][False], found[True][False], found[True][True]) == (untied, tied, real)
        assert found[False][True] - untied == 3 * start.emb_dim * start.n_layers
