"""What the picture is to show: a configuration, a sentence, the opened block, and what was read."""

from __future__ import annotations

from dataclasses import dataclass

from gptviz.config import GPTConfig
from gptviz.diagram.parts import Part, part


@dataclass(frozen=True)
class Reading:
    """Measured values, once a sentence has been read.

    Args:
        head_maps: one PNG data address for each head of the opened block, in order.
        hidden_map: the last token's numbers after GELU in the opened block, likewise.
        next_tokens: the likeliest next tokens and their probabilities.
    """

    head_maps: tuple[str, ...] = ()
    hidden_map: str | None = None
    next_tokens: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class View:
    """One state of the picture.

    Args:
        labels, ids: the sentence's tokens; none gives shapes with ``n_tokens`` in them.
        opened: the block that is open, or none.
        reading: measured values, or none while only the structure is known.
    """

    config: GPTConfig
    labels: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    opened: int | None = None
    reading: Reading | None = None

    @property
    def n_tokens(self) -> int | str:
        return len(self.ids) or "n_tokens"

    def part(self, path: str) -> Part:
        return part(self.config, path, self.n_tokens)
