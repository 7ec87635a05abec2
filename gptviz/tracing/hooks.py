"""One hook a part: it hands what comes out to whoever records the pass, and lets them change it.

A model is shared by everyone who looks at it, so its hooks are installed once and look into a
context variable: where no pass is being recorded in this thread and context, they do nothing. The
model's own code knows nothing of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from threading import Lock
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from gptviz.config import Dropout
from gptviz.model import AttentionCore, GPTModel, TransformerBlock, attend
from gptviz.tracing.changes import UNCHANGED, Changes

BeforeBlock = Callable[[int], object]
Made = Callable[[str, Tensor], None]


@dataclass(eq=False)
class Recorder:
    """What is done at each part of one pass.

    Args:
        dropout: what is dropped. Each mask is drawn from a generator of its own, so none has to
            be kept: who wants to see it draws it again.
        changes: what is changed.
        before_block: called with the layer's number before each block; what it raises stops the
            pass and reaches the caller.
        made: called with each part's path and what comes out of it, dropout and changes included,
            with its batch axis.
    """

    dropout: Dropout | None = None
    changes: Changes = UNCHANGED
    before_block: BeforeBlock | None = None
    made: Made | None = None
    n_tokens: int = 0

    def after(
        self, path: str, module: nn.Module, inputs: tuple[Any, ...], output: Tensor
    ) -> Tensor:
        """What goes on from a part in place of its output."""
        if self.dropout is not None and isinstance(module, nn.Dropout):
            output = dropped(output, self.dropout, path)
        if isinstance(module, AttentionCore) and self.reaches_into(path):
            # torch's fused kernel can't be changed half-way, so the textbook's way is gone.
            query, key, value = inputs
            output = attend(query, key, value, partial(self.after_step, path))
        output = self.changed(path, output)
        if self.made is not None:
            self.made(path, output)
        return output

    def reaches_into(self, core: str) -> bool:
        """Whether anything is dropped or changed between the steps of an attention core."""
        return self.dropout is not None or any(c.at.startswith(f"{core}.") for c in self.changes)

    def after_step(self, core: str, step: str, numbers: Tensor) -> Tensor:
        """The same for a step inside an attention core."""
        path = f"{core}.{step}"
        if self.dropout is not None and step == "dropout":
            numbers = dropped(numbers, self.dropout, path)
        return self.changed(path, numbers)

    def changed(self, path: str, output: Tensor) -> Tensor:
        """What the changes make of what comes out of a part."""
        for change in self.changes:
            if change.at == path:
                output = change.made(output)
        return output


_recorder: ContextVar[Recorder | None] = ContextVar("gptviz_recorder", default=None)
_installing = Lock()


@contextmanager
def recording(recorder: Recorder | None) -> Iterator[None]:
    """Hand everything that hooked models do in this block and thread to ``recorder``."""
    before = _recorder.set(recorder)
    try:
        yield
    finally:
        _recorder.reset(before)


def mask(dropout: Dropout, path: str, shape: tuple[int, ...]) -> Bool[Tensor, "*shape"]:
    """Which numbers stay, at the dropout with this path.

    The same three give the same mask, whatever was drawn before, and nobody's random numbers are
    disturbed.
    """
    place = sha256(f"{dropout.seed} {path}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(place[:4]))
    stays = torch.empty(shape, dtype=torch.bool)
    return stays.bernoulli_(1 - dropout.rate, generator=generator)


def dropped(x: Float[Tensor, "*batch"], dropout: Dropout, path: str) -> Float[Tensor, "*batch"]:
    """What ``mask`` leaves of ``x``, enlarged by 1 / (1 - rate) to keep the mean.

    Source: Srivastava et al. 2014, in the inverted form that torch uses.
    """
    stays = mask(dropout, path, tuple(x.shape)).to(x.device)
    return (x * stays).div_(1 - dropout.rate)


def install_hooks(model: GPTModel) -> None:
    """Make a model ready to be traced; once is enough, and doing it again changes nothing."""
    with _installing:
        # Asking the model itself, not a list kept elsewhere, is right for copies of it too.
        if _cut_to_last in model.out_head._forward_pre_hooks.values():
            return
        for path, module in model.named_modules():
            if module is model or module is model.blocks:
                continue
            if isinstance(module, TransformerBlock):
                layer = int(path.rpartition(".")[2])
                module.register_forward_pre_hook(partial(_before_block, layer))
            module.register_forward_hook(partial(_after, path))
        model.out_head.register_forward_pre_hook(_cut_to_last)
        model.out_head.register_forward_hook(_give_back_length)


def _before_block(layer: int, _module: nn.Module, _inputs: tuple[Any, ...]) -> None:
    recorder = _recorder.get()
    if recorder is not None and recorder.before_block is not None:
        with recording(None):  # what the caller does meanwhile is no part of this pass
            recorder.before_block(layer)


def _after(path: str, module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor | None:
    recorder = _recorder.get()
    return None if recorder is None else recorder.after(path, module, inputs, output)


def _cut_to_last(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
    """Let the output head read the last position only: all others are paid for when asked for."""
    recorder = _recorder.get()
    if recorder is None:
        return None
    recorder.n_tokens = inputs[0].shape[1]
    return (inputs[0][:, -1:],)


def _give_back_length(
    _module: nn.Module, _inputs: tuple[Tensor, ...], logits: Tensor
) -> Tensor | None:
    """Repeat the one row, without memory, so that the model's promise of a shape holds.

    Nobody reads the repeated rows.
    """
    recorder = _recorder.get()
    return None if recorder is None else logits.expand(-1, recorder.n_tokens, -1)
