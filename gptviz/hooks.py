"""Forward hooks that hand what passes through a model's named modules to a recorder.

A model is shared by everyone who looks at it, so its hooks are installed once and look into a
context variable: where no pass is being recorded in this thread and context, they do nothing. The
model's own code knows nothing of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

from torch import Tensor, nn

from gptviz.config import GPTConfig
from gptviz.model import GPTModel

BeforeBlock = Callable[[int], object]

WHOLE = -1  # in place of a layer's number, for what belongs to no block


@dataclass(eq=False)
class Recorder:
    """What one pass has made so far, with its batch axis, by layer (or ``WHOLE``) and name."""

    before_block: BeforeBlock | None = None
    kept: dict[tuple[int, str], Tensor] = field(default_factory=dict)


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


def install_hooks(model: GPTModel) -> None:
    """Make a model ready to be traced; once is enough, and doing it again changes nothing."""
    with _installing:
        # Asking the model itself, not a list kept elsewhere, is right for copies of it too.
        if _cut_to_last in model.out_head._forward_pre_hooks.values():
            return
        _keep_output(model.tok_emb, WHOLE, "tok_emb")
        _keep_output(model.pos_emb, WHOLE, "pos_emb")
        _keep_output(model.drop_emb, WHOLE, "embeddings")
        for layer, block in enumerate(model.blocks):
            _hook_block(block, layer, model.config)
        model.out_head.register_forward_hook(_give_back_length)
        model.out_head.register_forward_pre_hook(_cut_to_last)


def _hook_block(block: nn.Module, layer: int, config: GPTConfig) -> None:
    block.register_forward_pre_hook(partial(_on_block, layer))
    _keep_input(block, layer, "resid_pre")
    _keep_output(block, layer, "resid_post")
    if config.has("attention"):
        _keep_output(block.get_submodule("attention"), layer, "attention_out")
    if config.has("feed_forward"):
        _keep_output(block.get_submodule("feed_forward"), layer, "feed_forward_out")


def _keep_input(module: nn.Module, layer: int, name: str) -> None:
    module.register_forward_pre_hook(partial(_on_input, layer, name))


def _keep_output(module: nn.Module, layer: int, name: str) -> None:
    module.register_forward_hook(partial(_on_output, layer, name))


def _on_block(layer: int, _module: nn.Module, _inputs: tuple[Tensor, ...]) -> None:
    recorder = _recorder.get()
    if recorder is not None and recorder.before_block is not None:
        with recording(None):  # what the caller does meanwhile is no part of this pass
            recorder.before_block(layer)


def _on_input(layer: int, name: str, _module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    recorder = _recorder.get()
    if recorder is not None:
        recorder.kept[layer, name] = inputs[0]


def _on_output(
    layer: int, name: str, _module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor
) -> None:
    recorder = _recorder.get()
    if recorder is not None:
        recorder.kept[layer, name] = output


def _cut_to_last(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
    """Let the output head read the last position only: all others are paid for when asked for."""
    recorder = _recorder.get()
    if recorder is None:
        return None
    recorder.kept[WHOLE, "stream"] = inputs[0]
    return (inputs[0][:, -1:],)


def _give_back_length(
    _module: nn.Module, _inputs: tuple[Tensor, ...], logits: Tensor
) -> Tensor | None:
    """Repeat the one row, without memory, so that the model's promise of a shape holds.

    Nobody reads the repeated rows: ``trace`` drops what the model returns.
    """
    recorder = _recorder.get()
    if recorder is None:
        return None
    recorder.kept[WHOLE, "last_logits"] = logits[:, 0]
    return logits.expand(-1, recorder.kept[WHOLE, "stream"].shape[1], -1)
