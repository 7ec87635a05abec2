"""What training and running take, against torch's own books and by hand."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from gptviz.config import GPTConfig
from gptviz.costs import (
    DEVICES,
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
from gptviz.diagram.parts import CORE_STEPS, NORM_STEPS
from gptviz.ledger import Ledger
from gptviz.model import GPTModel
from gptviz.presets import PRESETS

SMALL = Ledger(PRESETS["gpt2-small"])
LINEAR, ATTENTION = 247_064_064, 37_748_736  # FLOPs a token, the second at 1,024 tokens


def saved_by_torch(config: GPTConfig, n_tokens: int, batch: int) -> int:
    """Numbers in fp32 that a real forward pass and loss save for the way back, each once."""
    model = GPTModel(config).train()
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    kept, sizes = [], {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor)  # alive, so that no other comes to its place
        place = tensor.untyped_storage().data_ptr()
        if place not in weights and tensor.dtype == torch.float32 and tensor.dim():
            sizes[place] = tensor.untyped_storage().nbytes() // 4
        return tensor

    ids = torch.zeros(batch, n_tokens, dtype=torch.int64)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        F.cross_entropy(model(ids).flatten(0, 1), ids.flatten())
    return sum(sizes.values())


@settings(deadline=None, max_examples=15)
@given(
    head_dim=st.integers(2, 9),
    n_heads=st.integers(1, 5),
    n_layers=st.integers(1, 4),
    n_tokens=st.integers(2, 12),
    batch=st.integers(1, 3),
    qkv_bias=st.booleans(),
    tie_weights=st.booleans(),
)
def test_activations_are_what_autograd_saves(head_dim, n_heads, n_tokens, batch, **fields):
    config = GPTConfig(
        vocab_size=257,
        context_length=12,
        emb_dim=head_dim * n_heads,
        n_heads=n_heads,
        drop_rate=0.0,
        **fields,
    )
    memory = training_memory(Ledger(config), n_tokens, batch)
    assert memory.activations == 4 * saved_by_torch(config, n_tokens, batch)


def test_the_memory_of_a_training_step():
    memory = training_memory(SMALL, 1024, batch=2, bytes_per_number=2)
    assert memory.weights == memory.gradients == 2 * 163_009_536
    assert memory.adam == 8 * 163_009_536
    assert memory.activations == 2 * 2048 * (12 * (16 * 768 + 4 + 12) + 2 * 768 + 2 + 50257)
    assert memory.scores == 2 * 2 * 12 * 12 * 1024**2
    assert memory.total == sum((memory.weights, memory.gradients, memory.adam, memory.activations))


def test_a_training_step_costs_three_forward_passes():
    assert training_flops(SMALL, 1024, 2) == 3 * 583_296_614_400


def test_prefill_reads_every_weight_once_and_scores_the_last_token_only():
    work = prefill(SMALL, 1024)
    head = 2 * 50257 * 768
    assert work.flops == 1024 * (LINEAR + ATTENTION) - 1023 * head
    weights = 163_009_536 - 50257 * 768 - 1024 * 768  # without both embedding tables
    assert work.bytes_moved == 2 * (weights + 2 * 1024 * 768) + 36_864 * 1024


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
    device = Device("", flops=100.0, bandwidth=10.0, memory=1.0, source="")
    assert Work(1000, 50).seconds_on(device) == 10  # computing takes longer
    assert Work(100, 50).seconds_on(device) == 5  # moving does
    assert Work(1000, 100).intensity == device.flops / device.bandwidth


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_devices_say_where_their_numbers_come_from(device):
    assert device.source
    assert 1e12 < device.flops < 1e16
    assert 100 < device.flops / device.bandwidth < 1000


@pytest.mark.parametrize("tied", [False, True])
def test_the_steps_of_a_part_cost_together_what_the_part_costs(tied):
    ledger = Ledger(PRESETS["gpt2-small"].changed(tie_weights=tied))
    for norm in ("blocks.0.norm1", "blocks.3.norm2", "final_norm"):
        steps = [part_cost(ledger, f"{norm}.{step}", 8).parameters for step in NORM_STEPS]
        assert sum(steps) == ledger.of(norm) == 2 * 768
    core = "blocks.0.attention.core"
    steps = [part_cost(ledger, f"{core}.{step}", 8).flops for step in CORE_STEPS]
    assert sum(steps) == ledger.flops_of(core, 8).total == 2 * 2 * 8 * 8 * 768
    assert part_cost(ledger, "out_head.matmul", 8) == part_cost(ledger, "out_head", 8)
    assert part_cost(ledger, "out_head", 8).flops == 2 * 8 * 50257 * 768
    both = part_cost(ledger, "tok_emb", 8).parameters + part_cost(ledger, "pos_emb", 8).parameters
    assert part_cost(ledger, "embeddings", 8) == PartCost(both)
    assert part_cost(ledger, "next_token", 8) == PartCost()
