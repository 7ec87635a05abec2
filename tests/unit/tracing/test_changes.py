"""What is changed in a pass is changed there and nowhere else."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from gptviz.config import Dropout, GPTConfig
from gptviz.model import GPTModel
from gptviz.tracing.changes import UNCHANGED, Changes, silence, silenced
from gptviz.tracing.trace import Trace, trace

CONFIG = GPTConfig(vocab_size=300, context_length=24, emb_dim=24, n_heads=3, n_layers=3)
IDS = [7, 299, 0, 7, 42, 42, 13]
TWO = silence({(0, 2), (2, 1)})


@pytest.fixture(scope="module")
def model() -> GPTModel:
    return GPTModel(CONFIG, seed=3).eval()


def without_columns(model: GPTModel, changed: Changes) -> GPTModel:
    """Another model that can't hear these heads: their columns of ``out_proj`` are 0."""
    deaf = GPTModel(model.config).eval()
    deaf.load_state_dict(model.state_dict())
    width = model.config.head_dim
    with torch.no_grad():
        for layer, head in silenced(changed):
            weight = deaf.blocks[layer].attention.out_proj.weight
            weight[:, head * width : (head + 1) * width] = 0
    return deaf


def same(one: Trace, other: Trace) -> bool:
    return torch.equal(one.logits(), other.logits()) and torch.equal(one.stream, other.stream)


@pytest.mark.parametrize("dropout", [None, Dropout(0.3, seed=5)])
def test_a_silenced_head_is_one_that_nobody_hears(model: GPTModel, dropout: Dropout | None) -> None:
    changed = trace(model, IDS, dropout=dropout, changes=TWO)
    expected = trace(without_columns(model, TWO), IDS, dropout=dropout)
    for position in range(len(IDS)):
        torch.testing.assert_close(changed.logits(position), expected.logits(position))
    for block, wanted in zip(changed.blocks, expected.blocks, strict=True):
        torch.testing.assert_close(block.attention_out, wanted.attention_out)
        torch.testing.assert_close(block.resid_post, wanted.resid_post)
    whole = trace(model, IDS, dropout=dropout)
    assert not torch.allclose(changed.logits(), whole.logits())


@pytest.mark.parametrize("dropout", [None, Dropout(0.3, seed=5)])
def test_the_trace_makes_again_what_the_changed_pass_made(
    model: GPTModel, dropout: Dropout | None
) -> None:
    heard: dict[int, Tensor] = {}
    trace(model, [1])  # its hooks come first
    listening = [
        block.attention.core.register_forward_hook(
            lambda _m, _i, output, layer=layer: heard.update({layer: output[0]})
        )
        for layer, block in enumerate(model.blocks)
    ]
    changed = trace(model, IDS, dropout=dropout, changes=TWO)
    for hook in listening:
        hook.remove()
    assert changed.of.changes == TWO
    for layer, block in enumerate(changed.blocks):
        assert torch.equal(block.context_vec, heard[layer])
        for head in range(3):
            assert block.context_vec[head].any() == ((layer, head) not in silenced(TWO))
            rows = block.attn_weights(head).sum(-1)  # it looks as before, only says nothing
            torch.testing.assert_close(rows, torch.ones(len(IDS)))


def test_nothing_stays_behind(model: GPTModel) -> None:
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    before = trace(model, IDS)
    assert before.of.changes == UNCHANGED
    trace(model, IDS, changes=TWO)
    assert same(trace(model, IDS), before)
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in weights.items())


def test_changed_and_unchanged_passes_at_the_same_moment_do_not_mix(model: GPTModel) -> None:
    passes = (UNCHANGED, TWO, silence({(1, 0)}))
    alone = [trace(model, IDS, changes=one) for one in passes]
    side_by_side = threading.Barrier(3, timeout=30)

    def together(changes: Changes) -> Trace:
        return trace(model, IDS, lambda _: side_by_side.wait(), None, changes)

    with ThreadPoolExecutor(3) as pool:
        both = list(pool.map(together, passes))
    for one, other in zip(alone, both, strict=True):
        assert same(one, other)
    assert not same(alone[0], alone[1])
    assert not same(alone[1], alone[2])


@pytest.mark.parametrize(
    ("head", "words"),
    [((3, 0), r"blocks\.3\.attention\.core isn't there"),
     ((-1, 0), r"blocks\.-1\.attention\.core isn't there"),
     ((0, 3), "has no head 3"),
     ((0, -1), "has no head -1")],
)  # fmt: skip
def test_a_head_that_is_not_there_is_refused(
    model: GPTModel, head: tuple[int, int], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        trace(model, IDS, changes=silence({head}))


def test_without_attention_no_head_can_be_silenced() -> None:
    model = GPTModel(CONFIG.changed(placeholders={"attention"})).eval()
    assert trace(model, IDS, changes=UNCHANGED).n_tokens == len(IDS)
    with pytest.raises(ValueError, match="attention is a placeholder"):
        trace(model, IDS, changes=TWO)
