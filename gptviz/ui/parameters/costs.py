"""What the parameters page says of training and running: memory, work, and the least time."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pandas as pd
import streamlit as st

from gptviz.config import GPTConfig
from gptviz.counting.costs import (
    DENSE_NOTE,
    DEVICES,
    NUMBER_TYPES,
    PRECISIONS,
    Device,
    Memory,
    Work,
    decode,
    maps_saved,
    prefill,
    training_flops,
    training_memory,
)
from gptviz.counting.ledger import FP32_BYTES, Ledger
from gptviz.figures.roofline import roofline
from gptviz.presets import PRESETS
from gptviz.ui.parameters.options import DEVICE, LENGTH, NUMBERS, ROWS
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.shared import size_in_words
from gptviz.ui.shell.theme import theme
from gptviz.ui.widgets.chart import chart
from gptviz.ui.widgets.tables import indented, table


def show(screen: Screen) -> None:
    """What training and running take, for as much as is chosen."""
    st.subheader("To train it and to run it", anchor=False)
    _controls(screen)
    _running(screen.config)
    _training(screen.config)
    _work(screen.config)
    if screen.model == "gpt3-175b":
        st.caption(DENSE_NOTE)


def _controls(screen: Screen) -> None:
    """How much is read at once, in which numbers, on which device."""
    for column, choice in zip(
        st.columns([1, 1, 1, 2]), (ROWS, LENGTH, NUMBERS, DEVICE), strict=True
    ):
        with column:
            choice.draw(screen)


def _running(config: GPTConfig) -> None:
    """What running the model keeps in memory."""
    ledger, n_tokens, rows = Ledger(config), LENGTH.value, ROWS.value
    width = NUMBER_TYPES[NUMBERS.value]
    kinds = "1 byte" if width == 1 else f"{width} bytes"
    a_token = ledger.kv_cache_bytes(1, width)
    cache = size_in_words(rows * ledger.kv_cache_bytes(n_tokens, width))
    keys = f"keys and values: 2 × {config.n_layers} × {config.emb_dim:,} numbers × {kinds}"
    a_key = keys if a_token else "there is no attention to have keys and values"
    table(
        "Memory that running takes",
        ("Memory to run it", "Size", "How"),
        [
            (
                "Weights",
                size_in_words(ledger.weight_bytes(width)),
                f"{ledger.parameters:,} × {kinds}",
            ),
            ("KV cache of one token", f"{a_token:,} bytes", a_key),
            ("KV cache, to write with", cache, f"{rows * n_tokens:,} tokens × {a_token:,} bytes"),
        ],
    )


def _training(config: GPTConfig) -> None:
    """What a training step keeps in memory, in each of the usual precisions."""
    ledger, n_tokens, rows = Ledger(config), LENGTH.value, ROWS.value
    steps = [training_memory(ledger, n_tokens, rows, each) for each in PRECISIONS]
    numbers = _each(each.numbers for each in PRECISIONS)
    heads = config.n_layers * config.n_heads
    maps = f"{rows} × {heads:,} × {maps_saved(config)} maps of {n_tokens:,} × {n_tokens:,}"
    saved = f"{rows * n_tokens:,} tokens × {ledger.saved_numbers():,} numbers × {numbers}"
    per_parameter = _each(each.per_parameter for each in PRECISIONS)
    lines: list[tuple[str, Callable[[Memory], int], str]] = [
        ("Weights", lambda step: step.weights, f"{ledger.parameters:,} × {numbers}"),
        ("Gradients", lambda step: step.gradients, "one for each weight"),
        ("Master weights, in fp32", lambda step: step.master, "the weights again, × 4"),
        (
            "AdamW's two means",
            lambda step: step.adam,
            f"two for each weight, × {_each(each.adam for each in PRECISIONS)}",
        ),
        (
            "**Without activations**",
            lambda step: step.without_activations,
            f"the sum of these: {per_parameter} bytes a parameter",
        ),
        ("Activations saved for the way back", lambda step: step.activations, saved),
        ("**A training step**", lambda step: step.total, "with attention fused"),
        ("Attention maps besides, if not fused", lambda step: step.maps, maps),
    ]
    table(
        "Memory that a training step takes, in three precisions",
        ("Memory to train it", *(each.name for each in PRECISIONS), "Counted as"),
        [(name, *_sizes(name, map(of, steps)), how) for name, of, how in lines],
    )
    st.caption(_about_training(config))


def _each(values: Iterable[int]) -> str:
    """A number for each precision: ``4, 2, 2``."""
    return ", ".join(map(str, values))


def _sizes(name: str, n_bytes: Iterable[int]) -> list[str]:
    """Bytes in words, a sum in bold."""
    mark = "**" if name.startswith("**") else ""
    return [f"{mark}{size_in_words(each)}{mark}" if each else "–" for each in n_bytes]


def _about_training(config: GPTConfig) -> str:
    """What the precisions are, and what dropout adds."""
    said = (
        "Mixed precision computes in 2-byte numbers and keeps an exact copy of the weights in "
        "fp32 for the steps, as small steps would be rounded away (Micikevicius et al. 2018). "
        "Pure bf16 keeps everything in bf16, AdamW's means too. "
    )
    if not config.drop_rate:
        return f"{said}Without dropout, as drop_rate is 0."
    return (
        f"{said}With dropout: its masks are counted among the activations, in numbers of the same "
        "type, as on a CPU; a GPU keeps them in 1 byte each. On a CPU torch does not fuse "
        "attention that has dropout, so the maps come on top; a GPU's fused kernels draw its mask "
        "anew on the way back and keep none."
    )


def _work(config: GPTConfig) -> None:
    """FLOPs and bytes of training, reading and writing, and the least time they take."""
    ledger, n_tokens, rows = Ledger(config), LENGTH.value, ROWS.value
    width = NUMBER_TYPES[NUMBERS.value]
    device = next(each for each in DEVICES if each.name == DEVICE.value)
    _flops(ledger, n_tokens, rows)
    _room(device, ledger.weight_bytes(width) + rows * ledger.kv_cache_bytes(n_tokens, width))
    phases = {
        "Reading (prefill)": prefill(ledger, n_tokens, rows, width),
        "Writing one token (decode)": decode(ledger, n_tokens, rows, width),
    }
    st.caption(
        "Reading and writing below are the least work, so that the time is a lower bound: every "
        "block on every token, but attention only on the n(n + 1)/2 pairs that the mask lets "
        "through, and the output head on the last token alone."
    )
    table(
        "FLOPs and bytes of reading and writing",
        ("With a KV cache", "Least FLOPs", "Bytes moved", "FLOPs a byte", "Least time"),
        [(name, *_row(done, device)) for name, done in phases.items()],
    )
    figure = roofline(device, phases, theme())
    chart(figure, "roofline", f"Roofline of {device.name}: reading and writing below its roof.")
    st.caption(_about(device, list(phases.values())))


def _flops(ledger: Ledger, n_tokens: int, rows: int) -> None:
    """FLOPs of a whole pass and of a training step, attention apart: in all, and for a token."""
    forward, tokens = ledger.flops(n_tokens, rows), rows * n_tokens
    step = training_flops(ledger, n_tokens, rows)
    counts = [
        ("A forward pass", forward.total),
        (indented("in the Linear layers", 1), forward.linear),
        (indented("in attention, over all pairs of tokens", 1), forward.attention),
        ("A training step: three times as many", step),
    ]
    table(
        "FLOPs of a forward pass and of a training step",
        ("Work", f"FLOPs, {tokens:,} tokens", "FLOPs a token"),
        [(name, f"{count:,}", f"{count // tokens:,}") for name, count in counts],
    )
    st.caption(
        "Counted as torch's `FlopCounterMode` counts: two for each multiply-add, the output head "
        "at every position, and attention over all n² pairs, masked or not."
    )


def _room(device: Device, held: int) -> None:
    """Say so where the device can't hold the weights and the KV cache."""
    if held > device.memory:
        st.warning(
            f"Weights and KV cache take {size_in_words(held)}; {device.name} has "
            f"{size_in_words(device.memory)} of memory. The times below are as if it held them all."
        )


def _about(device: Device, phases: list[Work]) -> str:
    """How to read the roofline, with the device's numbers and where they are from."""
    balance = device.flops / device.bandwidth
    read, write = ("computing" if p.intensity > balance else "its memory" for p in phases)
    return (
        f"{device.name}: {device.flops / 1e12:,.4g} TFLOP/s in {device.numbers}, "
        f"{device.bandwidth / 1e9:,.0f} GB/s ({device.source}), {size_in_words(device.memory)} of "
        "memory as nvidia-smi reports it. It is taken to compute in these numbers, however they "
        "are kept. The roof is what it can reach: with fewer than "
        f"{balance:,.0f} FLOPs for each byte moved it waits for its memory. Here reading is bound "
        f"by {read}, writing by {write}. The least time is the longer of computing and moving "
        "(roofline, Williams et al. 2009); real programs take longer, except that a model small "
        "enough to stay in the chip's cache need not wait for its memory."
    )


def sizes() -> None:
    """GPT-2's sizes and GPT-3 beside each other; GPT-2 as published is tied and has the bias."""
    rows = []
    for name, config in PRESETS.items():
        ledger = Ledger(config)
        with_bias = Ledger(config.changed(tie_weights=True, qkv_bias=True))
        rows.append(
            {
                "model": name,
                "n_layers": config.n_layers,
                "n_heads": config.n_heads,
                "emb_dim": config.emb_dim,
                "parameters, untied": ledger.parameters_untied,
                "parameters, tied": ledger.parameters_tied,
                "tied, with qkv bias": with_bias.parameters,
                "non-embedding": ledger.parameters_non_embedding,
                "weights in fp32": size_in_words(ledger.weight_bytes(FP32_BYTES)),
                "FLOPs a token, short text": ledger.flops(1).linear,
                "KV cache a token, fp16": size_in_words(ledger.kv_cache_bytes(1)),
            }
        )
    numbers = st.column_config.NumberColumn(format="localized")
    large = [name for name, value in rows[0].items() if isinstance(value, int)]
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=dict.fromkeys(large, numbers))
    st.caption(f"Non-embedding: without both embeddings and the output head. {DENSE_NOTE}")


def _row(done: Work, device: Device) -> tuple[str, str, str, str]:
    moved, per_byte = size_in_words(done.bytes_moved), f"{done.intensity:,.1f}"
    return f"{done.flops:,}", moved, per_byte, _time(done.seconds_on(device))


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale or unit == "µs":
            return f"{seconds / scale:,.3g} {unit}"
    raise AssertionError
