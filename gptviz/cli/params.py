"""``gptviz params``: what a model costs, from its configuration alone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from gptviz.cli import ask
from gptviz.cli.say import as_json, say, table
from gptviz.config import ABOUT, PLACEHOLDER_PARTS, GPTConfig
from gptviz.counting.compare import Row, compare
from gptviz.counting.costs import (
    DENSE_NOTE,
    NUMBER_TYPES,
    PRECISIONS,
    Precision,
    size,
    training_memory,
)
from gptviz.counting.ledger import Ledger
from gptviz.counting.part_table import part_table
from gptviz.defaults import MODEL
from gptviz.quoting import quoted

TRAINING_ITEMS = {
    "weights": "weights",
    "gradients": "gradients",
    "master": "master weights, in fp32",
    "adam": "AdamW's two means",
    "without_activations": "these together",
    "activations": "activations saved, attention fused",
    "total": "in all",
    "maps": "attention maps besides, if not fused",
}
MOST = 10**9  # far above any model; what is too small, the configuration says itself


def _field(name: str) -> Any:
    return typer.Option(help=ABOUT[name].help, show_default=False, max=MOST)


def params(
    model: ask.Model = MODEL,
    vocab_size: Annotated[int | None, _field("vocab_size")] = None,
    context_length: Annotated[int | None, _field("context_length")] = None,
    emb_dim: Annotated[int | None, _field("emb_dim")] = None,
    n_heads: Annotated[int | None, _field("n_heads")] = None,
    n_layers: Annotated[int | None, _field("n_layers")] = None,
    head_dim: Annotated[int | None, _field("head_dim")] = None,
    ff_dim: Annotated[int | None, _field("ff_dim")] = None,
    qkv_bias: Annotated[
        bool | None, typer.Option(help=ABOUT["qkv_bias"].help, show_default=False)
    ] = None,
    tied: Annotated[
        bool | None,
        typer.Option("--tied/--untied", help=ABOUT["tie_weights"].help, show_default=False),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(help=f"not built: {', '.join(PLACEHOLDER_PARTS)}; may be repeated"),
    ] = None,
    tokens: Annotated[
        int | None,
        typer.Option(help="in a row, for FLOPs", show_default="context_length", min=1),
    ] = None,
    against: Annotated[str | None, typer.Option("--compare", help="a model to set beside")] = None,
    json: ask.Json = False,
) -> None:
    """Count parameters part by part, memory and FLOPs, of a model or any configuration.

    It needs neither weights nor torch, so any size answers at once. What isn't given is the
    model's own.
    """
    changes = {
        "tie_weights": tied,
        "vocab_size": vocab_size,
        "context_length": context_length,
        "emb_dim": emb_dim,
        "n_heads": n_heads,
        "n_layers": n_layers,
        "head_dim": head_dim,
        "ff_dim": ff_dim,
        "qkv_bias": qkv_bias,
        "placeholders": without or None,
    }
    base = ask.preset(model)
    other = None if against is None else ask.preset(against, "--compare")
    with ask.refusing():
        config = base.changed(**{k: value for k, value in changes.items() if value is not None})
    name = model if config == base else "custom"
    n_tokens = tokens or config.context_length
    if n_tokens > config.context_length:
        raise typer.BadParameter(
            f"{quoted(n_tokens)} is more than the model can read: try {config.context_length}",
            param_hint="--tokens",
        )
    found = _answer(name, config, n_tokens)
    rows = None if other is None else compare(config, other, n_tokens)
    if json:
        as_json(found if rows is None else {**found, "compare": {against: _plain(rows)}})
    else:
        _print(found)
        if rows is not None:
            say()
            _print_beside(name, str(against), rows)


def _answer(name: str, config: GPTConfig, n_tokens: int) -> dict[str, Any]:
    ledger = Ledger(config)
    flops = ledger.flops(n_tokens)
    return {
        "model": name,
        "config": config.as_dict(),
        "parameters": ledger.parameters,
        "parameters_untied": ledger.parameters_untied,
        "parameters_tied": ledger.parameters_tied,
        "parameters_non_embedding": ledger.parameters_non_embedding,
        "parts": [
            {
                "path": row.path,
                "name": row.name,
                "depth": row.depth,
                "formula": row.formula,
                "parameters": row.parameters,
                "share": row.parameters / ledger.parameters,
            }
            for row in part_table(config)
        ],
        "weight_bytes": {kind: ledger.weight_bytes(n) for kind, n in NUMBER_TYPES.items()},
        "training_bytes": {
            "n_tokens": n_tokens,
            **{each.name: _to_train(ledger, n_tokens, each) for each in PRECISIONS},
        },
        "flops_per_token": {
            "n_tokens": n_tokens,
            "linear": flops.linear // n_tokens,
            "attention": flops.attention // n_tokens,
        },
        "kv_cache_bytes_per_token": {
            kind: ledger.kv_cache_bytes(1, n) for kind, n in NUMBER_TYPES.items()
        },
    }


def _to_train(ledger: Ledger, n_tokens: int, precision: Precision) -> dict[str, int]:
    memory = training_memory(ledger, n_tokens, precision=precision)
    sums = {"without_activations": memory.without_activations, "total": memory.total}
    return {**asdict(memory), **sums}


def _plain(rows: dict[str, tuple[Row, ...]]) -> dict[str, Any]:
    return {
        heading: [{"name": row.name, "this": row.this, "other": row.other} for row in some]
        for heading, some in rows.items()
    }


def _print(found: dict[str, Any]) -> None:
    config = found["config"]
    head = "tied" if config["tie_weights"] else "untied"
    table(
        f"{found['model']}: {found['parameters']:,} parameters, {head}",
        ("part", "formula", "parameters", "share"),
        [
            (
                "  " * part["depth"] + part["name"],
                part["formula"],
                f"{part['parameters']:,}",
                f"{part['share']:.2%}",
            )
            for part in found["parts"]
        ],
        words=(0, 1),
    )
    say("V = vocab_size, C = context_length, L = n_layers, d = emb_dim", style="dim")
    say(
        f"untied {found['parameters_untied']:,} · tied {found['parameters_tied']:,} "
        "(the output head is the token embedding, used again) · non-embedding "
        f"{found['parameters_non_embedding']:,} (without both embeddings and the head)"
    )
    say()
    flops = found["flops_per_token"]
    each = found["kv_cache_bytes_per_token"]
    table(
        "Memory",
        ("numbers in", "weights", "KV cache a token"),
        [
            (kind, size(n_bytes), f"{each[kind]:,} B")
            for kind, n_bytes in found["weight_bytes"].items()
        ],
    )
    _print_training(found["training_bytes"])
    say(
        f"FLOPs a token, among {flops['n_tokens']:,}: {flops['linear']:,} in Linear layers + "
        f"{flops['attention']:,} in attention over all pairs, masked or not"
    )
    if found["model"] == "gpt3-175b":
        say(DENSE_NOTE)


def _print_training(found: dict[str, Any]) -> None:
    names = [each.name for each in PRECISIONS]
    table(
        f"Memory of a training step, one row of {found['n_tokens']:,} tokens",
        ("", *names),
        [
            (words, *(size(found[name][item]) if found[name][item] else "–" for name in names))
            for item, words in TRAINING_ITEMS.items()
        ],
    )


def _print_beside(name: str, other: str, found: dict[str, tuple[Row, ...]]) -> None:
    for heading, rows in found.items():
        table(
            f"{heading}: ≠ where they differ",
            ("", f"this: {name}", f"other: {other}", "this ÷ other"),
            [
                (
                    ("≠ " if row.differs else "  ") + "  " * row.depth + row.name,
                    _cell(row, row.this),
                    _cell(row, row.other),
                    "" if row.ratio is None else f"{row.ratio:.3g}",
                )
                for row in rows
            ],
        )


def _cell(row: Row, value: Any) -> str:
    if row.in_bytes:
        return size(value)
    return f"{value:,}" if type(value) is int else str(value)  # a bool is no number here
