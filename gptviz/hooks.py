"""Forward hooks that hand what passes through a model's named modules to a recorder.

A model is shared by everyone who looks at it, so its hooks are installed once and look into a
context variable: where no pass is being recorded in this thread and context, they do nothing. The
model's own code knows nothing of them.

They also drop, in a pass that asks for it (train mode): each mask is drawn from a generator of its
own, so no mask has to be kept. Who wants to see it draws it again. And they change what the pass's
interventions say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from threading import Lock

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from gptviz.config import Dropout, GPTConfig
from gptviz.interventions import UNCHANGED, Interventions
from gptviz.model import GPTModel, attn_weights

BeforeBlock = Callable[[int], object]

WHOLE = -1  # in place of a layer's number, for what belongs to no block


@dataclass(eq=False)
class Recorder:
    """What one pass has made so far, with its batch axis, by layer (or ``WHOLE``) and name."""

    before_block: BeforeBlock | None = None
    dropout: Dropout | None = None
    interventions: Interventions = UNCHANGED
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


def mask(dropout: Dropout, layer: int, name: str, shape: tuple[int, ...]) -> Bool[Tensor, "*shape"]:
    """Which numbers stay, at the dropout called ``name`` of a layer (or of ``WHOLE``).

    The same four give the same mask, whatever was drawn before, and nobody's random numbers are
    disturbed.
    """
    place = sha256(f"{dropout.seed} {layer} {name}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(place[:4]))
    stays = torch.empty(shape, dtype=torch.bool)
    return stays.bernoulli_(1 - dropout.rate, generator=generator)


def dropped(
    x: Float[Tensor, "*batch"], dropout: Dropout, layer: int, name: str
) -> Float[Tensor, "*batch"]:
    """What ``mask`` leaves of ``x``, enlarged by 1 / (1 - rate) to keep the mean.

    Source: Srivastava et al. 2014, in the inverted form that torch uses.
    """
    stays = mask(dropout, layer, name, tuple(x.shape)).to(x.device)
    return (x * stays).div_(1 - dropout.rate)


def silenced(
    context_vec: Float[Tensor, "*batch n_heads n_tokens head_dim"], heads: Sequence[int]
) -> Float[Tensor, "*batch n_heads n_tokens head_dim"]:
    """What the heads gathered, with 0 in place of all that these ones did."""
    if not heads:
        return context_vec
    return context_vec.index_fill(-3, torch.tensor(heads, device=context_vec.device), 0)


def install_hooks(model: GPTModel) -> None:
    """Make a model ready to be traced; once is enough, and doing it again changes nothing."""
    with _installing:
        # Asking the model itself, not a list kept elsewhere, is right for copies of it too.
        if _cut_to_last in model.out_head._forward_pre_hooks.values():
            return
        _keep_output(model.tok_emb, WHOLE, "tok_emb")
        _keep_output(model.pos_emb, WHOLE, "pos_emb")
        _drop(model.drop_emb, WHOLE, "drop_emb")
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
        core = block.get_submodule("attention.core")
        core.register_forward_hook(partial(_drop_weights, layer))
        core.register_forward_hook(partial(_silence_heads, layer))
        _drop(block.get_submodule("drop1"), layer, "drop1")
        _keep_output(block.get_submodule("drop1"), layer, "attention_out")
    if config.has("feed_forward"):
        _drop(block.get_submodule("drop2"), layer, "drop2")
        _keep_output(block.get_submodule("drop2"), layer, "feed_forward_out")


def _keep_input(module: nn.Module, layer: int, name: str) -> None:
    module.register_forward_pre_hook(partial(_on_input, layer, name))


def _keep_output(module: nn.Module, layer: int, name: str) -> None:
    module.register_forward_hook(partial(_on_output, layer, name))


def _drop(module: nn.Module, layer: int, name: str) -> None:
    """Let a module that does nothing in eval mode drop, in a pass that asks for it."""
    module.register_forward_hook(partial(_drop_output, layer, name))


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


def _drop_output(
    layer: int, name: str, _module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor
) -> Tensor | None:
    recorder = _recorder.get()
    if recorder is None or recorder.dropout is None:
        return None
    return dropped(output, recorder.dropout, layer, name)


def _drop_weights(
    layer: int, _module: nn.Module, inputs: tuple[Tensor, ...], _output: Tensor
) -> Tensor | None:
    """Gather again, the textbook's way: torch's fused kernel doesn't say what it dropped."""
    recorder = _recorder.get()
    if recorder is None or recorder.dropout is None:
        return None
    query, key, value = inputs
    return dropped(attn_weights(query, key), recorder.dropout, layer, "core") @ value


def _silence_heads(
    layer: int, _module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor
) -> Tensor | None:
    recorder = _recorder.get()
    if recorder is None:
        return None
    return silenced(output, recorder.interventions.silenced_in(layer))


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
