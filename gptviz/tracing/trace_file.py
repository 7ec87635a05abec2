"""A trace as one safetensors file: what the pass kept and what follows from it, under names.

The file is read back without gptviz::

    from safetensors import safe_open
    from safetensors.torch import load_file  # or safetensors.numpy

    tensors = load_file("trace.safetensors")
    tensors["blocks.3.attention.attn_weights"]  # (n_heads, n_tokens, n_tokens), rows sum to 1
    with safe_open("trace.safetensors", framework="pt") as file:
        file.metadata()  # model; config, tokens and silenced heads as JSON; gptviz, its version

A name is the path of the module in the model, then what the trace calls the tensor:
``blocks.3.attention.q`` is ``trace.blocks[3].q``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial

import torch
from torch import Tensor

import gptviz
from gptviz.files import AnyPath
from gptviz.quoting import quoted
from gptviz.tokenizer import Tokenizer
from gptviz.tracing.block_trace import BlockTrace
from gptviz.tracing.changes import silenced
from gptviz.tracing.trace import Trace
from gptviz.weights import write_tensors

Made = Callable[[], Tensor | None]

BEFORE: dict[str, Callable[[Trace], Tensor | None]] = {
    "token_ids": lambda trace: trace.token_ids,
    "tok_emb": lambda trace: trace.tok_emb,
    "pos_emb": lambda trace: trace.pos_emb,
    "embeddings": lambda trace: trace.embeddings,
}
IN_BLOCK: dict[str, Callable[[BlockTrace], Tensor | None]] = {
    "resid_pre": lambda block: block.resid_pre,
    "normed1": lambda block: block.normed1,
    "attention.q": lambda block: block.q,
    "attention.k": lambda block: block.k,
    "attention.v": lambda block: block.v,
    "attention.attn_scores": lambda block: block.attn_scores(),
    "attention.attn_weights": lambda block: block.attn_weights(),
    "attention.context_vec": lambda block: block.context_vec,
    "attention_out": lambda block: block.attention_out,
    "resid_mid": lambda block: block.resid_mid,
    "normed2": lambda block: block.normed2,
    "feed_forward.ff_hidden": lambda block: block.ff_hidden,
    "feed_forward.gelu_out": lambda block: block.gelu_out,
    "feed_forward_out": lambda block: block.feed_forward_out,
    "resid_post": lambda block: block.resid_post,
}
AFTER: dict[str, Callable[[Trace], Tensor | None]] = {
    "final_norm": lambda trace: trace.final_norm,
    "last_logits": lambda trace: trace.last_logits,
}


def write_trace(
    path: AnyPath,
    trace: Trace,
    only: Sequence[str] = ("*",),
    most_bytes: int | None = None,
    **about: str,
) -> dict[str, Tensor]:
    """Write the trace's tensors, whole or not at all, and give what was written.

    Args:
        only, most_bytes: as for ``named_tensors``.
        about: what the file says besides, such as ``model="tales"``.

    Raises:
        ValueError: if a pattern is the name of nothing, or the tensors take more than they may.
        WeightsError: if the file can't be written.
    """
    tensors = named_tensors(trace, only, most_bytes)
    labels = Tokenizer(trace.config.vocab_size).labels(trace.token_ids.tolist())
    metadata = {
        **about,
        "config": json.dumps(trace.config.as_dict()),
        "tokens": json.dumps(labels),
        "silenced": json.dumps(silenced(trace.of.changes)),
        "gptviz": gptviz.__version__,
    }
    write_tensors(path, tensors, metadata)
    return tensors


def named_tensors(
    trace: Trace, only: Sequence[str] = ("*",), most_bytes: int | None = None
) -> dict[str, Tensor]:
    """The trace's tensors by name, in the order they come to be; each has memory of its own.

    What belongs to a placeholder is left out.

    Args:
        only: names, or patterns of names in which ``*`` stands for anything, a dot included.
        most_bytes: how much all of them together may take.

    Raises:
        ValueError: if a pattern is the name of nothing, or the tensors take more than they may.
    """
    found: dict[str, Tensor] = {}
    n_bytes = 0
    for name, made in _chosen(trace, only).items():
        if (tensor := made()) is None:
            continue
        n_bytes += tensor.nbytes
        if most_bytes is not None and n_bytes > most_bytes:
            raise ValueError(
                f"up to {name} the tensors take {n_bytes / 2**30:,.1f} GiB, and "
                f"{most_bytes / 2**30:,.1f} GiB of memory can be used: choose fewer by their names"
            )
        found[name] = tensor.clone(memory_format=torch.contiguous_format)
    return found


def _chosen(trace: Trace, only: Sequence[str]) -> dict[str, Made]:
    everything = dict(_everything(trace))
    for pattern in only:
        if not any(fnmatchcase(name, pattern) for name in everything):
            raise ValueError(
                f"no tensor is called {quoted(pattern)}: names are such as embeddings, "
                "blocks.0.resid_post and blocks.0.attention.q, and * stands for anything"
            )
    return {
        name: made
        for name, made in everything.items()
        if any(fnmatchcase(name, pattern) for pattern in only)
    }


def _everything(trace: Trace) -> Iterator[tuple[str, Made]]:
    for name, find in BEFORE.items():
        yield name, partial(find, trace)
    for block in trace.blocks:
        for name, find_in in IN_BLOCK.items():
            yield f"blocks.{block.layer}.{name}", partial(find_in, block)
    for name, find in AFTER.items():
        yield name, partial(find, trace)
