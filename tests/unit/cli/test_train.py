from __future__ import annotations

import re
import signal
import subprocess
import sys
import time

import pytest

from gptviz.presets import PRESETS
from gptviz.training_state import run_folder
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
    assert "step 4: held out" not in again.output  # it went on
    assert "Goes on from step 4." in again.stderr
    assert "tokens is 1536 (was 1024)" in again.stderr

    finished = gptviz("train", books, out, "--held-out", "apart", "--tokens", 6 * 16 * 16)
    assert finished.exit_code == 0
    assert "This run is finished: 6 steps are done, 6 are asked for." in finished.stderr


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


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--seed", -1, "should be greater than or equal to 0"),
        ("--seed", 2**31, "should be less than or equal to 2147483647"),
        ("--tokens", 0, "should be greater than or equal to 1"),
        ("--learning-rate", "nan", "learning_rate=nan must be a number above 0"),
        ("--learning-rate", -0.1, "learning_rate=-0.1 must be a number above 0"),
        ("--device", "foo", "there is no device 'foo' here: use cpu"),
        ("--device", "meta", "there is no device 'meta' here"),
    ],
)
def test_a_value_that_is_not_allowed(refused, books, tmp_path, option, value, words):
    out = tmp_path / "out"
    refused("train", books, out, "--held-out", "apart", option, value, words=[words])
    assert not out.exists()  # nothing was begun


def test_cuda_where_there_is_none(refused, books, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    words = ["there is no device 'cuda' here: use cpu"]
    refused("train", books, tmp_path, "--held-out", "apart", "--device", "cuda", words=words)


def test_out_that_is_a_file(refused, books, tmp_path):
    (tmp_path / "out").write_text("mine")
    refused("train", books, tmp_path / "out", "--held-out", "apart", words=["is not a folder"])
    assert (tmp_path / "out").read_text() == "mine"


def test_data_that_is_a_file(refused, books, tmp_path):
    words = ["is a file"]
    refused("train", books / "one.txt", tmp_path / "out", "--held-out", "one", words=words)


def test_a_folder_among_the_books(refused, books, tmp_path):
    (books / "three.txt").mkdir()
    words = ["three.txt is a folder, not a text file: take it away"]
    refused("train", books, tmp_path / "out", "--held-out", "apart", words=words)


def test_a_second_run_in_the_same_folder(refused, books, tmp_path):
    with run_folder(tmp_path / "out"):
        words = ["another run is training in"]
        refused("train", books, tmp_path / "out", "--held-out", "apart", words=words)


def test_memory_that_torch_can_not_get(refused, books, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("can't allocate memory: you tried to allocate 9 bytes\nTraces follow")

    monkeypatch.setattr("gptviz.training.bf16_is_faster", fail)
    words = ["can't allocate memory: you tried to allocate 9 bytes"]
    refused("train", books, tmp_path / "out", "--held-out", "apart", words=words)


@pytest.mark.parametrize(
    ("error", "exit_code", "words"),
    [
        (KeyboardInterrupt, 130, "Stopped. The same command goes on from step 2."),
        (
            OSError(28, "No space left on device"),
            1,
            "Stopped: [Errno 28] No space left on device. The same command goes on from step 2.",
        ),
        (RuntimeError("CUDA error.\nMore of it"), 1, "Stopped: CUDA error. The same command"),
        (MemoryError(), 1, "Stopped: MemoryError. The same command goes on from step 2."),
    ],
)
def test_a_run_that_is_stopped(gptviz, books, tmp_path, monkeypatch, error, exit_code, words):
    def run(trainer):
        trainer.kept = 2
        raise error
        yield

    with monkeypatch.context() as patched:
        patched.setattr("gptviz.training.Trainer.run", run)
        result = gptviz("train", books, tmp_path / "out", "--held-out", "apart")
    assert result.exit_code == exit_code
    assert words in result.stderr
    assert "Traceback" not in result.output
    with run_folder(tmp_path / "out"):  # it was left to others
        pass


def test_a_loss_that_becomes_nan(gptviz, books, tmp_path):
    command = ["train", books, tmp_path / "out", "--held-out", "apart", "--tokens", 9 * 16 * 16]
    result = gptviz(*command, "--learning-rate", 1e30)
    assert result.exit_code == 1
    assert "became nan at step" in result.stderr
    assert "the state of step 0 is kept: go on from there with a lower learning" in result.stderr
    assert "Traceback" not in result.output
    again = gptviz(*command)
    assert again.exit_code == 0
    assert "Not as in the run so far: learning_rate is 0.0015 (was 1e+30)." in again.stderr


def test_control_c_in_a_real_terminal_is_gone_on_from(books, tmp_path, root):
    """The whole command in a process of its own, interrupted once it trains."""
    code = (
        # What a shell starts in the background is deaf to it, and so are its children.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from gptviz.presets import PRESETS; from gptviz.cli import app\n"
        "PRESETS['tales'] = PRESETS['tales'].changed(\n"
        "    vocab_size=300, context_length=16, emb_dim=16, n_layers=1)\n"
        "app()"
    )
    command = [
        sys.executable,
        "-c",
        code,
        "train",
        str(books),
        str(tmp_path),
        "--held-out",
        "apart",
    ]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            while not (tmp_path / "model.safetensors").exists() and process.poll() is None:
                time.sleep(0.05)
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert process.returncode == 130, said
    assert re.fullmatch(r"Stopped\. The same command goes on from step [\d,]+\.\n", said)
    assert (tmp_path / "state.safetensors").exists()


def test_help_says_what_it_does(gptviz):
    result = gptviz("train", "--help")
    assert result.exit_code == 0
    assert "run it again to go on after a stop" in " ".join(result.output.split())
