"""Parameters part by part: a formula in letters for each part, and what the ledger counts.

V = vocab_size, C = context_length, L = n_layers, d = emb_dim.
"""

from __future__ import annotations

from dataclasses import dataclass

from gptviz.config import GPTConfig
from gptviz.ledger import Ledger

BLOCK = "blocks.0"  # stands for any one block: all blocks are alike
NAMES = {
    "tok_emb": "token embedding",
    "pos_emb": "position embedding",
    BLOCK: "one block",
    f"{BLOCK}.norm1": "norm 1",
    f"{BLOCK}.attention": "attention",
    f"{BLOCK}.attention.query": "query",
    f"{BLOCK}.attention.key": "key",
    f"{BLOCK}.attention.value": "value",
    f"{BLOCK}.attention.out_proj": "out_proj",
    f"{BLOCK}.norm2": "norm 2",
    f"{BLOCK}.feed_forward": "feed-forward",
    f"{BLOCK}.feed_forward.linear1": "linear1",
    f"{BLOCK}.feed_forward.linear2": "linear2",
    "blocks": "all blocks",
    "final_norm": "final norm",
    "out_head": "output head",
    "": "the whole model",
}
SUMMED = ("tok_emb", "pos_emb", "blocks", "final_norm", "out_head")  # the model is these


@dataclass(frozen=True)
class PartRow:
    """One part of the model, the same for every configuration; a placeholder has 0 parameters.

    Args:
        path: where the model has it; ``blocks.0`` stands for any one block, ``""`` is the model.
        formula: its parameters in letters, such as ``4d² + d``.
        parameters: as the ledger counts them.
    """

    path: str
    name: str
    formula: str
    parameters: int

    @property
    def depth(self) -> int:
        """How many rows above it this part stands inside of."""
        return max(0, self.path.count(".") - 1)


def part_table(config: GPTConfig) -> tuple[PartRow, ...]:
    """Every part in the model's order, each with the parts inside it; the whole model last.

    A tied output head has none of its own: they are the token embedding's.
    """
    formulas, ledger = _formulas(config), Ledger(config)
    return tuple(
        PartRow(path, name, formulas[path], _counted(ledger, path)) for path, name in NAMES.items()
    )


def _counted(ledger: Ledger, path: str) -> int:
    try:
        return ledger.of(path)
    except KeyError:  # inside a placeholder
        return 0


def four_totals(config: GPTConfig) -> dict[bool, dict[bool, int]]:
    """Parameters by ``tie_weights``, then by ``qkv_bias``; the other fields as they are."""
    both = (False, True)
    return {
        tied: {
            bias: Ledger(config.changed(tie_weights=tied, qkv_bias=bias)).parameters
            for bias in both
        }
        for tied in both
    }


def _formulas(config: GPTConfig) -> dict[str, str]:
    formulas = _block_formulas(config)
    block = formulas[BLOCK]
    formulas |= {
        "tok_emb": "V·d",
        "pos_emb": "C·d",
        "blocks": "0" if block == "0" else f"L·({block})",
        "final_norm": "2d" if config.has("norm") else "0",
        "out_head": "0" if config.tie_weights else "V·d",
    }
    terms = [formulas[path] for path in SUMMED if formulas[path] != "0"]
    return {**formulas, "": " + ".join(terms)}


def _block_formulas(config: GPTConfig) -> dict[str, str]:
    inside = _squares_and_singles(config)
    return {
        path: _in_letters(
            sum(squares for part, (squares, _) in inside.items() if part.startswith(path)),
            sum(singles for part, (_, singles) in inside.items() if part.startswith(path)),
        )
        for path in NAMES
        if path.startswith(BLOCK)
    }


def _squares_and_singles(config: GPTConfig) -> dict[str, tuple[int, int]]:
    """How many times d² and how many times d each part of a block has that holds no other."""
    norm, attention, feed_forward = map(config.has, ("norm", "attention", "feed_forward"))
    query = (attention, attention * config.qkv_bias)
    return {
        f"{BLOCK}.norm1": (0, 2 * norm),
        f"{BLOCK}.attention.query": query,
        f"{BLOCK}.attention.key": query,
        f"{BLOCK}.attention.value": query,
        f"{BLOCK}.attention.out_proj": (attention, attention),
        f"{BLOCK}.norm2": (0, 2 * norm),
        f"{BLOCK}.feed_forward.linear1": (4 * feed_forward, 4 * feed_forward),
        f"{BLOCK}.feed_forward.linear2": (4 * feed_forward, feed_forward),
    }


def _in_letters(squares: int, singles: int) -> str:
    terms = ((squares, "d²"), (singles, "d"))
    return " + ".join(f"{n if n > 1 else ''}{letter}" for n, letter in terms if n) or "0"
