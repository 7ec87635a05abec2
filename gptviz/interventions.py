"""What to change in a pass, as values that its hooks read: the shared model stays as it is."""

from __future__ import annotations

from dataclasses import dataclass

from gptviz.config import GPTConfig
from gptviz.quoting import quoted

Head = tuple[int, int]  # layer and head


@dataclass(frozen=True)
class Interventions:
    """All that is changed in one pass; at first nothing.

    Args:
        silenced: heads, as (layer, head), that tell nothing: their context vectors are set to 0,
            whatever they look at. Source: Michel et al. 2019, Are Sixteen Heads Really Better than
            One?, section 2.3.
    """

    silenced: frozenset[Head] = frozenset()

    def silenced_in(self, layer: int) -> list[int]:
        """The silenced heads of one layer."""
        return sorted(head for where, head in self.silenced if where == layer)

    def check(self, config: GPTConfig) -> None:
        """Refuse what can't be done to a model of this configuration.

        Raises:
            ValueError: if a head is to be silenced that isn't there.
        """
        if self.silenced and not config.has("attention"):
            raise ValueError("attention is a placeholder in this model: no head can be silenced")
        for layer, head in sorted(self.silenced):
            if not (0 <= layer < config.n_layers and 0 <= head < config.n_heads):
                raise ValueError(
                    f"layer {quoted(layer)}, head {quoted(head)} isn't there, so it can't be "
                    f"silenced: layers count from 0 to {config.n_layers - 1}, heads from 0 to "
                    f"{config.n_heads - 1}"
                )


UNCHANGED = Interventions()
