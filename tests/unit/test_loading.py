"""Models by name, and the names of the package itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import gptviz
from gptviz import loading
from gptviz.config import GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.loading import build, load
from gptviz.presets import PRESETS
from gptviz.tokenizer import Tokenizer
from gptviz.tracing.trace import trace
from gptviz.weights import WeightsError

SMALL = GPTConfig(vocab_size=300, context_length=16, emb_dim=16, n_heads=2, n_layers=2)


def test_tales_is_the_trained_model() -> None:
    loaded = load("tales")
    assert loaded.name == "tales"
    assert loaded.model.config == PRESETS["tales"]
    assert not loaded.model.training
    assert loaded.nbytes == Ledger(PRESETS["tales"]).weight_bytes(4)  # a tied head counts once
    ids = loaded.tokenizer.encode("Once upon a time there was a little")
    drawn = build(PRESETS["tales"])
    assert drawn.name == "custom"  # random weights are not to be taken for the trained ones

    def surprise(model: gptviz.GPTModel) -> float:
        traced = trace(model, ids)
        return -sum(
            traced.probabilities(place)[ids[place + 1]].log().item()
            for place in range(1, len(ids) - 1)
        )

    assert surprise(loaded.model) < 0.7 * surprise(drawn.model)


def test_another_preset_has_random_weights_of_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "gpt2-small", SMALL)
    loaded = load("gpt2-small", seed=5)
    assert (loaded.name, loaded.model.config) == ("gpt2-small", SMALL)
    assert not loaded.model.training
    weight = loaded.model.out_head.weight
    assert torch.equal(weight, load("gpt2-small", seed=5).model.out_head.weight)
    assert not torch.equal(weight, load("gpt2-small", seed=6).model.out_head.weight)


def test_a_built_model_is_called_by_its_preset_or_custom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "gpt2-small", SMALL)
    assert build(SMALL).name == "gpt2-small"
    assert build(SMALL.changed(n_layers=1)).name == "custom"


def test_the_tokenizer_fits_the_model() -> None:
    loaded = build(SMALL)
    assert loaded.tokenizer.vocab_size == 300
    assert loaded.tokenizer.encode("Dorothy") == Tokenizer(300).encode("Dorothy")
    assert trace(loaded.model, loaded.tokenizer.encode("Dorothy")[:16]).n_tokens > 1


def test_size_in_bytes_is_that_of_the_weights() -> None:
    loaded = build(SMALL)
    assert loaded.nbytes == 4 * sum(p.numel() for p in loaded.model.parameters())


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match=r"no model 'gpt5': choose one of tales, gpt2-small, .*175b"
    ):
        load("gpt5")


def test_missing_weights_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(loading.WEIGHTS, "tales", tmp_path / "gone.safetensors")
    with pytest.raises(WeightsError, match=r"gone\.safetensors"):
        load("tales")


def test_public_names_are_what_they_say() -> None:
    for name in gptviz.__all__:
        assert getattr(gptviz, name) is not None
        assert name in dir(gptviz)
    assert gptviz.load is load
    assert gptviz.trace is trace
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        gptviz.lode  # noqa: B018


def test_importing_gptviz_waits_for_no_torch(root: Path) -> None:
    code = (
        "import sys, gptviz; from gptviz import GPTConfig, PRESETS, Ledger, Tokenizer;"
        "assert 'torch' not in sys.modules; from gptviz import trace; assert 'torch' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
