"""Two configurations beside each other, and a configuration as a text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.counting.compare import Row, compare, read, written
from gptviz.counting.costs import training_memory
from gptviz.counting.ledger import Ledger
from gptviz.counting.part_table import part_table
from gptviz.presets import PRESETS

SMALL, MEDIUM = PRESETS["gpt2-small"], PRESETS["gpt2-medium"]


def by_name(rows):
    found = {row.name: row for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize(
    ("this", "other", "ratio", "difference"),
    [
        (24, 12, 2.0, 12),
        (12, 24, 0.5, -12),
        (1009, 1000, None, 9),  # nearly equal: a ratio says nothing
        (1010, 1000, 1.01, 10),
        (5, 0, None, 5),
        (0, 5, None, -5),
        (0, 0, None, 0),
        (0.5, 0.0, None, 0.5),
        (False, True, None, None),
        ("norm", "none", None, None),
    ],
)
def test_ratio_and_difference(this, other, ratio, difference):
    row = Row("x", this, other)
    assert row.ratio == (None if ratio is None else pytest.approx(ratio))
    assert row.difference == difference
    assert row.differs == (this != other)


def test_gpt2_small_beside_medium():
    found = compare(SMALL, MEDIUM, n_tokens=1024)
    fields = by_name(found["Configuration"])
    differ = {name: (row.this, row.other) for name, row in fields.items() if row.differs}
    assert differ == {"emb_dim": (768, 1024), "n_layers": (12, 24), "n_heads": (12, 16)}
    counts = by_name(found["Parameters"])
    assert counts["attention"].this == 2_360_064
    assert counts["attention"].other == 4_195_328
    assert counts["query"].depth == 2
    assert counts["the whole model, untied"].this == 163_009_536
    assert counts["the whole model, tied"].other == 354_749_440
    costs = by_name(found["Memory and work"])
    assert costs["FLOPs a token, among 1,024"].this == 247_064_064 + 37_748_736
    assert not costs["FLOPs a token, among 1,024"].in_bytes
    assert costs["weights"].this == 4 * 163_009_536
    assert costs["KV cache a token"].this == 73_728
    saved = training_memory(Ledger(MEDIUM), 1024).activations
    assert costs["activations of a training row of 1,024"].other == saved


def test_nobody_trains_in_int8():
    rows = [compare(SMALL, MEDIUM, 7, width)["Memory and work"] for width in (4, 2, 1)]
    assert ["training" in str(names) for names in rows] == [True, True, False]


def test_costs_follow_the_kind_of_number():
    costs = by_name(compare(SMALL, MEDIUM, 7, bytes_per_number=2)["Memory and work"])
    assert costs["weights"].this == 2 * 163_009_536
    assert costs["KV cache a token"].this == 36_864
    assert all(row.in_bytes for name, row in costs.items() if "FLOPs" not in name)


@pytest.mark.parametrize("name", PRESETS)
def test_nothing_differs_from_itself(name):
    for rows in compare(PRESETS[name], PRESETS[name], 5).values():
        assert not [row for row in rows if row.differs or row.difference or row.ratio]


@pytest.mark.parametrize("n_tokens", [1, 3, 2048])
def test_flops_a_token_are_whole_and_lose_nothing(n_tokens):
    for row in compare(SMALL, PRESETS["gpt3-175b"], n_tokens)["Memory and work"]:
        if "FLOPs" in row.name:
            assert row.this * n_tokens == Ledger(SMALL).flops(n_tokens).total


def test_parts_stay_aligned_where_one_is_a_placeholder():
    bare = SMALL.changed(placeholders=frozenset({"attention", "norm"}))
    found = compare(SMALL, bare, 4)
    assert by_name(found["Configuration"])["placeholders"].other == "attention, norm"
    counts = by_name(found["Parameters"])
    assert list(counts)[: len(part_table(SMALL))] == [row.name for row in part_table(SMALL)]
    assert (counts["query"].this, counts["query"].other) == (768 * 768, 0)
    assert not counts["feed-forward"].differs


def test_placeholders_are_no_row_where_nobody_has_any():
    assert "placeholders" not in by_name(compare(SMALL, MEDIUM, 4)["Configuration"])


@given(
    st.builds(
        GPTConfig,
        n_layers=st.integers(1, 200),
        drop_rate=st.floats(0, 0.99),
        qkv_bias=st.booleans(),
        tie_weights=st.booleans(),
        placeholders=st.frozensets(st.sampled_from(PLACEHOLDER_PARTS)),
    )
)
def test_a_written_configuration_is_read_again(config):
    assert read(written(config)) == config


def test_only_what_is_not_the_default_is_written():
    assert written(SMALL) == "{}"
    assert written(MEDIUM) == '{"emb_dim":1024,"n_heads":16,"n_layers":24}'
    assert max(len(written(config)) for config in PRESETS.values()) < 150


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "[]",
        "[1]",
        "7",
        "null",
        '"n_layers"',
        '{"n_layers":0}',
        '{"n_layers":"12"}',
        '{"n_layers":NaN}',
        '{"drop_rate":NaN}',
        '{"emb_dim":770}',
        '{"colour":1}',
        '{"placeholders":[[]]}',
        '{"placeholders":["wings"]}',
        '{"n_layers":' + "9" * 5000 + "}",
        "[" * 100_000,
        json.dumps({"vocab_size": 1e9}),
    ],
)
def test_nonsense_is_no_configuration(text):
    with pytest.raises(ValueError, match=r".") as caught:
        read(text)
    assert len(str(caught.value)) < 400
    assert "set_int_max_str_digits" not in str(caught.value)  # Python's own words help nobody


def test_what_is_wrong_with_a_configuration_is_said():
    with pytest.raises(ValueError, match="is no configuration: it can't be read as JSON"):
        read('{"n')
    with pytest.raises(ValueError, match="a JSON object with some of vocab_size, context_length,"):
        read('{"colour":1}')
    with pytest.raises(ValueError, match="n_layers=0 must be a whole number of at least 1"):
        read('{"n_layers":0}')
