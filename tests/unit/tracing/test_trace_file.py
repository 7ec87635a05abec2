"""What is written under a name is what the trace has under it."""

from __future__ import annotations

import json
from operator import attrgetter

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.model import GPTModel
from gptviz.tracing.changes import silence
from gptviz.tracing.trace import trace
from gptviz.tracing.trace_file import named_tensors, write_trace
from gptviz.weights import WeightsError

CONFIG = GPTConfig(vocab_size=300, context_length=24, emb_dim=24, n_heads=3, n_layers=2)
IDS = [7, 299, 0, 7, 42]


def traced(placeholders=(), **options):
    config = CONFIG.changed(placeholders=frozenset(placeholders))
    return trace(GPTModel(config, seed=5).eval(), IDS, **options)


def of_trace(t, name):
    """The trace's own tensor: the last word of a name is what the trace calls it."""
    *path, word = name.split(".")
    holder = t.blocks[int(path[1])] if path else t
    value = attrgetter(word)(holder)
    return value() if callable(value) and not isinstance(value, torch.Tensor) else value


def test_names_lead_to_the_traces_tensors():
    t = traced()
    found = named_tensors(t)
    assert len(found) == 4 + 2 * 15 + 2
    for name, tensor in found.items():
        assert torch.equal(tensor, of_trace(t, name)), name


def test_paths_are_the_models_own():
    modules = dict(traced().model.named_modules())
    for name in named_tensors(traced()):
        path = name.rpartition(".")[0]
        assert path in modules, name


def test_everything_that_was_kept_is_there():
    t = traced()
    found = named_tensors(t)
    for name in ("tok_emb", "pos_emb", "embeddings", "token_ids", "last_logits", "final_norm"):
        assert name in found
    for layer in range(2):
        for name in ("resid_pre", "attention_out", "feed_forward_out", "resid_post"):
            assert f"blocks.{layer}.{name}" in found


OF_PART = {
    "attention": {"attention_out", "attention.q", "attention.attn_weights"},
    "norm": {"normed1", "normed2"},
    "feed_forward": {"feed_forward_out", "feed_forward.gelu_out"},
    "shortcut": set(),
}


@pytest.mark.parametrize("part", PLACEHOLDER_PARTS)
def test_what_belongs_to_a_placeholder_is_left_out(part):
    t = traced([part])
    found = named_tensors(t)
    for name, tensor in found.items():
        assert torch.equal(tensor, of_trace(t, name)), name
    for name in ("resid_post", "resid_mid", *set.union(*OF_PART.values())):
        assert (f"blocks.1.{name}" in found) == (name not in OF_PART[part])
    assert ("final_norm" in found) == (part != "norm")


@pytest.mark.parametrize(
    ("only", "names"),
    [
        (["tok_emb"], {"tok_emb"}),
        (["*.attn_weights"], {f"blocks.{n}.attention.attn_weights" for n in range(2)}),
        (["blocks.1.resid_*", "final_norm"],
         {"blocks.1.resid_pre", "blocks.1.resid_mid", "blocks.1.resid_post", "final_norm"}),
    ],
)  # fmt: skip
def test_only_what_was_asked_for_is_made(only, names):
    assert set(named_tensors(traced(), only)) == names


@pytest.mark.parametrize("pattern", ["nope", "blocks.2.*", "BLOCKS.0.*", ""])
def test_a_pattern_without_a_tensor_is_a_mistake(pattern):
    with pytest.raises(ValueError, match="no tensor is called"):
        named_tensors(traced(), ["tok_emb", pattern])


def test_no_more_bytes_than_there_may_be():
    t = traced()
    n_bytes = sum(tensor.nbytes for tensor in named_tensors(t).values())
    assert len(named_tensors(t, most_bytes=n_bytes)) == 36
    with pytest.raises(ValueError, match="up to last_logits the tensors take"):
        named_tensors(t, most_bytes=n_bytes - 1)


def test_the_file_gives_back_the_same_numbers(tmp_path):
    t = traced(changes=silence({(1, 2), (0, 1)}))
    written = write_trace(tmp_path / "t.safetensors", t, model="mine")
    found = load_file(tmp_path / "t.safetensors")
    assert found.keys() == written.keys() == named_tensors(t).keys()
    for name, tensor in found.items():
        assert torch.equal(tensor, of_trace(t, name)), name
        assert tensor.dtype == of_trace(t, name).dtype
    with safe_open(tmp_path / "t.safetensors", framework="pt") as file:
        said = file.metadata()
    assert said["model"] == "mine"
    assert GPTConfig(**json.loads(said["config"])) == CONFIG
    assert json.loads(said["tokens"]) == ["(", "<|endoftext|>", "!", "(", "K"]
    assert json.loads(said["silenced"]) == [[0, 1], [1, 2]]


def test_the_trace_is_not_changed_by_writing(tmp_path):
    t = traced()
    for tensor in write_trace(tmp_path / "t.safetensors", t).values():
        tensor.zero_()
    assert t.blocks[0].resid_pre.any()
    assert t.token_ids.tolist() == IDS


def test_what_cannot_be_written_says_so_and_leaves_nothing(tmp_path):
    (tmp_path / "t.safetensors").mkdir()
    with pytest.raises(WeightsError, match=r"t\.safetensors can't be written"):
        write_trace(tmp_path / "t.safetensors", traced())
    assert [place.name for place in tmp_path.iterdir()] == ["t.safetensors"]
