import re
import subprocess
import sys

import pytest
import torch
import torchinfo

from gptviz.config import GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.counting.module_table import ModuleTable, differences, module_table
from gptviz.model import GPTModel
from gptviz.presets import PRESETS

SMALL = PRESETS["gpt2-small"]
TINY = GPTConfig(vocab_size=300, context_length=16, emb_dim=12, n_heads=3, n_layers=2)


def linear_layers(config: GPTConfig) -> list[torch.nn.Linear]:
    model = GPTModel(config, device="meta")
    return [module for module in model.modules() if isinstance(module, torch.nn.Linear)]


def sentence(table: ModuleTable, start: str) -> str:
    (found,) = [line for line in differences(table) if line.startswith(start)]
    return found


def numbers(text: str) -> list[int]:
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?<!,)", text)]


@pytest.mark.parametrize("preset", ["tales", "gpt2-small", "gpt3-175b"])
def test_the_rows_are_the_models_modules(preset: str) -> None:
    config = PRESETS[preset]
    model = GPTModel(config, device="meta")
    rows = module_table(config, n_tokens=4).rows
    assert [row.path for row in rows] == Ledger(config).paths()
    for row in rows:
        module = model.get_submodule(row.path)
        assert row.module == type(module).__name__
        assert row.parameters == sum(p.numel() for p in module.parameters())
        assert row.depth == (row.path.count(".") + 1 if row.path else 0)
        assert row.trainable == ("True" if row.parameters else "--")


def test_shapes_and_weights_of_gpt2_small() -> None:
    rows = {row.path: row for row in module_table(SMALL, batch=2, n_tokens=4).rows}
    assert (rows[""].input_shape, rows[""].output_shape) == ("(2, 4)", "(2, 4, 50257)")
    assert rows["blocks.3.attention.core"].output_shape == "(2, 12, 4, 64)"
    assert rows["blocks.3.feed_forward.gelu"].input_shape == "(2, 4, 3072)"
    assert rows["blocks"].input_shape == rows["blocks"].kernel == ""
    assert rows["blocks.3.feed_forward.linear1"].kernel == "weight [768, 3072], bias [3072]"
    assert rows["blocks.3.norm1"].kernel == "scale [768], shift [768]"


def test_totals_and_mult_adds_are_those_that_torchinfo_prints() -> None:
    model = GPTModel(TINY, device="meta")
    token_ids = torch.zeros(2, 5, dtype=torch.int64, device="meta")
    columns = ("num_params", "mult_adds")
    seen = torchinfo.summary(model, input_data=token_ids, verbose=0, col_names=columns, depth=2)
    table = module_table(TINY, batch=2, n_tokens=5)
    assert f"Total params: {table.parameters:,}" in format_plainly(seen)
    assert f"Total mult-adds: {table.mult_adds:,}" in format_plainly(seen)
    rows = {row.path: row for row in table.rows}
    block = next(line for line in str(seen).splitlines() if "TransformerBlock: 2-1" in line)
    assert numbers(block)[-2:] == [rows["blocks.0"].parameters, rows["blocks.0"].mult_adds]
    assert rows[""].mult_adds == table.mult_adds


def format_plainly(seen: torchinfo.ModelStatistics) -> str:
    seen.formatting.params_units = seen.formatting.macs_units = torchinfo.Units.NONE
    return str(seen)


def test_the_context_length_is_the_default_and_the_limit() -> None:
    assert module_table(TINY).n_tokens == 16
    for n_tokens in (0, 17):
        with pytest.raises(ValueError, match=f"n_tokens={n_tokens} .* context_length=16"):
            module_table(TINY, n_tokens=n_tokens)


def test_a_tied_head_is_counted_twice_and_we_say_so() -> None:
    tied = SMALL.changed(tie_weights=True)
    line = sentence(module_table(tied, n_tokens=4), "Parameters:")
    assert numbers(line) == [163_009_536, 124_412_160, 50257 * 768]
    untied = differences(module_table(SMALL, n_tokens=4))
    assert not any(line.startswith("Parameters:") for line in untied)


@pytest.mark.parametrize("n_tokens", [1, 5])
@pytest.mark.parametrize("config", [TINY, TINY.changed(qkv_bias=True, tie_weights=True)])
def test_mult_adds_of_the_linear_layers(config: GPTConfig, n_tokens: int) -> None:
    weights = sum(layer.weight.numel() for layer in linear_layers(config))
    biases = sum(layer.bias.numel() for layer in linear_layers(config) if layer.bias is not None)
    line = sentence(module_table(config, batch=3, n_tokens=n_tokens), "Mult-adds of the Linear")
    expected = [3 * (weights + biases), 3 * n_tokens * weights]
    assert numbers(line)[:2] == expected
    assert numbers(line)[-1] == 3 * biases
    assert ("takes each weight once a sequence" in line) == (n_tokens > 1)


def test_linear_layers_that_agree_have_no_sentence() -> None:
    bare = TINY.changed(
        placeholders=frozenset({"attention", "feed_forward"})
    )  # leaves the head, no bias
    assert not any("Linear" in line for line in differences(module_table(bare, n_tokens=1)))
    assert "biases" not in sentence(module_table(bare, n_tokens=2), "Mult-adds of the Linear")


def test_mult_adds_between_tokens_are_left_out_by_torchinfo() -> None:
    line = sentence(module_table(TINY, batch=3, n_tokens=5), "Mult-adds between tokens")
    assert numbers(line) == [0, 3 * 2 * (5 * 5 * 12) * TINY.n_layers]
    without = module_table(TINY.changed(placeholders=frozenset({"attention"})), n_tokens=5)
    assert not any("between tokens" in line for line in differences(without))


def test_look_ups_are_multiplied_by_torchinfo_only() -> None:
    line = sentence(module_table(TINY, batch=3, n_tokens=5), "Mult-adds of the embeddings")
    assert numbers(line)[0] == 3 * 300 * 12 + 5 * 16 * 12


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("preset", ["tales", "gpt2-small"])
def test_the_sentences_explain_both_totals(preset: str, batch: int) -> None:
    table = module_table(PRESETS[preset], batch=batch, n_tokens=7)
    lines = [numbers(line) for line in differences(table) if line.startswith("Mult-adds")]
    assert sum(line[0] for line in lines) == table.mult_adds
    assert 2 * sum(line[1] for line in lines) == Ledger(table.config).flops(7, batch).total


def test_a_megabyte_is_not_a_mebibyte() -> None:
    line = sentence(module_table(SMALL, n_tokens=4), "Memory:")
    assert "652.04 MB are 621.83 MiB" in line
    assert "take 621.83 MiB" in line
    tied = sentence(module_table(SMALL.changed(tie_weights=True), n_tokens=4), "Memory:")
    assert "652.04 MB are 621.83 MiB" in tied
    assert "take 474.59 MiB" in tied


def test_modules_that_did_not_run_have_no_row() -> None:
    assert not any(line.startswith("Rows:") for line in differences(module_table(TINY)))
    table = module_table(TINY.changed(placeholders=frozenset({"shortcut"})))
    idle = set(Ledger(table.config).paths()) - {row.path for row in table.rows}
    assert idle == {f"blocks.{layer}.shortcut{i}" for layer in (0, 1) for i in (1, 2)}
    assert numbers(sentence(table, "Rows:")) == [4]


def test_importing_it_imports_no_torch() -> None:
    code = "import sys, gptviz.counting.module_table; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
