from __future__ import annotations

import json
import os
import stat

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file as load_numpy
from safetensors.torch import load_file

import gptviz as package
from gptviz.defaults import TEXT
from gptviz.loading import load
from gptviz.presets import PRESETS
from gptviz.tracing.trace import trace

KING = "Once upon a time there was a king"


@pytest.fixture(scope="module")
def tales():
    return load("tales")


def test_the_file_holds_the_traces_own_tensors(gptviz, tales, tmp_path):
    out = tmp_path / "new folder" / "trace.safetensors"
    result = gptviz("trace", "--text", KING, "--out", out)
    assert result.exit_code == 0, result.output
    found, t = load_file(out), trace(tales.model, tales.tokenizer.encode(KING))
    assert torch.equal(found["token_ids"], t.token_ids)
    assert torch.equal(found["blocks.3.resid_post"], t.blocks[3].resid_post)
    assert torch.equal(found["blocks.3.attention.q"], t.blocks[3].q)
    assert torch.equal(found["blocks.5.attention.attn_weights"], t.blocks[5].attn_weights())
    assert torch.equal(found["blocks.0.feed_forward.gelu_out"], t.blocks[0].gelu_out)
    assert torch.equal(found["final_norm"], t.final_norm)
    assert torch.equal(found["last_logits"], t.last_logits)
    np.testing.assert_array_equal(load_numpy(out)["blocks.0.normed1"], t.blocks[0].normed1)


def test_the_file_says_what_it_is(gptviz, tales, tmp_path):
    out = tmp_path / "trace.safetensors"
    gptviz("trace", "--text", KING, "--out", out, "--only", "embeddings", "--silence", "0.5")
    with safe_open(out, framework="pt") as file:
        said = file.metadata()
    assert said["model"] == "tales"
    assert json.loads(said["config"]) == PRESETS["tales"].as_dict()
    assert json.loads(said["tokens"]) == tales.tokenizer.labels(tales.tokenizer.encode(KING))
    assert json.loads(said["silenced"]) == [[0, 5]]
    assert said["gptviz"] == package.__version__
    assert "seed" not in said  # trained weights have none


def test_a_silenced_head_is_silent_in_the_file(gptviz, tmp_path):
    out = tmp_path / "trace.safetensors"
    gptviz("trace", "--out", out, "--only", "blocks.4.*", "--silence", "4.6")
    gathered = load_file(out)["blocks.4.attention.context_vec"]
    assert not gathered[6].any()
    assert gathered[5].any()


def test_random_weights_are_those_of_the_seed(answer, monkeypatch, tmp_path):
    monkeypatch.setitem(PRESETS, "gpt2-small", PRESETS["tales"].changed(n_layers=1, emb_dim=16))
    for seed in (1, 2):
        out = tmp_path / f"{seed}.safetensors"
        answer("trace", "--model", "gpt2-small", "--seed", seed, "--out", out, "--only", "tok_emb")
        with safe_open(out, framework="pt") as file:
            assert file.metadata()["seed"] == str(seed)
            ids = load("gpt2-small").tokenizer.encode(TEXT)
            own = load("gpt2-small", seed).model.tok_emb.weight[ids]
            assert torch.equal(file.get_tensor("tok_emb"), own)


def test_the_table_lists_what_is_in_the_file(gptviz, answer, tmp_path):
    out = tmp_path / "trace.safetensors"
    options = (
        "trace",
        "--force",
        "--out",
        out,
        "--only",
        "blocks.3.attention.*",
        "--only",
        "embeddings",
    )
    found, listed = answer(*options), gptviz(*options).stdout
    in_file = load_file(out)
    inside = ("q", "k", "v", "attn_scores", "attn_weights", "context_vec")
    names = ["embeddings", *(f"blocks.3.attention.{name}" for name in inside)]
    assert [each["name"] for each in found["tensors"]] == names
    assert {each["name"] for each in found["tensors"]} == set(in_file)
    for each in found["tensors"]:
        assert each["shape"] == list(in_file[each["name"]].shape)
        assert each["bytes"] == in_file[each["name"]].nbytes
    assert found["bytes"] == out.stat().st_size
    rows = [line.split() for line in listed.splitlines()]
    assert ["blocks.3.attention.q", "8", "×", "27", "×", "32", "27,648"] in rows
    assert "tales, 27 tokens: 7 tensors" in listed


def test_nothing_is_written_without_need(refused, tmp_path):
    out = tmp_path / "trace.safetensors"
    refused("trace", "--out", out, "--only", "nope", words=["no tensor is called 'nope'"])
    refused(
        "trace", "--out", out, "--silence", "6.0", words=["blocks.6.attention.core isn't there"]
    )
    refused("trace", "--out", tmp_path, words=["--out", "can't be written: it is a folder"])
    refused("trace", words=["--out"])
    assert not list(tmp_path.iterdir())


def test_where_nothing_can_be_written(refused, tmp_path):
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "trace.safetensors"
    refused("trace", "--out", out, words=["can't be written: Not a directory"])


def test_a_file_that_is_there_is_replaced_by_force_alone(gptviz, refused, tmp_path):
    out, aside = tmp_path / "notes.safetensors", tmp_path / "notes.unfinished"
    out.write_text("mine")
    aside.write_text("mine")
    refused("trace", "--out", out, words=["is there already", "--force"])
    assert out.read_text() == "mine"
    assert gptviz("trace", "--out", out, "--force", "--only", "token_ids").exit_code == 0
    assert "token_ids" in load_file(out)
    assert aside.read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 2


def test_the_file_has_the_mode_that_the_umask_leaves(gptviz, tmp_path):
    before = os.umask(0o022)
    try:
        gptviz("trace", "--out", tmp_path / "t.safetensors", "--only", "token_ids")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "t.safetensors").stat().st_mode) == 0o644


def test_a_link_is_written_through(gptviz, tmp_path):
    (tmp_path / "link").symlink_to("target")
    gptviz("trace", "--out", tmp_path / "link", "--only", "token_ids")
    assert (tmp_path / "link").is_symlink()
    assert "token_ids" in load_file(tmp_path / "target")


def test_what_is_no_file_stays_what_it_is(refused, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    words = ["pipe' can't be written: it is not a regular file"]
    refused("trace", "--out", tmp_path / "pipe", words=words)
    refused("trace", "--force", "--out", tmp_path / "pipe", words=words)
    assert (tmp_path / "pipe").is_fifo()


def test_standard_output_is_not_for_tensors(refused, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    words = ["--out: standard output has the list of the tensors: name a file"]
    refused("trace", "--out", "-", words=words)
    assert not list(tmp_path.iterdir())


def test_what_would_not_fit_into_memory(refused, monkeypatch, tmp_path):
    monkeypatch.setattr("gptviz.cli.trace.free_memory", lambda: 500_000)
    out = tmp_path / "trace.safetensors"
    refused("trace", "--out", out, words=["the tensors take", "choose fewer by their names"])
    assert not out.exists()
