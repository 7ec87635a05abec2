from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from gptviz.config import GPTConfig
from gptviz.corpus import Corpus
from gptviz.model import GPTModel
from gptviz.recipe import Recipe
from gptviz.training_step import (
    IGNORED,
    batch,
    bf16_is_faster,
    checked_device,
    held_out_loss,
    loss_of,
)

TINY = GPTConfig(
    vocab_size=300, context_length=16, emb_dim=16, n_heads=2, n_layers=2, tie_weights=True
)
RECIPE = Recipe(
    tokens=6 * 8 * 16, rows=8, copy_rows=2, echo_rows=1, warmup_steps=2, eval_every=2, seed=5
)


@pytest.fixture
def corpus():
    ids = np.random.default_rng(3).integers(40, size=2000).astype(np.uint16)
    return Corpus(ids[:1500], ids[1500:])


def test_the_same_step_gives_the_same_batch(corpus):
    inputs, targets = batch(corpus, TINY, RECIPE, 3)
    assert inputs.shape == targets.shape == (8, 16)
    for other, same in (
        (batch(corpus, TINY, RECIPE, 3), True),
        (batch(corpus, TINY, RECIPE, 4), False),
        (batch(corpus, TINY, replace(RECIPE, seed=6), 3), False),
    ):
        assert torch.equal(inputs, other[0]) is same
        assert torch.equal(targets, other[1]) is same


def test_targets_are_the_next_tokens(corpus):
    inputs, targets = batch(corpus, TINY, RECIPE, 0)
    asked = targets != IGNORED
    assert asked[:5].all()
    assert torch.equal(inputs[:, 1:][asked[:, :-1]], targets[:, :-1][asked[:, :-1]])
    text = corpus.train.tolist()
    places = [i for i in range(len(text) - 16) if text[i : i + 16] == inputs[0].tolist()]
    assert [text[i + 16] for i in places] == [targets[0, -1].item()]


def test_copies_are_asked_for_only_where_they_can_be_foretold(corpus):
    for step in range(20):
        inputs, targets = batch(corpus, TINY, RECIPE, step)
        for row, asked in zip(inputs[5:7], targets[5:7], strict=True):
            span = int((asked == IGNORED).sum()) + 1
            assert 6 <= span <= 8
            # the first round can't be known, and every later token is the one a round before
            assert (asked[: span - 1] == IGNORED).all()
            assert torch.equal(asked[span - 1 :], row[: 16 - span + 1])


def test_echoes_are_asked_for_where_the_token_before_follows(corpus):
    for step in range(20):
        inputs, targets = batch(corpus, TINY, RECIPE, step)
        row, asked = inputs[7], targets[7]
        places = (asked != IGNORED).nonzero().flatten().tolist()
        assert places[0] in (1, 2, 3)
        assert places == list(range(places[0], len(row), 3))
        assert [asked[i] for i in places] == [row[i - 1] for i in places]


@pytest.mark.parametrize("n_tokens", [17, 500])
def test_held_out_loss_is_the_mean_surprise(corpus, n_tokens):
    model = GPTModel(TINY.changed(drop_rate=0.5)).train()
    ids = corpus.held_out[:n_tokens]
    fast = held_out_loss(model, ids)
    assert model.training  # as it was before
    model.eval()
    surprises = []
    for first in range(0, n_tokens - 16, 16):
        row = torch.tensor(ids[first : first + 17].astype(int))
        logits = model(row[None, :-1])[0].detach()
        probabilities = torch.softmax(logits.double(), dim=-1)
        surprises += [-math.log(probabilities[i, row[i + 1]]) for i in range(16)]
    assert fast == pytest.approx(sum(surprises) / len(surprises), rel=1e-5)


def test_held_out_loss_of_some_rows(corpus):
    model = GPTModel(TINY)
    assert held_out_loss(model, corpus.held_out, most_rows=1000) == held_out_loss(
        model, corpus.held_out
    )
    first = held_out_loss(model, corpus.held_out[:17])
    assert held_out_loss(model, corpus.held_out, most_rows=1) == pytest.approx(first)


def test_the_loss_asks_nothing_of_ignored_targets():
    model = GPTModel(TINY).eval()
    inputs = torch.arange(16)[None]
    targets = torch.full((1, 16), IGNORED)
    targets[0, 3] = 7
    expected = -F.log_softmax(model(inputs)[0, 3], dim=-1)[7]
    torch.testing.assert_close(loss_of(model, inputs, targets, bf16=False), expected)


def test_the_quicker_of_bf16_and_fp32_is_taken_and_nothing_is_left_behind(monkeypatch):
    model = GPTModel(TINY.changed(drop_rate=0.5)).train()
    before = torch.get_rng_state()
    for slow in (False, True):

        def loss(model, inputs, targets, bf16, slow=slow):
            time.sleep(0.02 * (bf16 is slow))
            return loss_of(model, inputs, targets, bf16)

        monkeypatch.setattr("gptviz.training_step.loss_of", loss)
        assert bf16_is_faster(model, RECIPE) is not slow
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_compiler_compiling_is_refused_before_training(tmp_path, root):
    code = (
        "from gptviz.config import GPTConfig; from gptviz.model import GPTModel\n"
        "from gptviz.recipe import Recipe; from gptviz.training_step import compiled\n"
        "config = GPTConfig(300, 16, 16, 2, 1)\n"
        "try: compiled(GPTModel(config), Recipe(), False)\n"
        "except ValueError as error: print(error)"
    )
    environment = {**os.environ, "CXX": "no-compiler", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert "torch.compile doesn't work here" in result.stdout
    assert "install a C++ compiler, or train without it" in result.stdout
    assert result.stdout.count("\n") == 1


@pytest.mark.parametrize("name", ["foo", "", "meta", "cuda:-1", "cuda:99", "x" * 100_000])
def test_a_device_that_is_not_there_is_refused(name):
    with pytest.raises(ValueError, match=r"there is no device .*: use cpu") as refusal:
        checked_device(name)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("n_gpus", "devices"), [(0, "cpu"), (2, "cpu or cuda or cuda:0 or cuda:1")]
)
def test_the_devices_that_there_are(monkeypatch, n_gpus, devices):
    monkeypatch.setattr("torch.cuda.device_count", lambda: n_gpus)
    with pytest.raises(ValueError, match=f"use {devices}$"):
        checked_device("foo")
    assert {str(checked_device(name)) for name in devices.split(" or ")} == set(
        devices.split(" or ")
    )
    if not n_gpus:
        with pytest.raises(ValueError, match="there is no device 'cuda' here"):
            checked_device("cuda")
