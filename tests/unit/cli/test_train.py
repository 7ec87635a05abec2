from __future__ import annotations

import pytest

from gptviz.presets import PRESETS
from gptviz.weights import load_weights

TINY = PRESETS["tales"].changed(vocab_size=300, context_length=16, emb_dim=16, n_layers=1)


@pytest.fixture(autouse=True)
def tiny_tales(monkeypatch):
    monkeypatch.setitem(PRESETS, "tales", TINY)


@pytest.fixture
def books(tmp_path):
    folder = tmp_path / "books"
    folder.mkdir()
    for name in ("one", "two", "apart"):
        (folder / f"{name}.txt").write_text(f"Once upon a time there was {name}. " * 20)
    return folder


def test_train_leaves_weights_that_load(gptviz, books, tmp_path):
    out = tmp_path / "out"
    result = gptviz("train", books, out, "--held-out", "apart", "--tokens", 4 * 16 * 16)
    assert result.exit_code == 0, result.output
    assert "step 4: held out" in result.output
    assert load_weights(out / "model.safetensors").config == TINY

    again = gptviz("train", books, out, "--held-out", "apart", "--tokens", 6 * 16 * 16)
    assert again.exit_code == 0, again.output
    assert "step 6: held out" in again.output
    assert "step 4" not in again.output  # it went on


def test_a_folder_without_text(refused, tmp_path):
    words = ["0 text files to learn from and 0 held out (x): both must be at least 1"]
    refused("train", tmp_path, tmp_path / "out", "--held-out", "x", words=words)


def test_nothing_held_out(refused, books, tmp_path):
    words = ["3 text files", "0 held"]
    refused("train", books, tmp_path / "out", "--held-out", "nobody", words=words)


def test_no_such_folder(refused, tmp_path):
    words = ["does not exist"]
    refused("train", tmp_path / "none", tmp_path, "--held-out", "x", words=words)


def test_too_little_text(refused, books, tmp_path):
    (books / "apart.txt").write_text("Short.")
    words = ["tokens held out"]
    refused("train", books, tmp_path / "out", "--held-out", "apart", words=words)


def test_a_damaged_state(refused, books, tmp_path):
    (tmp_path / "state.safetensors").write_bytes(b"no state")
    refused("train", books, tmp_path, "--held-out", "apart", words=["remove it"])


def test_help_says_what_it_does(gptviz):
    result = gptviz("train", "--help")
    assert result.exit_code == 0
    assert "run it again to go on after a stop" in " ".join(result.output.split())
