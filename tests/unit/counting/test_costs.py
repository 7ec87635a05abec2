"""What training and running take, against torch's own books and by hand."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.attention import SDPBackend, sdpa_kernel

from gptviz.anatomy import find
from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.counting.costs import (
    DEVICES,
    PRECISIONS,
    Device,
    PartCost,
    Work,
    decode,
    part_cost,
    prefill,
    size,
    training_flops,
    training_memory,
)
from gptviz.counting.ledger import Ledger
from gptviz.model import GPTModel
from gptviz.presets import PRESETS

SMALL = Ledger(PRESETS["gpt2-small"])
LINEAR, ATTENTION = 247_064_064, 37_748_736  # FLOPs a token, the second at 1,024 tokens


@dataclass(eq=False)
class Saved:
    """What autograd keeps in place of a tensor: it lives as long as something needs it."""

    tensor: torch.Tensor


def saved_by_torch(config: GPTConfig, n_tokens: int, batch: int) -> int:
    """Numbers in fp32 that a real forward pass and loss leave saved for the way back, each once."""
    model = GPTModel(config).train()
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    found = []

    def pack(tensor: torch.Tensor) -> Saved:
        saved = Saved(tensor)
        found.append(weakref.ref(saved))
        return saved

    ids = torch.zeros(batch, n_tokens, dtype=torch.int64)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved.tensor):
        loss = F.cross_entropy(model(ids).flatten(0, 1), ids.flatten())
    kept = [saved.tensor for one in found if (saved := one()) is not None]
    assert loss.requires_grad  # it is alive, and so is all that it needs
    storages = (t.untyped_storage() for t in kept if t.dtype == torch.float32 and t.dim())
    sizes = {storage.data_ptr(): storage.nbytes() // 4 for storage in storages}
    return sum(size for place, size in sizes.items() if place not in weights)


@settings(deadline=None, max_examples=40)
@given(
    head_dim=st.integers(2, 9),
    n_heads=st.integers(1, 5),
    n_layers=st.integers(1, 4),
    n_tokens=st.integers(2, 12),
    batch=st.integers(1, 3),
    qkv_bias=st.booleans(),
    tie_weights=st.booleans(),
    drop_rate=st.sampled_from((0.0, 0.1)),
    placeholders=st.frozensets(st.sampled_from(PLACEHOLDER_PARTS)),
    fused=st.booleans(),
    more=st.integers(0, 3),
    ff_dim=st.integers(0, 30),
)
def test_activations_are_what_autograd_saves(
    head_dim, n_heads, n_tokens, batch, fused, more, **fields
):
    config = GPTConfig(
        vocab_size=257,
        context_length=12,
        emb_dim=head_dim * n_heads + more,
        n_heads=n_heads,
        head_dim=head_dim,
        **fields,
    )
    memory = training_memory(Ledger(config), n_tokens, batch)
    kernel = SDPBackend.FLASH_ATTENTION if fused else SDPBackend.MATH
    # With dropout torch's CPU kernels are not fused, whatever is asked for.
    maps = 0 if fused and not config.drop_rate else memory.maps
    with sdpa_kernel([kernel, SDPBackend.MATH], set_priority=True):
        assert memory.activations + maps == 4 * saved_by_torch(config, n_tokens, batch)


def test_the_memory_of_a_training_step():
    fp32, mixed, bf16 = (training_memory(SMALL, 1024, 2, each) for each in PRECISIONS)
    n = 163_009_536
    assert (fp32.weights, fp32.gradients, fp32.master, fp32.adam) == (4 * n, 4 * n, 0, 8 * n)
    assert (mixed.weights, mixed.gradients, mixed.master, mixed.adam) == (
        2 * n,
        2 * n,
        4 * n,
        8 * n,
    )
    assert (bf16.weights, bf16.gradients, bf16.master, bf16.adam) == (2 * n, 2 * n, 0, 4 * n)
    numbers = 12 * (18 * 768 + 4 + 12) + 3 * 768 + 2 + 50257  # dropout's masks among them
    assert fp32.activations == 2 * mixed.activations == 2 * bf16.activations == 8192 * numbers
    assert mixed.maps == 2 * 2 * 12 * 12 * (3 * 1024**2 - 1024)
    for step, each in zip((fp32, mixed, bf16), PRECISIONS, strict=True):
        assert step.without_activations == each.per_parameter * n
        assert step.total == step.without_activations + step.activations


def test_the_usual_bytes_a_parameter():
    assert [each.per_parameter for each in PRECISIONS] == [16, 16, 8]
    steps = [training_memory(Ledger(PRESETS["gpt2-xl"]), 1, 1, each) for each in PRECISIONS]
    words = [size(step.without_activations, decimal=True) for step in steps]
    assert words == ["26.20 GB", "26.20 GB", "13.10 GB"]


@pytest.mark.parametrize(
    ("precision", "dtype"), [(PRECISIONS[0], torch.float32), (PRECISIONS[2], torch.bfloat16)]
)
def test_weights_gradients_and_means_are_as_wide_as_torchs(precision, dtype):
    config = GPTConfig(vocab_size=257, context_length=8, emb_dim=8, n_heads=2, n_layers=1)
    model = GPTModel(config).to(dtype).train()
    adam = torch.optim.AdamW(model.parameters())
    model(torch.zeros(1, 4, dtype=torch.int64)).sum().backward()
    adam.step()
    means = [state[name] for state in adam.state.values() for name in ("exp_avg", "exp_avg_sq")]
    gradients = [parameter.grad for parameter in model.parameters()]
    memory = training_memory(Ledger(config), 4, 1, precision)
    held = [*model.parameters(), *gradients, *means]
    assert sum(tensor.nbytes for tensor in held) == memory.without_activations


def test_a_training_step_costs_three_forward_passes():
    assert training_flops(SMALL, 1024, 2) == 3 * 583_296_614_400


def test_prefill_reads_every_weight_once_and_scores_the_last_token_only():
    work = prefill(SMALL, 1024)
    head = 2 * 50257 * 768
    pairs = 1024 * 1025 // 2  # that the mask lets through
    assert work.flops == 1024 * LINEAR - 1023 * head + 12 * 4 * 768 * pairs
    weights = 163_009_536 - 50257 * 768 - 1024 * 768  # without both embedding tables
    assert work.bytes_moved == 2 * (weights + 2 * 1024 * 768) + 36_864 * 1024


@pytest.mark.parametrize("n_tokens", [1, 2, 7, 1024])
@pytest.mark.parametrize("batch", [1, 3])
def test_reading_pairs_what_writing_token_by_token_pairs(n_tokens, batch):
    """A prompt that is read at once costs what its tokens cost one after another, less the head."""
    one_by_one = sum(decode(SMALL, n, batch).flops for n in range(1, n_tokens + 1))
    heads = SMALL.flops_of("out_head", n_tokens - 1, batch).total
    assert prefill(SMALL, n_tokens, batch).flops == one_by_one - heads


def test_the_least_time_of_a_prompt_on_a_t4():
    assert prefill(SMALL, 1024).seconds_on(DEVICES[0]) == pytest.approx(2.97e-3, abs=0.01e-3)


def test_rows_of_a_table_are_moved_once_however_often_they_are_looked_up():
    tiny = Ledger(GPTConfig(vocab_size=257, context_length=64, emb_dim=8, n_heads=2, n_layers=1))
    weights = tiny.parameters - (257 + 64) * 8
    moved = 2 * (weights + (257 + 64) * 8) + 100 * tiny.kv_cache_bytes(64)
    assert prefill(tiny, 64, batch=100).bytes_moved == moved


def test_decode_makes_one_token_for_each_row():
    one, eight = decode(SMALL, 1024), decode(SMALL, 1024, batch=8)
    assert one.flops == LINEAR + ATTENTION
    assert eight.flops == 8 * one.flops
    weights = 163_009_536 - 50257 * 768 - 1024 * 768
    assert one.bytes_moved == 2 * (weights + 2 * 768) + 36_864 * 1024
    assert one.intensity < 2 < eight.intensity < prefill(SMALL, 1024).intensity


def test_a_tied_head_is_read_as_a_head():
    tied = Ledger(PRESETS["gpt2-small"].changed(tie_weights=True))
    assert decode(tied, 1024).bytes_moved == decode(SMALL, 1024).bytes_moved


@pytest.mark.parametrize(
    ("n_bytes", "binary", "decimal"),
    [
        (0, "0 B", "0 B"),
        (9999, "9,999 B", "9,999 B"),
        (10_240, "10.00 KiB", "10.24 kB"),
        (4 * 163_009_536, "621.83 MiB", "652.04 MB"),
        (4 * 1_637_792_000, "6,247.68 MiB", "6,551.17 MB"),
        (37_748_736, "36.00 MiB", "37.75 MB"),
        (700e9, "651.93 GiB", "700.00 GB"),
    ],
)
def test_sizes_in_words(n_bytes, binary, decimal):
    assert (size(n_bytes), size(n_bytes, decimal=True)) == (binary, decimal)


def test_the_roofline():
    device = Device("", flops=100.0, bandwidth=10.0, memory=1, source="")
    assert Work(1000, 50).seconds_on(device) == 10  # computing takes longer
    assert Work(100, 50).seconds_on(device) == 5  # moving does
    assert Work(1000, 100).intensity == device.flops / device.bandwidth


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_devices_say_where_their_numbers_come_from(device):
    assert device.name.split()[1] in device.source or "Ada" in device.source
    assert 1e12 < device.flops < 1e16
    assert 100 < device.flops / device.bandwidth < 1000


def test_devices_hold_what_they_report():
    held = {device.name: round(device.memory / 2**30, 1) for device in DEVICES}
    assert held == {
        "NVIDIA T4": 15.0,
        "NVIDIA RTX 4090": 24.0,
        "NVIDIA A100 80GB SXM": 80.0,
        "NVIDIA H100 SXM": 79.6,
        "NVIDIA H200 SXM": 140.4,
    }


def test_a_t4_has_no_bf16():
    assert {device.name for device in DEVICES if device.numbers != "bf16 or fp16"} == {"NVIDIA T4"}


@pytest.mark.parametrize("tied", [False, True])
def test_the_steps_of_a_part_cost_together_what_the_part_costs(tied):
    ledger = Ledger(PRESETS["gpt2-small"].changed(tie_weights=tied))

    def inside(path):
        return find(ledger.config, path).inside

    for norm in ("blocks.0.norm1", "blocks.3.norm2", "final_norm"):
        steps = [part_cost(ledger, f"{norm}.{s.name}", 8).parameters for s in inside(norm)]
        assert sum(steps) == ledger.of(norm) == 2 * 768
    core = "blocks.0.attention.core"
    steps = [part_cost(ledger, f"{core}.{s.name}", 8).flops for s in inside(core)]
    assert sum(steps) == ledger.flops_of(core, 8).total == 2 * 2 * 8 * 8 * 768
    assert part_cost(ledger, "out_head.matmul", 8) == part_cost(ledger, "out_head", 8)
    assert part_cost(ledger, "out_head", 8).flops == 2 * 8 * 50257 * 768
    both = part_cost(ledger, "tok_emb", 8).parameters + part_cost(ledger, "pos_emb", 8).parameters
    assert part_cost(ledger, "embeddings", 8) == PartCost(both)
    assert part_cost(ledger, "next_token", 8) == PartCost()
