"""The ledger against what the model, its state dict and its file really hold."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.counting.part_table import PartRow, part_table
from gptviz.counting.reconcile import (
    FILE,
    MODEL,
    STATE_DICT,
    Check,
    by_entry,
    by_module,
    checks,
    reconcile,
)
from gptviz.loading import WEIGHTS
from gptviz.model import GPTModel
from gptviz.presets import PRESETS
from gptviz.weights import stored_shapes

TINY = GPTConfig(vocab_size=300, context_length=8, emb_dim=6, n_heads=2, n_layers=3)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("name", PRESETS)
def test_all_ways_of_counting_agree_on_every_part(name, tied, bias):
    config = PRESETS[name].changed(tie_weights=tied, qkv_bias=bias)
    found = reconcile(config)
    assert [check.row for check in found] == list(part_table(config))
    for check in found:
        assert check.counted == {MODEL: check.row.parameters, STATE_DICT: check.row.parameters}
        assert check.verdict == "equal"


@pytest.mark.parametrize("part", PLACEHOLDER_PARTS)
def test_they_agree_with_placeholders(part):
    found = reconcile(TINY.changed(placeholders=frozenset({part})))
    assert {check.verdict for check in found} == {"equal"}


def test_the_file_that_ships_has_them_too():
    found = reconcile(PRESETS["tales"], stored_shapes(WEIGHTS["tales"]))
    assert {check.verdict for check in found} == {"equal"}
    assert [check.counted[FILE] for check in found] == [check.row.parameters for check in found]


def test_a_tied_head_stands_in_the_state_dict_twice_and_counts_once():
    entries = by_entry(GPTModel(TINY.changed(tie_weights=True), device="meta"))
    assert entries["tok_emb.weight"] == 300 * 6
    assert entries["out_head.weight"] == 0
    assert by_entry(GPTModel(TINY, device="meta"))["out_head.weight"] == 300 * 6


def test_a_real_model_counts_as_one_without_memory_does():
    real, meta = GPTModel(TINY), GPTModel(TINY, device="meta")
    assert by_module(real) == by_module(meta)
    assert by_entry(real) == by_entry(meta)


def test_a_model_that_is_not_as_the_ledger_says_is_found_out():
    model = GPTModel(TINY)
    model.blocks[0].norm1.extra = nn.Parameter(torch.zeros(5))
    del model.blocks[0].attention.out_proj.bias
    sizes = {MODEL: by_module(model), STATE_DICT: by_entry(model)}
    said = {check.row.name: check.verdict for check in checks(part_table(TINY), sizes)}
    assert said["norm 1"] == "the model +5, state dict +5"
    assert said["out_proj"] == said["attention"] == "the model -6, state dict -6"
    assert said["one block"] == said["the whole model"] == "the model -1, state dict -1"
    assert said["norm 2"] == said["token embedding"] == "equal"


def test_the_verdict_names_only_who_differs():
    row = PartRow("pos_emb", "position embedding", "C·d", 1000)
    assert Check(row, {MODEL: 1000, STATE_DICT: 3000}).verdict == "state dict +2,000"


def test_a_path_is_not_taken_for_another_that_begins_alike():
    row = PartRow("blocks.1", "a block", "", 7)
    (check,) = checks((row,), {MODEL: {"blocks.1.a": 3, "blocks.1": 4, "blocks.10.a": 100}})
    assert check.verdict == "equal"


def test_importing_it_needs_no_torch():
    code = "import sys, gptviz.counting.reconcile; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
