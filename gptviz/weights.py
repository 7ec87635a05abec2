"""Weights on disk: one safetensors file that carries its configuration with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gptviz.config import GPTConfig
from gptviz.counting.compare import read as read_config
from gptviz.counting.ledger import Ledger
from gptviz.files import AnyPath, check_readable, reason, replacing
from gptviz.model import GPTModel
from gptviz.quoting import quoted, shortened

# Layers that hold nothing, all their parts being placeholders, can be claimed without end.
MOST_LAYERS = 1000
KNOWN_DTYPES = ("F16", "BF16", "F32", "F64")

Shapes = dict[str, tuple[int, ...]]


class WeightsError(ValueError):
    """A weights file can't be used; the text says which, why and what to do."""


def save_weights(model: GPTModel, path: AnyPath, dtype: torch.dtype = torch.float16) -> None:
    """Write the model's weights in ``dtype``, with its configuration in the file's metadata.

    Raises:
        WeightsError: if a weight is NaN or beyond the largest number of ``dtype``, or the file
            can't be written.
    """
    tensors = {name: tensor.detach().to(dtype).contiguous() for name, tensor in own_tensors(model)}
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise WeightsError(
                f"{_name(path)} isn't written: {name} has NaN, infinity, or a number beyond "
                f"{torch.finfo(dtype).max:g}, the largest of {dtype}"
            )
    write_tensors(path, tensors, {"config": json.dumps(model.config.as_dict())})


def own_tensors(model: GPTModel) -> list[tuple[str, Tensor]]:
    """Every parameter once: a tied output head is the token embedding and is not listed."""
    return list(model.named_parameters(remove_duplicate=True))


def write_tensors(path: AnyPath, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file whole or not at all, in place of the one that is there.

    Raises:
        WeightsError: if it can't be written.
    """
    try:
        with replacing(path) as new:
            save_file(dict(tensors), new, metadata)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{_name(path)} can't be written: {reason(error)}") from error


def load_weights(path: AnyPath) -> GPTModel:
    """The model that ``save_weights`` wrote, in fp32 and eval mode.

    Sizes, shapes and kinds of number in the file's header are checked against its configuration
    before anything is built or read.

    Raises:
        WeightsError: if the file is missing, damaged, or doesn't fit its own configuration, or a
            weight is NaN or infinity.
    """
    with _opened(path) as file:
        config, found = _config(path, file.metadata()), _shapes(file)
        _check_claim(path, config, found)
        model = GPTModel(config, device="meta")
        expected = {name: tuple(tensor.shape) for name, tensor in own_tensors(model)}
        if found != expected:
            raise WeightsError(f"{_name(path)}: {_first_difference(expected, found)}")
        for name in expected:
            _check_dtype(path, name, file.get_slice(name).get_dtype())
        tensors = {name: file.get_tensor(name).float() for name in expected}
    for name, tensor in tensors.items():
        _check_finite(path, name, tensor)
    return _with_tensors(model, tensors)


def stored_shapes(path: AnyPath) -> Shapes:
    """Name and shape of every tensor in a file, from its header alone.

    Raises:
        WeightsError: if the file is missing or damaged.
    """
    with _opened(path) as file:
        return _shapes(file)


@contextmanager
def _opened(path: AnyPath) -> Iterator[Any]:
    """A safetensors file, open; what it can't be read for is a ``WeightsError``."""
    try:
        check_readable(path)
        with safe_open(path, framework="pt") as file:
            yield file
    except OSError as error:
        raise WeightsError(f"{_name(path)} can't be read: {reason(error)}") from error
    except SafetensorError as error:
        why = shortened(str(error))
        raise WeightsError(f"{_name(path)} can't be read as safetensors: {why}") from error


def _name(path: AnyPath) -> str:
    return shortened(Path(path).name)


def _shapes(file: Any) -> Shapes:
    return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118


def _config(path: AnyPath, metadata: dict[str, str] | None) -> GPTConfig:
    try:
        return read_config((metadata or {})["config"])
    except (KeyError, ValueError) as error:
        why = "there is none" if isinstance(error, KeyError) else error
        raise WeightsError(
            f"{_name(path)} carries no configuration that gptviz knows ({why}): "
            "use a file written by gptviz"
        ) from error


def _check_claim(path: AnyPath, config: GPTConfig, shapes: Shapes) -> None:
    """Refuse by arithmetic what would take long to build and can't be what the file holds.

    Up to twice of what it holds may be claimed: then a tensor that is missing, or of another
    shape, can be called by its name.
    """
    ledger, held = Ledger(config), sum(map(prod, shapes.values()))
    most_layers = len(shapes) if ledger.of("blocks.0") else MOST_LAYERS
    if ledger.parameters > 2 * held or config.n_layers > most_layers:
        raise WeightsError(
            f"{_name(path)} claims {quoted(ledger.parameters)} parameters in "
            f"{quoted(config.n_layers)} layers and holds {held} numbers in {len(shapes)} tensors: "
            "it is not what it claims to be"
        )


def _check_dtype(path: AnyPath, name: str, dtype: str) -> None:
    if dtype not in KNOWN_DTYPES:
        raise WeightsError(
            f"{_name(path)}: {shortened(name)} holds {dtype} numbers, but weights are one of "
            f"{', '.join(KNOWN_DTYPES)}"
        )


def _check_finite(path: AnyPath, name: str, tensor: Tensor) -> None:
    n_bad = tensor.numel() - int(tensor.isfinite().sum())
    if n_bad:
        raise WeightsError(
            f"{_name(path)}: {n_bad:,} of the {tensor.numel():,} numbers in {name} are NaN, "
            "infinity or too large for fp32: the file is damaged, or training went wrong"
        )


def _first_difference(expected: Mapping[str, object], found: Mapping[str, object]) -> str:
    name = next(n for n in [*expected, *found] if expected.get(n) != found.get(n))
    return (
        f"{shortened(name)} has shape {found.get(name, 'missing')}, but its configuration says "
        f"{expected.get(name, 'no such tensor')}: the file is not what it claims to be"
    )


def _with_tensors(model: GPTModel, tensors: dict[str, Tensor]) -> GPTModel:
    model.load_state_dict(tensors, strict=False, assign=True)
    if model.config.tie_weights:
        model.out_head.weight = model.tok_emb.weight
    return model.eval()
