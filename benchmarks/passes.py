"""The forward passes that are compared: the trace, plain ones, and Hugging Face's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from transformers import GPT2LMHeadModel

from gptviz.model import GPTModel
from gptviz.presets import PRESETS
from gptviz.tracing.trace import trace

CONFIG = PRESETS["gpt2-small"].changed(qkv_bias=True, tie_weights=True)  # the real GPT-2's

TRACE = "trace"
PLAIN_LAST = "plain forward, last logits"
PLAIN_ALL = "plain forward, all logits"
THEIRS = "Hugging Face"
THEIRS_LAST = "Hugging Face, last logits"
OURS = (TRACE, PLAIN_LAST, PLAIN_ALL)
NAMES = (*OURS, THEIRS, THEIRS_LAST)

Pass = Callable[[Tensor], object]


def sentence(n_tokens: int) -> Tensor:
    """Random token ids with a batch axis of one: what they are makes no difference here."""
    generator = torch.Generator().manual_seed(n_tokens)
    return torch.randint(CONFIG.vocab_size, (1, n_tokens), generator=generator)


def our_passes(model: GPTModel) -> dict[str, Pass]:
    """The trace, and plain passes through models without any hook that share its weights."""
    last = _sharing_weights(model)
    last.out_head.register_forward_pre_hook(_last_position)
    return {
        TRACE: lambda ids: trace(model, ids[0]),
        PLAIN_LAST: last,
        PLAIN_ALL: _sharing_weights(model),
    }


def their_passes(model: GPT2LMHeadModel) -> dict[str, Pass]:
    """Their pass with every hidden state and attention map, and without a cache for later."""
    call = partial(model, output_hidden_states=True, output_attentions=True, use_cache=False)
    return {THEIRS: call, THEIRS_LAST: partial(call, logits_to_keep=1)}


def _sharing_weights(model: GPTModel) -> GPTModel:
    twin = GPTModel(model.config, device="meta").eval()
    twin.load_state_dict(model.state_dict(), assign=True)
    return twin


def _last_position(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
    return (inputs[0][:, -1:],)
