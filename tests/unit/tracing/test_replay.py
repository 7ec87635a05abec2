"""What is made again is what the pass made, to the last bit, dropout and changes included."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gptviz.anatomy import anatomy
from gptviz.config import PLACEHOLDER_PARTS, Dropout, GPTConfig
from gptviz.model import AttentionCore, GPTModel
from gptviz.tracing.changes import Change, Changes
from gptviz.tracing.hooks import install_hooks
from gptviz.tracing.trace import Trace, trace

CONFIG = GPTConfig(
    vocab_size=60, context_length=16, emb_dim=24, n_heads=3, n_layers=3, qkv_bias=True
)
WIDE = CONFIG.changed(head_dim=5, ff_dim=17)  # heads x head_dim is not emb_dim
IDS = [7, 59, 0, 7, 42, 42, 13]
CHANGES: list[Changes] = [
    (),
    (Change("blocks.1.norm1", "zero"),),
    (Change("blocks.0.attention.core", "zero", (0, 2)), Change("blocks.2.shortcut1", "zero")),
    (Change("blocks.1.attention.core.softmax", "zero", (1,)), Change("blocks.1.drop2", "zero")),
    (Change("blocks.2.feed_forward.gelu", "zero"), Change("tok_emb", "zero")),
    (Change("blocks.1", "zero"), Change("final_norm", "zero")),
]


def heard(
    config: GPTConfig, dropout: Dropout | None, changes: Changes
) -> tuple[Trace, dict[str, Tensor]]:
    """A traced pass, and what came out of every module in it, by hooks that come last."""
    model, seen = GPTModel(config, seed=5).eval(), dict[str, Tensor]()
    install_hooks(model)
    hooks = [
        module.register_forward_hook(lambda _m, _i, out, path=path: seen.update({path: out[0]}))
        for path, module in model.named_modules()
        if path not in ("", "blocks", "pos_emb", "out_head")
    ]
    traced = trace(model, IDS, dropout=dropout, changes=changes)
    for hook in hooks:
        hook.remove()
    return traced, seen


@pytest.mark.parametrize("config", [CONFIG, WIDE], ids=["plain", "wide"])
@pytest.mark.parametrize("dropout", [None, Dropout(0.3, seed=5)], ids=["eval", "train"])
@pytest.mark.parametrize("changes", CHANGES, ids=range(len(CHANGES)))
def test_every_module_of_every_pass(
    config: GPTConfig, dropout: Dropout | None, changes: Changes
) -> None:
    traced, seen = heard(config, dropout, changes)
    for path, output in seen.items():
        assert torch.equal(traced.at(path), output), path
    for layer, block in enumerate(traced.blocks):
        assert torch.equal(block.context_vec, seen[f"blocks.{layer}.attention.core"])
        assert torch.equal(block.resid_mid, seen[f"blocks.{layer}.shortcut1"])


@given(
    placeholders=st.frozensets(st.sampled_from(PLACEHOLDER_PARTS)),
    dropped=st.booleans(),
    data=st.data(),
)
@settings(max_examples=40, deadline=None)
def test_any_change_of_any_configuration(
    placeholders: frozenset[str], dropped: bool, data: st.DataObject
) -> None:
    config = WIDE.changed(placeholders=placeholders)
    places = [
        path
        for path, part in anatomy(config).walk()
        if part.built and path not in ("", "blocks") and (part.is_module or ".core." in path)
    ]
    chosen = data.draw(st.lists(st.sampled_from(places), max_size=3))
    changes = tuple(Change(path, "zero") for path in chosen)
    traced, seen = heard(config, Dropout(0.2) if dropped else None, changes)
    for path, output in seen.items():
        made = traced.at(path)
        if made is not None:  # of a placeholder nothing comes out
            assert torch.equal(made, output), path


@pytest.mark.parametrize("dropout", [None, Dropout(0.3, seed=5)], ids=["eval", "train"])
def test_the_steps_of_a_head_are_those_of_all_heads(dropout: Dropout | None) -> None:
    traced, _ = heard(CONFIG, dropout, CHANGES[3])
    for step in ("scores", "scale", "mask", "softmax", "dropout", "gather"):
        path = f"blocks.1.attention.core.{step}"
        together = traced.at(path)
        for head in range(CONFIG.n_heads):
            torch.testing.assert_close(traced.at(path, head), together[head])
    weights = traced.at("blocks.1.attention.core.softmax")
    assert not weights[1].any()  # it was changed there, and what follows has it
    assert not traced.at("blocks.1.attention.core")[1].any()
    assert weights[0].any()


def test_a_replay_stops_where_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    traced, _ = heard(CONFIG, None, ())
    monkeypatch.setattr(AttentionCore, "forward", lambda *_: pytest.fail("ran too far"))
    assert traced.blocks[0].q is not None
    assert traced.blocks[0].attn_weights(1) is not None
    assert traced.blocks[0].gelu_out is not None
    with pytest.raises(pytest.fail.Exception, match="ran too far"):
        _ = traced.blocks[0].context_vec


@pytest.mark.parametrize(
    ("change", "words"),
    [(Change("blocks.3.norm1", "zero"), r"blocks\.3\.norm1 isn't there.* 0 to 2"),
     (Change("nonsense", "zero"), "nonsense isn't there"),
     (Change("blocks", "zero"), "blocks can't be changed"),
     (Change("", "zero"), "the whole model can't be changed"),
     (Change("blocks.0.attention.split", "zero"), "can't be changed"),
     (Change("blocks.0.norm1.mean", "zero"), "can't be changed"),
     (Change("blocks.0.attention.core", "zero", (3,)), "has no head 3.* 0 to 2"),
     (Change("blocks.0.norm1", "zero", (0,)), "has no heads"),
     (Change("blocks.0.norm1", "sing"), "'sing' can't be done to a part: choose one of zero")],
)  # fmt: skip
def test_a_change_that_cant_be_made_is_refused_in_words(change: Change, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        trace(GPTModel(CONFIG).eval(), IDS, changes=(change,))


def test_a_placeholder_cant_be_changed() -> None:
    model = GPTModel(CONFIG.changed(placeholders=set(PLACEHOLDER_PARTS))).eval()
    for path in ("blocks.0.norm1", "blocks.0.attention.core", "blocks.0.shortcut1"):
        with pytest.raises(ValueError, match="is a placeholder in this model"):
            trace(model, IDS, changes=(Change(path, "zero"),))
