"""torchinfo's table of a configuration, and where its totals differ from the ledger's.

torchinfo looks at the model on the meta device, where tensors have shapes but no memory, so a
model of any size can be looked at. torch is imported when a table is asked for, not before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gptviz.config import GPTConfig
from gptviz.counting.ledger import FP32_BYTES, Ledger
from gptviz.quoting import quoted

MB = 10**6
MIB = 2**20


@dataclass(frozen=True)
class ModuleRow:
    """One module as torchinfo saw it run.

    ``parameters`` and ``mult_adds`` of a module that holds others are the sum over those, as
    torchinfo prints them for the deepest module it shows. ``kernel`` gives the shape of each
    weight in torchinfo's order, which swaps the two axes of a matrix. A shape is empty for a
    module that only holds others; of several inputs it is the first one's.
    """

    path: str
    module: str
    depth: int
    input_shape: str
    output_shape: str
    kernel: str
    parameters: int
    trainable: str
    mult_adds: int


@dataclass(frozen=True)
class ModuleTable:
    """torchinfo's rows, in the order the modules ran, and its own totals.

    ``parameter_bytes`` is what torchinfo divides by 10^6 and calls "Params size (MB)".
    """

    config: GPTConfig
    batch: int
    n_tokens: int
    rows: tuple[ModuleRow, ...]
    parameters: int
    mult_adds: int
    parameter_bytes: int


def module_table(config: GPTConfig, batch: int = 1, n_tokens: int | None = None) -> ModuleTable:
    """Let torchinfo look at the model that ``config`` describes, on the meta device.

    Args:
        n_tokens: length of the rows it runs on; ``context_length`` if not given.

    Raises:
        ValueError: if the model can't read ``n_tokens`` tokens.
    """
    n_tokens = config.context_length if n_tokens is None else n_tokens
    if not 1 <= n_tokens <= config.context_length:
        raise ValueError(
            f"n_tokens={quoted(n_tokens)} must be from 1 to context_length={config.context_length}"
        )
    seen = _summary(config, batch, n_tokens)
    return ModuleTable(
        config=config,
        batch=batch,
        n_tokens=n_tokens,
        rows=tuple(map(_row, seen.summary_list)),
        parameters=seen.total_params,
        mult_adds=seen.total_mult_adds,
        parameter_bytes=seen.total_param_bytes,
    )


def _summary(config: GPTConfig, batch: int, n_tokens: int) -> Any:
    import torch
    import torchinfo

    from gptviz.model import GPTModel

    model = GPTModel(config, device="meta")
    token_ids = torch.zeros(batch, n_tokens, dtype=torch.int64, device="meta")
    return torchinfo.summary(model, input_data=token_ids, verbose=0)


def _row(layer: Any) -> ModuleRow:
    from torchinfo import ColumnSettings

    weights = layer.inner_layers.items() if layer.is_leaf_layer else ()
    leaves = [layer] if layer.is_leaf_layer else [c for c in layer.children if c.is_leaf_layer]
    return ModuleRow(
        path=_path(layer),
        module=layer.class_name,
        depth=layer.depth,
        input_shape=_shape(layer.input_size),
        output_shape=_shape(layer.output_size),
        kernel=", ".join(f"{name} {about[ColumnSettings.KERNEL_SIZE]}" for name, about in weights),
        parameters=layer.num_params,
        trainable=layer.trainable,
        mult_adds=sum(leaf.macs for leaf in leaves),
    )


def _path(layer: Any) -> str:
    names = []
    while layer.depth > 0:
        names.append(layer.var_name)
        layer = layer.parent_info
    return ".".join(reversed(names))


def _shape(size: list[int]) -> str:
    return f"({', '.join(map(str, size))})" if size else ""


def differences(table: ModuleTable) -> list[str]:
    """Plain sentences on where torchinfo's totals differ from the ledger's, and why.

    Only what is so for this configuration and input, with the numbers of both.
    """
    ledger = Ledger(table.config)
    return [
        *_in_parameters(table, ledger),
        *_in_linear(table, ledger),
        *_in_attention(table, ledger),
        _in_embeddings(table),
        _in_bytes(table, ledger),
        *_in_rows(table, ledger),
    ]


def _in_parameters(table: ModuleTable, ledger: Ledger) -> Iterator[str]:
    twice = table.parameters - ledger.parameters
    if twice:
        yield (
            f"Parameters: {table.parameters:,} by torchinfo, {ledger.parameters:,} in the model. "
            f"torchinfo counts the {twice:,} of the token embedding again as the output head, "
            "which is tied to it."
        )


def _in_linear(table: ModuleTable, ledger: Ledger) -> Iterator[str]:
    counted = _mult_adds_of(table, "Linear")
    weights = ledger.flops(1).linear // 2  # two FLOPs are one multiply-add
    truth = weights * table.n_tokens * table.batch
    biases = counted - weights * table.batch
    reasons = []
    if table.n_tokens > 1:
        reasons.append(
            f"takes each weight once a sequence, not once for each of its {table.n_tokens:,} tokens"
        )
    if biases:
        reasons.append(f"counts {biases:,} for biases, which multiply nothing")
    if reasons:
        yield (
            f"Mult-adds of the Linear layers: {counted:,} by torchinfo, {truth:,} by the ledger. "
            f"torchinfo {', and '.join(reasons)}."
        )


def _in_attention(table: ModuleTable, ledger: Ledger) -> Iterator[str]:
    truth = ledger.flops(table.n_tokens, table.batch).attention // 2
    if truth:
        yield (
            "Mult-adds between tokens (query times key, attention weights times value): "
            f"{_mult_adds_of(table, 'AttentionCore'):,} by torchinfo, {truth:,} by the ledger. "
            "torchinfo counts only what has parameters, and this has none."
        )


def _in_embeddings(table: ModuleTable) -> str:
    return (
        f"Mult-adds of the embeddings: {_mult_adds_of(table, 'Embedding'):,} by torchinfo, 0 by "
        "the ledger. Rows of a table are looked up; nothing is multiplied."
    )


def _in_bytes(table: ModuleTable, ledger: Ledger) -> str:
    weights = ledger.weight_bytes(FP32_BYTES) / MIB
    return (
        f"Memory: torchinfo's {table.parameter_bytes / MB:,.2f} MB are "
        f"{table.parameter_bytes / MIB:,.2f} MiB (an MB is 10^6 bytes, a MiB 2^20); the weights "
        f"take {weights:,.2f} MiB in fp32."
    )


def _in_rows(table: ModuleTable, ledger: Ledger) -> Iterator[str]:
    idle = len(ledger.paths()) - len(table.rows)
    if idle:
        yield (
            f"Rows: torchinfo lists modules that ran. {idle:,} more are in the model and had "
            "nothing to do, because of the placeholders."
        )


def _mult_adds_of(table: ModuleTable, module: str) -> int:
    return sum(row.mult_adds for row in table.rows if row.module == module)
