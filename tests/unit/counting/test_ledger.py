import re
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.counting.formulas import parameters_formula
from gptviz.counting.ledger import Ledger
from gptviz.figures.theme import KINDS
from gptviz.model import GPTModel
from gptviz.presets import PRESETS

SMALL = PRESETS["gpt2-small"]

# (total untied, tied, MiB untied, one block, its attention, its feed-forward, tied with qkv bias)
BOOK = {
    "gpt2-small": (163009536, 124412160, 621.83, 7085568, 2360064, 4722432, 124439808),
    "gpt2-medium": (406212608, 354749440, 1549.58, 12593152, 4195328, 8393728, 354823168),
    "gpt2-large": (838220800, 773891840, 3197.56, 19673600, 6554880, 13113600, 774030080),
    "gpt2-xl": (1637792000, 1557380800, 6247.68, 30736000, 10241600, 20488000, 1557611200),
}

configs = st.builds(
    lambda head_dim, n_heads, placeholders, **fields: GPTConfig(
        emb_dim=head_dim * n_heads, n_heads=n_heads, placeholders=frozenset(placeholders), **fields
    ),
    head_dim=st.integers(1, 9),
    n_heads=st.integers(1, 5),
    placeholders=st.sets(st.sampled_from(PLACEHOLDER_PARTS)),
    vocab_size=st.integers(257, 400),
    context_length=st.integers(1, 20),
    n_layers=st.integers(1, 12),
    qkv_bias=st.booleans(),
    tie_weights=st.booleans(),
)


def counted_in_the_model(config: GPTConfig) -> dict[str, int]:
    """Parameters at or under every module's path; a shared tensor counts where it stands first."""
    model = GPTModel(config, device="meta")
    counts = dict.fromkeys((path for path, _ in model.named_modules()), 0)
    for name, parameter in model.named_parameters(remove_duplicate=True):
        owner = name.rpartition(".")[0]
        while True:
            counts[owner] += parameter.numel()
            if not owner:
                break
            owner = owner.rpartition(".")[0]
    return counts


def counted_by_torch(config: GPTConfig, n_tokens: int, batch: int) -> tuple[int, int]:
    model = GPTModel(config, device="meta").eval()
    token_ids = torch.zeros(batch, n_tokens, dtype=torch.int64, device="meta")
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model(token_ids)
    cores = [n for n in counter.get_flop_counts() if n.endswith(".attention.core")]
    attention = sum(sum(counter.get_flop_counts()[name].values()) for name in cores)
    return counter.get_total_flops() - attention, attention


@pytest.mark.parametrize("preset", BOOK)
def test_parameters_of_the_published_sizes(preset: str) -> None:
    untied, tied, mib, block, attention, feed_forward, real_gpt2 = BOOK[preset]
    config = PRESETS[preset]
    ledger = Ledger(config)
    assert ledger.parameters == ledger.parameters_untied == untied
    assert ledger.parameters_tied == Ledger(config.changed(tie_weights=True)).parameters == tied
    assert ledger.weight_bytes(4) / 2**20 == pytest.approx(mib, abs=0.005)
    assert ledger.of("blocks.3") == block
    assert ledger.of("blocks.3.attention") == attention
    assert ledger.of("blocks.3.feed_forward") == feed_forward
    assert Ledger(config.changed(tie_weights=True, qkv_bias=True)).parameters == real_gpt2


@pytest.mark.parametrize("tied", [False, True])
def test_the_count_that_people_call_non_embedding(tied: bool) -> None:
    ledger = Ledger(SMALL.changed(tie_weights=tied))
    assert ledger.parameters_non_embedding == 85_028_352 == 12 * 7_085_568 + 2 * 768
    model = GPTModel(ledger.config, device="meta")
    apart = ("tok_emb", "pos_emb", "out_head")
    counted = sum(p.numel() for name, p in model.named_parameters() if not name.startswith(apart))
    assert counted == ledger.parameters_non_embedding


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("preset", PRESETS)
def test_every_part_of_every_preset_is_counted_as_in_the_model(preset: str, tied: bool) -> None:
    config = PRESETS[preset].changed(tie_weights=tied)
    ledger = Ledger(config)
    assert [(path, ledger.of(path)) for path in ledger.paths()] == list(
        counted_in_the_model(config).items()
    )


@given(config=configs)
@settings(max_examples=60, deadline=None)
def test_every_part_of_any_configuration_is_counted_as_in_the_model(config: GPTConfig) -> None:
    ledger = Ledger(config)
    assert [(path, ledger.of(path)) for path in ledger.paths()] == list(
        counted_in_the_model(config).items()
    )


def test_a_tied_head_has_no_parameters_but_still_multiplies() -> None:
    tied = Ledger(SMALL.changed(tie_weights=True))
    assert tied.of("out_head") == 0
    assert tied.of("tok_emb") == 50257 * 768
    assert tied.flops_of("out_head", n_tokens=1).linear == 2 * 50257 * 768


@pytest.mark.parametrize(
    "path",
    ["wte", "blocks.12", "blocks.-1", "blocks.03", "blocks.*", "blocks.", "blocks.0.attn", "tok"],
)
def test_an_unknown_path_is_named(path: str) -> None:
    with pytest.raises(KeyError, match=re.escape(repr(path)) + ": no such part in a model of 12"):
        Ledger(SMALL).of(path)


def test_a_placeholder_has_nothing_inside() -> None:
    ledger = Ledger(SMALL.changed(placeholders=frozenset({"attention"})))
    assert ledger.of("blocks.0.attention") == 0
    with pytest.raises(KeyError):
        ledger.of("blocks.0.attention.query")


def test_flops_of_gpt2_small() -> None:
    flops = Ledger(SMALL).flops(1024, batch=2)
    assert flops.linear == 505_987_203_072
    assert flops.total == 583_296_614_400
    assert flops.linear == 2 * 1024 * 247_064_064
    assert flops.attention == 2 * 1024 * 37_748_736


@pytest.mark.parametrize("preset", PRESETS)
def test_flops_of_every_preset_are_torchs(preset: str) -> None:
    config = PRESETS[preset].changed(n_layers=2)  # all blocks are alike; torch's counter is slow
    n_tokens = config.context_length
    flops = Ledger(config).flops(n_tokens, batch=2)
    assert (flops.linear, flops.attention) == counted_by_torch(config, n_tokens, batch=2)


@given(config=configs, n_tokens=st.integers(1, 20), batch=st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_flops_of_any_configuration_are_torchs(
    config: GPTConfig, n_tokens: int, batch: int
) -> None:
    n_tokens = min(n_tokens, config.context_length)
    flops = Ledger(config).flops(n_tokens, batch)
    assert (flops.linear, flops.attention) == counted_by_torch(config, n_tokens, batch)


@given(config=configs)
def test_the_parts_flops_sum_to_the_whole(config: GPTConfig) -> None:
    ledger = Ledger(config)
    tops = ["tok_emb", "pos_emb", "drop_emb", "final_norm", "out_head"]
    layers = [f"blocks.{layer}" for layer in range(config.n_layers)]
    for paths in ([*tops, "blocks"], [*tops, *layers]):
        parts = [ledger.flops_of(path, n_tokens=7, batch=3) for path in paths]
        assert sum(part.linear for part in parts) == ledger.flops(7, 3).linear
        assert sum(part.attention for part in parts) == ledger.flops(7, 3).attention


def test_kv_cache_of_gpt2_small() -> None:
    ledger = Ledger(SMALL)
    assert ledger.kv_cache_bytes(1) == 36_864
    assert ledger.kv_cache_bytes(1, bytes_per_number=4) == 73_728
    assert ledger.kv_cache_bytes(1024) / 1e6 == pytest.approx(37.75, abs=0.005)
    assert Ledger(SMALL.changed(placeholders=frozenset({"attention"}))).kv_cache_bytes(1024) == 0


def test_memory_to_run_is_the_formula_it_states() -> None:
    d, n_tokens = 768, 1024
    numbers = 163_009_536 + n_tokens * (4 + 13 * 12) * d + 50257 + 3 * 12 * n_tokens**2
    assert Ledger(SMALL).memory_to_run(n_tokens) == 4 * numbers


@given(config=configs)
@settings(max_examples=60, deadline=None)
def test_memory_to_run_counts_every_tensor_that_is_made(config: GPTConfig) -> None:
    n_tokens = config.context_length
    kept = bytes_of_new_tensors(GPTModel(config).eval(), n_tokens)
    weights = Ledger(config).weight_bytes(4)
    maps = 4 * 3 * config.n_heads * n_tokens**2 * config.has("attention")
    assert Ledger(config).memory_to_run(n_tokens) == weights + kept + 4 * config.vocab_size + maps


@torch.inference_mode()
def bytes_of_new_tensors(model: GPTModel, n_tokens: int) -> int:
    """Bytes of all different tensors that modules put out, less what can be made again."""
    derived = ("core", "gelu", "out_head")
    outputs: list[torch.Tensor] = []
    for name, module in model.named_modules():
        if name and not name.endswith(derived):
            module.register_forward_hook(lambda _module, _input, output: outputs.append(output))
    model(torch.zeros(1, n_tokens, dtype=torch.int64))
    return sum({out.data_ptr(): out.numel() * out.element_size() for out in outputs}.values())


@given(config=configs)
def test_shares_are_boxes_in_boxes_that_sum_up(config: GPTConfig) -> None:
    ledger = Ledger(config)
    shares = {share.id: share for share in ledger.shares()}
    assert shares["model"].parameters == ledger.parameters
    assert [share.id for share in shares.values() if not share.parent] == ["model"]
    for share in shares.values():
        inside = [child.parameters for child in shares.values() if child.parent == share.id]
        assert share.parameters == (sum(inside) if inside else share.parameters) > 0
        assert share.kind in KINDS
    assert len(shares) == len(ledger.shares())


def test_shares_of_gpt2_small() -> None:
    parameters = {share.id: share.parameters for share in Ledger(SMALL).shares()}
    assert parameters["blocks.*.attention"] == 12 * 2_360_064
    assert parameters["blocks.*.feed_forward"] == 12 * 4_722_432
    assert parameters["blocks.*.norm"] == 12 * 4 * 768
    assert parameters["out_head"] == parameters["tok_emb"] == 50257 * 768
    tied = {share.id: share.label for share in Ledger(SMALL.changed(tie_weights=True)).shares()}
    assert "out_head" not in tied
    assert tied["tok_emb"] == "token embedding, also the output head"


def test_the_formula_of_gpt2_small() -> None:
    letters = parameters_formula(SMALL).split(" = ")[0]
    assert letters == "2Vd + Cd + L(12d^{2} + 10d) + 2d"


@given(config=configs)
def test_the_formulas_letters_and_numbers_give_the_count(config: GPTConfig) -> None:
    letters, numbers, count = parameters_formula(config).split(" = ")
    values = {"V": config.vocab_size, "C": config.context_length, "L": config.n_layers}
    values["d"] = config.emb_dim
    with_letters = re.sub(r"(?<=[\w}])(?=[VCLd(])", "*", letters).replace("^{2}", "**2")
    with_numbers = numbers.replace("{,}", "").replace(r"\cdot", "*").replace("^{2}", "**2")
    total = Ledger(config).parameters
    assert eval(with_letters, {}, values) == total
    assert eval(with_numbers) == total
    assert count.replace("{,}", "") == str(total)


def test_gpt3_needs_no_torch() -> None:
    code = """
import sys
from gptviz.presets import PRESETS
from gptviz.counting.formulas import parameters_formula
from gptviz.counting.ledger import Ledger
ledger = Ledger(PRESETS["gpt3-175b"])
ledger.parameters, ledger.parameters_tied, ledger.parameters_untied, ledger.shares()
ledger.flops(2048), ledger.kv_cache_bytes(2048), ledger.memory_to_run(2048)
ledger.of("blocks.95.attention.query"), ledger.paths(), parameters_formula(ledger.config)
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
