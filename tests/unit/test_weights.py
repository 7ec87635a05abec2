from __future__ import annotations

import json
import math
import os
from itertools import combinations
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.model import GPTModel
from gptviz.weights import (
    WeightsError,
    load_weights,
    own_tensors,
    save_weights,
    stored_shapes,
    write_tensors,
)

TINY = GPTConfig(vocab_size=300, context_length=8, emb_dim=16, n_heads=2, n_layers=2)


@pytest.fixture
def place(tmp_path):
    return tmp_path / "some" / "model.safetensors"


@pytest.fixture
def saved(place):
    save_weights(GPTModel(TINY), place)
    return place


def rewrite(path, config=None, **tensors):
    """The same file with some tensors (None: left out) or the configuration's text changed."""
    held = {**load_file(path), **{name.replace("__", "."): t for name, t in tensors.items()}}
    with safe_open(path, "pt") as file:
        metadata = file.metadata() if config is None else {"config": config}
    save_file({name: t for name, t in held.items() if t is not None}, path, metadata)


@pytest.mark.parametrize("tie_weights", [False, True])
@pytest.mark.parametrize("qkv_bias", [False, True])
def test_there_and_back(place, tie_weights, qkv_bias):
    model = GPTModel(TINY.changed(tie_weights=tie_weights, qkv_bias=qkv_bias), seed=7).eval()
    save_weights(model, place, torch.float32)
    loaded = load_weights(place)
    assert loaded.config == model.config
    assert not loaded.training
    assert (loaded.out_head.weight is loaded.tok_emb.weight) == tie_weights
    ids = torch.arange(8)[None]
    assert torch.equal(loaded(ids), model(ids))


@pytest.mark.parametrize(
    "placeholders", [set(some) for n in range(5) for some in combinations(PLACEHOLDER_PARTS, n)]
)
def test_every_set_of_placeholders_comes_back(place, placeholders):
    model = GPTModel(TINY.changed(placeholders=placeholders))
    save_weights(model, place, torch.float32)
    loaded = load_weights(place)
    assert loaded.config.placeholders == placeholders
    assert loaded.state_dict().keys() == model.state_dict().keys()


def test_half_precision_is_half_the_size_and_comes_back_as_fp32(saved):
    model, loaded = GPTModel(TINY), load_weights(saved)
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    for (name, before), (_, after) in zip(own_tensors(model), own_tensors(loaded), strict=True):
        assert torch.equal(before.detach().half().float(), after), name
    header = 4096
    assert os.path.getsize(saved) < 2 * sum(p.numel() for p in model.parameters()) + header


def test_a_tied_head_is_kept_once(place):
    save_weights(GPTModel(TINY.changed(tie_weights=True)), place)
    assert "out_head.weight" not in load_file(place)
    assert "tok_emb.weight" in load_file(place)


def test_the_header_alone_tells_the_shapes(saved):
    expected = {name: tuple(tensor.shape) for name, tensor in own_tensors(load_weights(saved))}
    assert stored_shapes(saved) == expected
    saved.write_bytes(b"nonsense")
    with pytest.raises(WeightsError, match="can't be read"):
        stored_shapes(saved)


def test_a_failed_write_leaves_the_old_file(saved, monkeypatch):
    before = saved.read_bytes()

    def fail(*_args):
        raise OSError("disk full")

    monkeypatch.setattr("gptviz.weights.save_file", fail)
    with pytest.raises(WeightsError, match=r"model\.safetensors can't be written: disk full"):
        write_tensors(saved, {"a": torch.zeros(1)}, {})
    assert saved.read_bytes() == before


def test_a_write_that_is_interrupted_leaves_nothing_half_done(saved, monkeypatch):
    def fail(*_args):
        raise OSError("no right to")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(WeightsError, match="no right to"):
        write_tensors(saved, {"a": torch.zeros(1)}, {})
    assert list(saved.parent.iterdir()) == [saved]


def refused(path, match):
    with pytest.raises(WeightsError, match=match) as caught:
        load_weights(path)
    assert path.name in str(caught.value)


def test_missing(place):
    refused(place, "can't be read: there is no such file")


def test_what_is_no_file_is_called_what_it_is(tmp_path):
    refused(tmp_path, "can't be read: it is a folder")
    os.mkfifo(tmp_path / "pipe")  # to open it would wait for ever
    refused(tmp_path / "pipe", "can't be read: it is not a regular file")
    with pytest.raises(WeightsError, match="pipe can't be read: it is not a regular file"):
        stored_shapes(tmp_path / "pipe")


def test_a_file_that_may_not_be_read(saved, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)  # root may read everything
    refused(saved, "can't be read: it is not readable")


@pytest.mark.parametrize("kind", [str, Path, os.fspath])
def test_a_path_of_any_kind(place, kind):
    save_weights(GPTModel(TINY), kind(place))
    assert load_weights(kind(place)).config == TINY
    assert len(stored_shapes(kind(place))) == 31


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_not_loaded(saved, bad):
    damaged = torch.zeros(8, 16)
    damaged[3, 4] = damaged[7, 15] = bad
    rewrite(saved, pos_emb__weight=damaged)
    refused(saved, "2 of the 128 numbers in pos_emb.weight are NaN, infinity")


def test_a_number_too_large_for_fp32_is_not_loaded(saved):
    rewrite(saved, pos_emb__weight=torch.full((8, 16), 1e300, dtype=torch.float64))
    refused(saved, "128 of the 128 numbers in pos_emb.weight are .* too large for fp32")


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(70000.0, torch.float16), (math.nan, torch.float32), (-math.inf, torch.bfloat16)],
)
def test_what_could_not_be_loaded_again_is_not_saved(saved, value, dtype):
    before, model = saved.read_bytes(), GPTModel(TINY)
    with torch.no_grad():
        model.blocks[1].norm2.scale[5] = value
    with pytest.raises(WeightsError, match=r"isn't written: blocks\.1\.norm2\.scale has NaN"):
        save_weights(model, saved, dtype)
    assert saved.read_bytes() == before


def test_what_fp16_cannot_hold_can_be_saved_as_fp32(place):
    model = GPTModel(TINY)
    with torch.no_grad():
        model.blocks[1].norm2.scale[5] = 70000
    save_weights(model, place, torch.float32)
    assert load_weights(place).blocks[1].norm2.scale[5] == 70000


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff" * 100, b"\x02" + b"\0" * 7 + b"{}"])
def test_no_weights_at_all(tmp_path, content):
    place = tmp_path / "model.safetensors"
    place.write_bytes(content)
    refused(place, "can't be read|carries no configuration")


@pytest.mark.parametrize("kept", [4, 100, -1])
def test_cut_off(saved, kept):
    saved.write_bytes(saved.read_bytes()[:kept])
    refused(saved, "can't be read")


def test_bytes_too_many(saved):
    saved.write_bytes(saved.read_bytes() + b"\0")
    refused(saved, "can't be read")


@pytest.mark.parametrize(
    "config",
    [
        "",
        "no json",
        "[]",
        "null",
        "[" * 100_000,
        '{"n_layers": ' + "9" * 5000 + "}",
        '{"emb_dim": 770}',
        '{"emb_dim": 768.0}',
        '{"drop_rate": NaN}',
        '{"placeholders": [["norm"]]}',
        '{"unheard_of": 1}',
    ],
    ids=lambda text: text[:24],
)
def test_a_bad_configuration(saved, config):
    rewrite(saved, config)
    refused(saved, "carries no configuration that gptviz knows")


def test_no_configuration(saved):
    save_file(load_file(saved), saved)
    refused(saved, "carries no configuration that gptviz knows")


@pytest.mark.parametrize(
    "claims",
    [
        {"n_layers": 10**9},
        {"n_layers": 10**9, "placeholders": list(PLACEHOLDER_PARTS)},
        {"emb_dim": 10**12, "n_heads": 1},
        {"vocab_size": 10**12},
        {"vocab_size": 10**25},
        {"emb_dim": 16 * 10**4000},
        {"n_layers": 1000},
        {"n_layers": 32},
    ],
)
def test_what_the_file_cannot_hold_is_refused_by_arithmetic(saved, claims, monkeypatch):
    rewrite(saved, json.dumps(TINY.as_dict() | claims))
    monkeypatch.setattr("gptviz.weights.GPTModel", None)  # nothing is built
    refused(saved, "claims .* parameters in .* layers and holds 16224 numbers in 31 tensors")


def test_no_number_in_a_claim_is_echoed_whole(saved):
    rewrite(saved, json.dumps(TINY.as_dict() | {"emb_dim": 16 * 10**4000}))
    with pytest.raises(WeightsError, match=r"about 8,00\d digits") as caught:
        load_weights(saved)
    assert len(str(caught.value)) < 300


def test_a_missing_tensor(saved):
    rewrite(saved, blocks__1__norm2__scale=None)
    refused(saved, r"blocks.1.norm2.scale has shape missing, but its configuration says \(16,\)")


def test_a_tensor_too_many(saved):
    rewrite(saved, extra=torch.zeros(3))
    refused(saved, r"extra has shape \(3,\), but its configuration says no such tensor")


def test_a_wrong_shape(saved):
    rewrite(saved, pos_emb__weight=torch.zeros(16, 8))
    refused(saved, r"pos_emb.weight has shape \(16, 8\), but its configuration says \(8, 16\)")


@pytest.mark.parametrize(
    ("dtype", "name"), [(torch.int32, "I32"), (torch.bool, "BOOL"), (torch.complex64, "C64")]
)
def test_numbers_that_are_no_weights(saved, dtype, name):
    rewrite(saved, pos_emb__weight=torch.zeros(8, 16, dtype=dtype))
    refused(saved, f"pos_emb.weight holds {name} numbers")
