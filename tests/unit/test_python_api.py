"""The lesson in docs/ runs as it stands, and what it prints is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch

from gptviz.analysis.heads import INDUCTION, repeated_tokens
from gptviz.analysis.loss import losses
from gptviz.config import Sampling
from gptviz.counting.ledger import Ledger
from gptviz.loading import load
from gptviz.presets import PRESETS
from gptviz.tracing.changes import silence
from gptviz.tracing.generation import generate
from gptviz.tracing.trace import trace

TEXT = "Once upon a time there was a king who had a daughter, and the king said to his"


@pytest.fixture(scope="module")
def printed(root):
    result = subprocess.run(
        [sys.executable, "-W", "error", root / "docs" / "python_api.py"],
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def tales():
    return load("tales")


def test_the_ledgers_numbers(printed):
    assert "gpt2-small: 163,009,536 parameters, 124,412,160 if tied" in printed
    assert f"gpt3-175b: {Ledger(PRESETS['gpt3-175b']).parameters:,} parameters" in printed
    assert "GPT-2 as published: 124,439,808 parameters" in printed
    assert "non-embedding: 85,056,000" in printed
    assert "attention of one block: 2,360,064" in printed
    assert f"1,024 tokens: {583_296_614_400 // 2:,} FLOPs" in printed
    assert "emb_dim=770 must be divisible by n_heads=12: try 768 or 780" in printed


def test_the_pass(printed, tales):
    ids = tales.tokenizer.encode(TEXT)
    assert f"after block 3: ({len(ids)}, 256)" in printed
    for claim in ("a block adds", "and hands on", "the same"):
        assert f"{claim}: True" in printed


def test_gradients_through_a_clone(printed, tales):
    t = trace(tales.model, tales.tokenizer.encode(TEXT))
    best = int(t.last_logits.argmax())

    def score(stream):
        x = stream[None]
        for block in tales.model.blocks[4:]:
            x = block(x)
        return tales.model.out_head(tales.model.final_norm(x))[0, -1, best]

    assert "the scores of the pass: True" in printed
    label, strength = re.search(r"it hangs most on (\S+): (\S+) a unit", printed).groups()
    stream = t.blocks[3].resid_post.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(score(stream), stream)
    lengths = gradient.norm(dim=-1)
    assert label == tales.tokenizer.label(int(t.token_ids[lengths.argmax()]))
    # Along the gradient a score climbs at the gradient's length: measured by a small step.
    step = torch.zeros_like(gradient)
    step[lengths.argmax()] = 0.05 * gradient[lengths.argmax()] / lengths.max()
    with torch.no_grad():
        climbed = (score(stream + step) - score(stream - step)) / 0.1
    assert float(strength) == pytest.approx(float(climbed), rel=0.05)


def test_head_5_of_layer_0_looks_back_by_one(printed, tales):
    labels = tales.tokenizer.labels(tales.tokenizer.encode(TEXT))
    seen = re.findall(r"(\S+) looks at (\S+) with (0\.\d\d)", printed)
    assert [(a, b) for a, b, _ in seen] == list(zip(labels[1:6], labels[:5], strict=True))
    assert all(float(weight) > 0.5 for _, _, weight in seen)


def test_the_induction_heads_and_what_they_are_good_for(printed, tales):
    twice = trace(tales.model, repeated_tokens(8192, span=32))
    induction = INDUCTION.of(twice)
    heads = re.findall(r"layer (\d), head (\d): (\S+) of its weight by induction", printed)
    places = [(int(layer), int(head)) for layer, head, _ in heads]
    assert places == [tuple(place) for place in np.argwhere(induction > 0.5).tolist()]
    assert len(places) == 3
    without = silence(places)
    silenced = trace(tales.model, twice.token_ids, changes=without)
    for name, one in (("second copy", twice), ("second copy, silenced", silenced)):
        assert f"{name}: {losses(one)[32:].mean():.2f} nats" in printed
    assert losses(silenced)[32:].mean() > losses(twice)[32:].mean() + 3  # by surprise again
    assert abs(losses(silenced)[:31].mean() - losses(twice)[:31].mean()) < 1


def test_what_comes_next(printed, tales):
    t = trace(tales.model, tales.tokenizer.encode(TEXT))
    best = int(t.probabilities().argmax())
    label = tales.tokenizer.label(best)
    assert f"{label}: {float(t.probabilities()[best]):.3f}" in printed
    assert f"row 6 says {label}; the answer has rank 1\n" in printed  # the model itself


def test_the_text_that_was_written(printed, tales):
    ids = tales.tokenizer.encode(TEXT)
    sampling = Sampling(temperature=0.8, top_k=40)
    written = [t.token_id for t in generate(tales.model, ids, 20, sampling, seed=1)]
    assert f"{TEXT}|{tales.tokenizer.decode(written)}" in printed
