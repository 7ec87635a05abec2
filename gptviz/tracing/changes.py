"""What to change in a pass, as values: the shared model and its weights stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import index
from typing import TYPE_CHECKING

from gptviz.anatomy import find
from gptviz.config import GPTConfig
from gptviz.quoting import quoted, shortened

if TYPE_CHECKING:
    from torch import Tensor

Head = tuple[int, int]  # layer and head


@dataclass(frozen=True)
class Change:
    """One thing that is done to what comes out of one part.

    Args:
        at: the part's path, such as ``blocks.3.attention.core``.
        do: one of ``WAYS``.
        heads: which attention heads it is done to; all that comes out if None.
    """

    at: str
    do: str
    heads: tuple[int, ...] | None = None

    def made(self, x: Tensor) -> Tensor:
        """What goes on in place of ``x``, which is left as it is."""
        changed = WAYS[self.do](x)
        if self.heads is None:
            return changed
        mixed = x.clone()
        for head in self.heads:  # the axis of heads is the third from the end
            mixed[..., head, :, :] = changed[..., head, :, :]
        return mixed

    def check(self, config: GPTConfig) -> None:
        """Refuse what can't be done to a model of this configuration.

        Raises:
            ValueError: if the part isn't there, is a placeholder or can't be changed, or if it has
                no such heads.
        """
        if self.do not in WAYS:
            raise ValueError(
                f"{quoted(self.do)} can't be done to a part: choose one of {', '.join(WAYS)}"
            )
        _check_place(config, self.at)
        if self.heads is not None:
            _check_heads(config, self)


Changes = tuple[Change, ...]
UNCHANGED: Changes = ()

WAYS: dict[str, Callable[[Tensor], Tensor]] = {
    # It tells nothing, whatever it looks at. Source: Michel et al. 2019, Are Sixteen Heads Really
    # Better than One?, section 2.3.
    "zero": lambda x: x.new_zeros(x.shape),
}


def silence(heads: Iterable[Head]) -> Changes:
    """Set what these heads gather to 0."""
    plain = {(index(layer), index(head)) for layer, head in heads}  # whatever integers they were
    by_layer = groupby(sorted(plain), key=lambda head: head[0])
    return tuple(
        Change(f"blocks.{quoted(layer)}.attention.core", "zero", tuple(head for _, head in found))
        for layer, found in by_layer
    )


def silenced(changes: Changes) -> list[Head]:
    """The heads that ``silence`` has silenced, in order."""
    return sorted(
        (int(change.at.split(".")[1]), head)
        for change in changes
        if change.do == "zero" and change.at.endswith(".attention.core")
        for head in change.heads or ()
    )


def _check_place(config: GPTConfig, path: str) -> None:
    holder, _, _ = path.rpartition(".")
    layers = f"layers count from 0 to {config.n_layers - 1}"
    try:
        part, around = find(config, path), find(config, holder)
    except KeyError:
        top = ".".join(path.split(".")[:3])
        if path != top and _is_placeholder(config, top):
            raise ValueError(
                f"{top} is a placeholder in this model: there is nothing in it"
            ) from None
        raise ValueError(
            f"{shortened(path)} isn't there, so it can't be changed: {layers}"
        ) from None
    if not part.built:
        raise ValueError(f"{path} is a placeholder in this model: there is nothing to change")
    if path in ("", "blocks") or not (part.is_module or around.does == "attention_core"):
        raise ValueError(f"{path or 'the whole model'} can't be changed: change a part of it")


def _is_placeholder(config: GPTConfig, path: str) -> bool:
    try:
        return not find(config, path).built
    except KeyError:
        return False


def _check_heads(config: GPTConfig, change: Change) -> None:
    if find(config, change.at).makes[0] != "n_heads":
        raise ValueError(f"{change.at} has no heads: leave them out, or change attention's core")
    for head in change.heads or ():
        if not 0 <= head < config.n_heads:
            raise ValueError(
                f"{change.at} has no head {quoted(head)}, so it can't be changed: heads count from "
                f"0 to {config.n_heads - 1}"
            )
