from __future__ import annotations

import pytest
from typer.testing import CliRunner

from gptviz.cli import app
from gptviz.config import PRESETS
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


def gptviz(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], terminal_width=200)


def test_train_leaves_weights_that_load(books, tmp_path):
    out = tmp_path / "out"
    result = gptviz("train", books, out, "--held-out", "apart", "--tokens", 4 * 16 * 16)
    assert result.exit_code == 0, result.output
    assert "step 4: held out" in result.output
    assert load_weights(out / "model.safetensors").config == TINY

    again = gptviz("train", books, out, "--held-out", "apart", "--tokens", 6 * 16 * 16)
    assert again.exit_code == 0, again.output
    assert "step 6: held out" in again.output
    assert "step 4" not in again.output  # it went on


def refused(result, *words):
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    said = " ".join(result.output.replace("│", " ").split())
    for some in words:
        assert some in said


def test_a_folder_without_text(tmp_path):
    refused(
        gptviz("train", tmp_path, tmp_path / "out", "--held-out", "x"),
        "0 text files to learn from and 0 held out (x): both must be at least 1",
    )


def test_nothing_held_out(books, tmp_path):
    refused(
        gptviz("train", books, tmp_path / "out", "--held-out", "nobody"), "3 text files", "0 held"
    )


def test_no_such_folder(tmp_path):
    refused(gptviz("train", tmp_path / "none", tmp_path, "--held-out", "x"), "does not exist")


def test_too_little_text(books, tmp_path):
    (books / "apart.txt").write_text("Short.")
    refused(gptviz("train", books, tmp_path / "out", "--held-out", "apart"), "tokens held out")


def test_a_damaged_state(books, tmp_path):
    (tmp_path / "state.safetensors").write_bytes(b"no state")
    refused(gptviz("train", books, tmp_path, "--held-out", "apart"), "remove it")


def test_help_says_what_it_does():
    result = gptviz("train", "--help")
    assert result.exit_code == 0
    assert "run it again to go on after a stop" in " ".join(result.output.split())
