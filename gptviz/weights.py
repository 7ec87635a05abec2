"""Weights on disk: one safetensors file that carries its configuration with it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gptviz.config import GPTConfig
from gptviz.model import GPTModel

# Real sizes are far below; a file that claims more would only keep us building.
MOST_LAYERS = 1000
KNOWN_DTYPES = ("F16", "BF16", "F32", "F64")


class WeightsError(ValueError):
    """A weights file can't be used; the text says which, why and what to do."""


def save_weights(model: GPTModel, path: Path, dtype: torch.dtype = torch.float16) -> None:
    """Write the model's weights in ``dtype``, with its configuration in the file's metadata."""
    tensors = {name: tensor.detach().to(dtype).contiguous() for name, tensor in own_tensors(model)}
    write_tensors(path, tensors, {"config": json.dumps(model.config.as_dict())})


def own_tensors(model: GPTModel) -> list[tuple[str, Tensor]]:
    """Every parameter once: a tied output head is the token embedding and is not listed."""
    return list(model.named_parameters(remove_duplicate=True))


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file whole or not at all.

    Raises:
        WeightsError: if it can't be written.
    """
    unfinished = path.with_suffix(".unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(dict(tensors), unfinished, metadata)
        os.replace(unfinished, path)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            unfinished.unlink()
        raise WeightsError(f"{path.name} can't be written: {error}") from error


def load_weights(path: Path) -> GPTModel:
    """The model that ``save_weights`` wrote, in fp32 and eval mode.

    Shapes and kinds of number in the file's header are checked against its configuration before
    anything is read.

    Raises:
        WeightsError: if the file is missing, damaged, or doesn't fit its own configuration.
    """
    try:
        with safe_open(path, framework="pt") as file:
            model = _empty_model(path, _config(path, file.metadata()))
            expected = {name: tuple(tensor.shape) for name, tensor in own_tensors(model)}
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            found = {name: tuple(s.get_shape()) for name, s in slices.items()}
            if found != expected:
                raise WeightsError(f"{path.name}: {_first_difference(expected, found)}")
            for name, s in slices.items():
                _check_dtype(path, name, s.get_dtype())
            tensors = {name: file.get_tensor(name).float() for name in expected}
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path.name} can't be read as safetensors: {error}") from error
    return _with_tensors(model, tensors)


def stored_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor in a file, from its header alone.

    Raises:
        WeightsError: if the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            names = file.keys()
            return {name: tuple(file.get_slice(name).get_shape()) for name in names}
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path.name} can't be read as safetensors: {error}") from error


def _config(path: Path, metadata: dict[str, str] | None) -> GPTConfig:
    try:
        return GPTConfig(**json.loads((metadata or {})["config"]))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise WeightsError(
            f"{path.name} carries no configuration that gptviz knows ({error}): "
            "use a file written by gptviz"
        ) from error


def _empty_model(path: Path, config: GPTConfig) -> GPTModel:
    too_large = f"{path.name} claims to be larger than any model: it is not what it claims to be"
    if config.n_layers > MOST_LAYERS:
        raise WeightsError(too_large)
    try:
        return GPTModel(config, device="meta")
    except (RuntimeError, OverflowError, TypeError) as error:  # torch can't count that far
        raise WeightsError(too_large) from error


def _check_dtype(path: Path, name: str, dtype: str) -> None:
    if dtype not in KNOWN_DTYPES:
        raise WeightsError(
            f"{path.name}: {name} holds {dtype} numbers, but weights are one of "
            f"{', '.join(KNOWN_DTYPES)}"
        )


def _first_difference(expected: Mapping[str, object], found: Mapping[str, object]) -> str:
    name = next(n for n in [*expected, *found] if expected.get(n) != found.get(n))
    return (
        f"{name} has shape {found.get(name, 'missing')}, but its configuration says "
        f"{expected.get(name, 'no such tensor')}: the file is not what it claims to be"
    )


def _with_tensors(model: GPTModel, tensors: dict[str, Tensor]) -> GPTModel:
    model.load_state_dict(tensors, strict=False, assign=True)
    if model.config.tie_weights:
        model.out_head.weight = model.tok_emb.weight
    return model.eval()
