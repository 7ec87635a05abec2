"""Weights on disk: one safetensors file that carries its configuration with it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gptviz.config import ConfigError, GPTConfig
from gptviz.model import GPTModel


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
    """Write a safetensors file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    save_file(dict(tensors), unfinished, metadata)
    os.replace(unfinished, path)


def load_weights(path: Path) -> GPTModel:
    """The model that ``save_weights`` wrote, in fp32 and eval mode.

    Shapes in the file's header are checked against its configuration before anything is read.

    Raises:
        WeightsError: if the file is missing, damaged, or doesn't fit its own configuration.
    """
    try:
        with safe_open(path, framework="pt") as file:
            model = GPTModel(_config(path, file.metadata()), device="meta")
            expected = {name: tuple(tensor.shape) for name, tensor in own_tensors(model)}
            found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
            if found != expected:
                raise WeightsError(f"{path.name}: {_first_difference(expected, found)}")
            tensors = {name: file.get_tensor(name).float() for name in expected}
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path.name} can't be read as safetensors: {error}") from error
    return _with_tensors(model, tensors)


def _config(path: Path, metadata: dict[str, str] | None) -> GPTConfig:
    try:
        return GPTConfig(**json.loads((metadata or {})["config"]))
    except (KeyError, TypeError, json.JSONDecodeError, ConfigError) as error:
        raise WeightsError(
            f"{path.name} carries no configuration that gptviz knows ({error}): "
            "use a file written by gptviz"
        ) from error


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
