"""Parameters counted anew, without the ledger: in the model, its state dict and its file.

The model is made on the meta device, where tensors have shapes but no memory, so a model of any
size can be counted. torch is imported when something is counted, not before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from gptviz.config import GPTConfig
from gptviz.counting.part_table import PartRow, part_table

if TYPE_CHECKING:
    from gptviz.model import GPTModel

MODEL, STATE_DICT, FILE = "the model", "state dict", "weights file"
EQUAL = "equal"


@dataclass(frozen=True)
class Check:
    """One part, as the ledger counts it and as others do, each under its name."""

    row: PartRow
    counted: Mapping[str, int]

    @property
    def verdict(self) -> str:
        """``EQUAL``, or who counts how many more or fewer than the ledger."""
        off = {name: count - self.row.parameters for name, count in self.counted.items()}
        return ", ".join(f"{name} {n:+,}" for name, n in off.items() if n) or EQUAL


def reconcile(
    config: GPTConfig, stored: Mapping[str, tuple[int, ...]] | None = None
) -> tuple[Check, ...]:
    """Count the parameters of every part in all the ways there are.

    Every tensor counts once in each, where it stands first: a tied output head is the token
    embedding.

    Args:
        stored: the shapes of all tensors in a weights file, by name, to be counted too.
    """
    from gptviz.model import GPTModel

    model = GPTModel(config, device="meta")
    sizes = {MODEL: by_module(model), STATE_DICT: by_entry(model)}
    if stored is not None:
        sizes[FILE] = {name: prod(shape) for name, shape in stored.items()}
    return checks(part_table(config), sizes)


def checks(rows: tuple[PartRow, ...], sizes: Mapping[str, Mapping[str, int]]) -> tuple[Check, ...]:
    """Each row beside the sum over what each other way found at its path and under it."""
    return tuple(
        Check(row, {name: _under(found, row.path) for name, found in sizes.items()}) for row in rows
    )


def by_module(model: GPTModel) -> dict[str, int]:
    """Numbers in each module's own parameters; a shared one counts in the first module only."""
    seen: set[int] = set()
    found = {}
    for path, module in model.named_modules():
        own = [tensor for tensor in module.parameters(recurse=False) if id(tensor) not in seen]
        seen |= set(map(id, own))
        found[path] = sum(tensor.numel() for tensor in own)
    return found


def by_entry(model: GPTModel) -> dict[str, int]:
    """Numbers in each entry of the state dict, by its shape; a tensor listed again counts 0."""
    seen: set[int] = set()
    found = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        found[name] = 0 if id(tensor) in seen else prod(tensor.shape)
        seen.add(id(tensor))
    return found


def _under(found: Mapping[str, int], path: str) -> int:
    inside = f"{path}." if path else ""
    return sum(n for name, n in found.items() if name == path or name.startswith(inside))
