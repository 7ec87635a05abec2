from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from gptviz.config import GPTConfig
from gptviz.model import GPTModel
from gptviz.recipe import Recipe
from gptviz.training_state import (
    State,
    fingerprint,
    read_state,
    run_folder,
    write_state,
)
from gptviz.weights import own_tensors

TINY = GPTConfig(
    vocab_size=300, context_length=16, emb_dim=16, n_heads=2, n_layers=1, tie_weights=True
)
NAME = "blocks.0.norm1.scale"


@pytest.fixture
def model():
    return GPTModel(TINY)


@pytest.fixture
def state(model):
    tensors = {}
    for place, (name, parameter) in enumerate(own_tensors(model)):
        tensors[f"weight.{name}"] = parameter.detach()
        tensors[f"exp_avg.{name}"] = torch.full_like(parameter, -place).detach()
        tensors[f"exp_avg_sq.{name}"] = torch.full_like(parameter, place).detach()
    curve = [(0, 5.7), (4096, 1 / 3)]
    return State(TINY, Recipe(seed=9), "learned", "apart", True, 4, curve, tensors)


@pytest.fixture
def file(tmp_path, state):
    write_state(tmp_path / "state.safetensors", state)
    return tmp_path / "state.safetensors"


def spoil(file, about=None, **tensors):
    """Change what the file says or holds."""
    with safe_open(file, framework="pt") as opened:
        said = {**opened.metadata(), **(about or {})}
    held = {**load_file(file), **tensors}
    save_file(
        {name: tensor for name, tensor in held.items() if tensor is not None},
        file,
        {key: value for key, value in said.items() if value is not None},
    )


def test_a_state_comes_back_to_the_last_bit(file, model, state):
    found = read_state(file, model)
    assert replace(found, tensors={}) == replace(state, tensors={})
    assert found.tensors.keys() == state.tensors.keys()
    for name, tensor in state.tensors.items():
        assert torch.equal(found.tensors[name], tensor), name


def refused(file, model, *words):
    with pytest.raises(ValueError, match=r"state\.safetensors can't be gone on from") as refusal:
        read_state(file, model)
    said = str(refusal.value)
    assert "begin anew" in said
    for some in words:
        assert some in said


@pytest.mark.parametrize("content", [b"", b"no state", b"\x02" + b"\0" * 7 + b"{}"])
def test_a_damaged_file_is_refused(file, model, content):
    file.write_bytes(content)
    refused(file, model)


def test_a_file_cut_short_is_refused(file, model):
    file.write_bytes(file.read_bytes()[:-1])
    refused(file, model)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("step", None, "says nothing of 'step'"),
        ("step", "four", "Expecting value"),
        ("step", "-1", "step -1 is not a step of its recipe"),
        ("step", "4.0", "step 4.0 is not a step"),
        ("step", "true", "step True is not a step"),
        ("step", "1e400", "step inf is not a step"),
        ("step", "1" * 30, "is not a step"),
        ("step", "1" * 5000, "digits"),
        ("step", "[" * 100_000, ""),
        ("bf16", "1", "bf16"),
        ("bf16", None, "says nothing of 'bf16'"),
        ("curve", "[[0]]", "curve"),
        ("curve", "[[0, NaN]]", "curve"),
        ("curve", '[[0, "low"]]', "curve"),
        ("curve", "7", "curve"),
        ("recipe", "[]", "recipe"),
        ("recipe", '{"seed": -1}', "seed=-1"),
        ("recipe", '{"salt": 1}', "salt"),
        ("config", "null", "another configuration"),
        ("config", json.dumps(TINY.changed(n_layers=2).as_dict()), "another configuration"),
    ],
)
def test_what_a_state_says_of_itself_is_checked(file, model, key, value, words):
    spoil(file, {key: value})
    refused(file, model, words)


def test_a_file_that_says_nothing_is_refused(file, model):
    save_file(load_file(file), file)
    refused(file, model, "says nothing of 'config'")


@pytest.mark.parametrize("kind", ["weight", "exp_avg", "exp_avg_sq"])
def test_tensors_are_checked(file, model, kind):
    name = f"{kind}.{NAME}"
    good = file.read_bytes()
    for tensor, words in (
        (None, name),
        (torch.ones(1), f"{name} is F32 of shape (1,); it must be F32 of (16,)"),  # no broadcast
        (torch.ones(16, 1), f"{name} is F32 of shape (16, 1)"),
        (torch.ones(16, dtype=torch.float16), f"{name} is F16"),
        (torch.full((16,), math.nan), f"{name} holds NaN"),
        (torch.full((16,), math.inf), f"{name} holds NaN or infinity"),
    ):
        file.write_bytes(good)
        spoil(file, **{name: tensor})
        refused(file, model, words)


def test_squares_are_not_below_0(file, model):
    spoil(file, **{f"exp_avg_sq.{NAME}": -torch.ones(16)})
    refused(file, model, f"exp_avg_sq.{NAME} holds squares below 0")


def test_a_state_that_is_no_file_is_refused(tmp_path, model):
    place = tmp_path / "state.safetensors"
    place.mkdir()
    refused(place, model, "not a regular file")
    place.rmdir()
    os.mkfifo(place)  # opening it would wait for somebody to write
    refused(place, model, "not a regular file")


def test_a_fingerprint_tells_texts_apart():
    ids = np.arange(100, dtype=np.uint16)
    assert fingerprint(ids) == fingerprint(ids.copy())
    assert len({fingerprint(ids), fingerprint(ids[1:]), fingerprint(ids[::-1])}) == 3


def test_a_folder_is_made_and_can_be_used_again(tmp_path):
    for _ in range(2):
        with run_folder(tmp_path / "a" / "b") as folder:
            assert folder.path.is_dir()
            assert not folder.has_state()


def test_two_runs_in_one_folder_are_refused(tmp_path):
    other_process = "import sys, pathlib\nfrom gptviz.training_state import run_folder\n" + (
        "with run_folder(pathlib.Path(sys.argv[1])):\n    print('in', flush=True)\n    input()"
    )
    command = [sys.executable, "-c", other_process, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "in\n"
        with pytest.raises(ValueError, match="another run is training in"), run_folder(tmp_path):
            pass
        other.kill()  # as a crash would
        other.wait()
        with run_folder(tmp_path):
            pass


def test_what_goes_wrong_inside_is_not_the_folder_s_fault(tmp_path):
    with pytest.raises(PermissionError), run_folder(tmp_path):
        raise PermissionError
    with run_folder(tmp_path):
        pass


def test_a_folder_that_is_none_is_refused(tmp_path):
    (tmp_path / "file").write_text("something")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        with pytest.raises(ValueError, match=f"{name} is not a folder"):
            run_folder(tmp_path / name).__enter__()
    with pytest.raises(ValueError, match=r"below can't be written to \(Not a directory\)"):
        run_folder(tmp_path / "file" / "below").__enter__()


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="no file system that takes no files")
@pytest.mark.parametrize("path", ["/proc", "/proc/new"])
def test_a_folder_that_takes_no_files_is_refused(path, tmp_path):
    with pytest.raises(ValueError, match=f"{path} can't be written to"):
        run_folder(type(tmp_path)(path)).__enter__()


def test_a_folder_without_permission_is_refused(tmp_path, monkeypatch):
    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(ValueError, match=r"can't be written to \(Permission denied\)"):
        run_folder(tmp_path).__enter__()


def test_weights_of_another_run_are_not_written_over(tmp_path):
    with run_folder(tmp_path) as folder:
        folder.model_file.write_bytes(b"weights")
        with pytest.raises(ValueError, match=r"holds model\.safetensors but no state\.safetensors"):
            folder.has_state()
        folder.state_file.write_bytes(b"state")
        assert folder.has_state()


def test_weights_that_could_not_be_written_are_found_out(tmp_path):
    with run_folder(tmp_path) as folder:
        folder.model_file.mkdir()
        folder.state_file.write_bytes(b"state")
        with pytest.raises(ValueError, match=r"model\.safetensors is not a regular file"):
            folder.has_state()
