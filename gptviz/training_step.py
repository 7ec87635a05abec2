"""What one step of training computes: its rows, its loss, its random numbers, on which device.

Some of the rows of each batch are *copy rows*, where spans of tokens are repeated, or *echo rows*,
random ids in threes ``x y x``; the loss is taken only where they can be foretold. They teach heads
to look back, which plain text alone does too slowly at this size (Olsson et al. 2022 on induction
heads).
"""

from __future__ import annotations

import math
import reprlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt16
from torch import Tensor, nn

from gptviz.config import GPTConfig
from gptviz.corpus import Corpus, copy_row, echo_row, text_row
from gptviz.model import GPTModel
from gptviz.recipe import Recipe

IGNORED = -100  # a target that is not asked for: cross_entropy's own mark

Batch = tuple[Int64[Tensor, "rows n_tokens"], Int64[Tensor, "rows n_tokens"]]


def batch(corpus: Corpus, config: GPTConfig, recipe: Recipe, step: int) -> Batch:
    """Inputs and targets of one step, text, copies and echoes; a step always gives the same."""
    length, vocab_size = config.context_length, config.vocab_size
    n_text = recipe.rows - recipe.copy_rows - recipe.echo_rows
    rng = np.random.default_rng([recipe.seed, step, 2])
    rows = [text_row(corpus.train, length, recipe.seed, step * n_text + i) for i in range(n_text)]
    told = [np.ones(length + 1, dtype=bool)] * n_text
    made = [copy_row(corpus.train, length, vocab_size, rng) for _ in range(recipe.copy_rows)]
    made += [echo_row(length, vocab_size, rng) for _ in range(recipe.echo_rows)]
    rows += [row for row, _ in made]
    told += [mask for _, mask in made]
    ids = torch.from_numpy(np.stack(rows).astype(np.int64))
    asked = torch.from_numpy(np.stack(told))
    return ids[:, :-1].contiguous(), ids.masked_fill(~asked, IGNORED)[:, 1:].contiguous()


def loss_of(
    model: nn.Module,
    inputs: Int64[Tensor, "rows n_tokens"],
    targets: Int64[Tensor, "rows n_tokens"],
    bf16: bool,
) -> Float[Tensor, ""]:
    """Mean surprise at the targets, in nats per token (cross-entropy)."""
    device = inputs.device.type
    with torch.autocast(device, torch.bfloat16) if bf16 else nullcontext():
        logits = model(inputs)
    return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=IGNORED)


@torch.inference_mode()
def held_out_loss(
    model: GPTModel, ids: UInt16[np.ndarray, " n"], most_rows: int | None = None, bf16: bool = False
) -> float:
    """Mean loss in nats per token over plain text, cut into rows of ``context_length``."""
    length = model.config.context_length
    n_rows = (len(ids) - 1) // length
    chosen = np.linspace(0, n_rows - 1, min(n_rows, most_rows or n_rows)).astype(int)
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    losses = []
    for group in np.array_split(chosen, math.ceil(len(chosen) / 16)):
        rows = np.stack([ids[i * length : (i + 1) * length + 1] for i in group]).astype(np.int64)
        all_ids = torch.from_numpy(rows).to(device)
        loss = loss_of(model, all_ids[:, :-1], all_ids[:, 1:].contiguous(), bf16)
        losses.append(loss.item() * len(group))
    model.train(was_training)
    return sum(losses) / len(chosen)


LossOf = Callable[[GPTModel, Tensor, Tensor, bool], Tensor]


def bf16_is_faster(model: GPTModel, recipe: Recipe) -> bool:
    """Whether one training step takes less time with bf16 autocast; tried twice each."""
    seconds = {}
    for bf16 in (False, True):
        for _ in range(2):  # the first one warms up
            start = time.perf_counter()
            _try(loss_of, model, recipe, bf16)
            seconds[bf16] = time.perf_counter() - start
    return seconds[True] < seconds[False]


def compiled(model: GPTModel, recipe: Recipe, bf16: bool) -> LossOf:
    """``loss_of`` with its steps fused, tried once.

    Raises:
        ValueError: if it can't be compiled here.
    """
    fused: LossOf = torch.compile(loss_of)
    try:
        _try(fused, model, recipe, bf16)
    except RuntimeError as error:
        why = str(error).partition("\n")[0]
        raise ValueError(
            f"torch.compile doesn't work here ({why}): install a C++ compiler, or train without it"
        ) from error
    return fused


def _try(loss: LossOf, model: GPTModel, recipe: Recipe, bf16: bool) -> None:
    """One step's loss and gradients, on no text; nothing is learned."""
    device = next(model.parameters()).device
    size = (recipe.rows, model.config.context_length)
    ids = torch.zeros(size, dtype=torch.int64, device=device)
    with own_random_numbers(device, seed=0):
        loss(model, ids, ids, bf16).backward()
    if device.type == "cuda":
        torch.cuda.synchronize()
    model.zero_grad()


@contextmanager
def own_random_numbers(device: torch.device, seed: int) -> Iterator[None]:
    """Seed torch for what dropout draws, and leave everybody else's random numbers alone."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def dropout_seed(recipe: Recipe, step: int) -> int:
    """Where the random numbers of a step begin: a step always drops the same."""
    return int(np.random.default_rng([recipe.seed, step, 3]).integers(2**63))


def checked_device(name: str) -> torch.device:
    """The device of this name.

    Raises:
        ValueError: if this machine has no such device.
    """
    n_gpus = torch.cuda.device_count()
    devices = ["cpu", *["cuda"][:n_gpus], *(f"cuda:{i}" for i in range(n_gpus))]
    if name not in devices:
        raise ValueError(
            f"there is no device {reprlib.repr(name)} here: use {' or '.join(devices)}"
        )
    return torch.device(name)
