"""Parameters part by part: a formula in letters for each part, and what the ledger counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gptviz.anatomy import anatomy, find, has
from gptviz.config import GPTConfig
from gptviz.counting.formulas import in_letters, terms
from gptviz.counting.ledger import Ledger, counts
from gptviz.words.names import short_name

BLOCK = "blocks.0"  # stands for any one block: all blocks are alike


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
    whole = config.changed(placeholders=frozenset(), tie_weights=False)
    paths = [path for path in _paths(whole) if counts(whole, path).parameters]
    return tuple(
        PartRow(path, short_name(find(whole, path)), _formula(config, path), _counted(config, path))
        for path in paths
    )


def _paths(config: GPTConfig) -> Iterator[str]:
    """One block with all that is in it, then all blocks; the whole model last."""
    for part in anatomy(config).inside:
        if part.does == "blocks":
            yield from (path for path, _ in find(config, BLOCK).modules(BLOCK))
        if part.is_module:
            yield part.name
    yield ""


def _counted(config: GPTConfig, path: str) -> int:
    return counts(config, path).parameters if has(config, path) else 0  # inside a placeholder


def _formula(config: GPTConfig, path: str) -> str:
    if not has(config, path):
        return "0"
    part = find(config, path)
    if part.does == "blocks":
        block = in_letters(terms(config, part.inside[0]))
        return "0" if block == "0" else f"L·({block})"
    if path:
        return in_letters(terms(config, part))
    inside = (_formula(config, each.name) for each in part.inside if each.is_module)
    return " + ".join(formula for formula in inside if formula != "0")


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
