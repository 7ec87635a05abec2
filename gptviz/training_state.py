"""What a run of training keeps on disk, so that a later process can go on from it."""

from __future__ import annotations

import json
import math
import reprlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from jaxtyping import UInt16
from numpy import ndarray
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gptviz.config import GPTConfig
from gptviz.model import GPTModel
from gptviz.recipe import Recipe
from gptviz.weights import own_tensors, write_tensors

KINDS = ("weight", "exp_avg", "exp_avg_sq")  # what is kept of a parameter; AdamW's own names


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run. ``run_folder`` gives it, and keeps other runs out of it."""

    path: Path

    @property
    def state_file(self) -> Path:
        """Where the state to go on from is kept."""
        return self.path / "state.safetensors"

    @property
    def model_file(self) -> Path:
        """Where the best weights so far are kept."""
        return self.path / "model.safetensors"

    def has_state(self) -> bool:
        """Whether there is a state to go on from.

        Raises:
            ValueError: if there are weights that a run without a state would write over.
        """
        found, weights = self.state_file.exists(), self.model_file
        if weights.exists() and not found:
            raise ValueError(
                f"{self.path} holds {weights.name} but no {self.state_file.name} to go on from: "
                "train in another folder, or move it"
            )
        if weights.exists() and not weights.is_file():
            raise ValueError(f"{weights} is not a regular file: move it")
        return found


@contextmanager
def run_folder(path: Path) -> Iterator[RunFolder]:
    """A folder for one run alone, made if it is missing.

    The lock is the operating system's: it ends with the process, however that ends. The file
    ``training.lock`` stays behind and means nothing by itself.

    Raises:
        ValueError: if it is no folder, can't be written to, or another run is using it.
    """
    lock = FileLock(path / "training.lock", blocking=False)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass  # it can be written to
        lock.acquire()
    except FileExistsError as error:
        raise ValueError(f"{path} is not a folder: name another one") from error
    except Timeout as error:
        raise ValueError(
            f"another run is training in {path}: wait for its end, or train in another folder"
        ) from error
    except OSError as error:
        raise ValueError(
            f"{path} can't be written to ({error.strerror}): choose another folder"
        ) from error
    try:
        yield RunFolder(path)
    finally:
        lock.release()


@dataclass(frozen=True)
class State:
    """A run between two steps.

    Args:
        config: the model.
        recipe: how it was trained up to here.
        text, held_out: what ``fingerprint`` says of the ids learned from and of those kept apart.
        bf16: whether the steps are computed with bf16 autocast.
        step: number of steps done.
        curve: tokens read and held-out loss in nats per token, look by look.
        tensors: ``weight.NAME``, ``exp_avg.NAME`` and ``exp_avg_sq.NAME`` of every parameter, fp32.
    """

    config: GPTConfig
    recipe: Recipe
    text: str
    held_out: str
    bf16: bool
    step: int
    curve: list[tuple[int, float]]
    tensors: dict[str, Tensor]


def fingerprint(ids: UInt16[ndarray, " n"]) -> str:
    """What tells one text from another (SHA-256)."""
    return sha256(ids.tobytes()).hexdigest()


def write_state(file: Path, state: State) -> None:
    """Write a state whole or not at all.

    Raises:
        WeightsError: if it can't be written.
    """
    about = {
        "config": state.config.as_dict(),
        "recipe": asdict(state.recipe),
        "text": state.text,
        "held_out": state.held_out,
        "bf16": state.bf16,
        "step": state.step,
        "curve": state.curve,
    }
    write_tensors(file, state.tensors, {key: json.dumps(value) for key, value in about.items()})


def read_state(file: Path, model: GPTModel) -> State:
    """The state that ``write_state`` wrote for a model of this configuration.

    Raises:
        ValueError: if it is damaged, or belongs to another configuration.
    """
    begin_anew = "train in another folder, or remove it and model.safetensors to begin anew"
    try:
        if not file.is_file():
            raise ValueError("it is not a regular file")
        with safe_open(file, framework="pt") as opened:
            about = {key: json.loads(value) for key, value in (opened.metadata() or {}).items()}
            if about["config"] != model.config.as_dict():
                raise ValueError("it belongs to another configuration")
            tensors = {
                f"{kind}.{name}": _tensor(opened, f"{kind}.{name}", parameter)
                for name, parameter in own_tensors(model)
                for kind in KINDS
            }
        return _state(model.config, about, tensors)
    except KeyError as error:
        raise ValueError(
            f"{file.name} can't be gone on from: it says nothing of {error}, as if another "
            f"version of gptviz had written it; {begin_anew}"
        ) from error
    except (OSError, SafetensorError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{file.name} can't be gone on from: {error}; {begin_anew}") from error


def _state(config: GPTConfig, about: dict[str, Any], tensors: dict[str, Tensor]) -> State:
    recipe = Recipe(**about["recipe"])
    step, curve = about["step"], _curve(about["curve"])
    if type(step) is not int or not 0 <= step <= recipe.n_steps(config.context_length):
        raise ValueError(f"step {reprlib.repr(step)} is not a step of its recipe")
    if type(about["bf16"]) is not bool:
        raise ValueError("bf16 is neither true nor false")
    return State(
        config, recipe, about["text"], about["held_out"], about["bf16"], step, curve, tensors
    )


def _curve(found: Any) -> list[tuple[int, float]]:
    try:
        curve = [(tokens, loss) for tokens, loss in found]
        is_curve = all(type(tokens) is int and math.isfinite(loss) for tokens, loss in curve)
    except (TypeError, ValueError):
        is_curve = False
    if not is_curve:
        raise ValueError("its curve holds something else than numbers of tokens and losses")
    return curve


def _tensor(opened: Any, name: str, parameter: Tensor) -> Tensor:
    found = opened.get_slice(name)
    shape, dtype = tuple(found.get_shape()), found.get_dtype()
    if (shape, dtype) != (tuple(parameter.shape), "F32"):
        raise ValueError(
            f"{name} is {dtype} of shape {shape}; it must be F32 of {tuple(parameter.shape)}"
        )
    tensor: Tensor = opened.get_tensor(name)
    if not tensor.isfinite().all():
        raise ValueError(f"{name} holds NaN or infinity")
    if name.startswith("exp_avg_sq") and (tensor < 0).any():
        raise ValueError(f"{name} holds squares below 0")
    return tensor
