"""What is chosen on the bird's-eye page: what is open, what is explained, what colours tell."""

from __future__ import annotations

from gptviz.anatomy import has
from gptviz.config import GPTConfig
from gptviz.diagram.parts import levels
from gptviz.ui.shell.options import EITHER, Choice, Such, toggle

CLOSED = "all closed"
KIND, ADDED, ENTROPY = COLOURS = ("kind", "added", "entropy")  # what a part's colour tells


def _blocks(config: GPTConfig, _n_tokens: int) -> list[str]:
    return [CLOSED, *map(str, range(config.n_layers))]


def _levels(config: GPTConfig, _n_tokens: int) -> tuple[str, ...]:
    """What can be open inside the open block, or without one; nothing at first."""
    return ("", *levels(config, "blocks.0"), *levels(config))


def _paths(config: GPTConfig, _n_tokens: int) -> Such:
    """The paths of all parts; ``""`` is the whole model, and stands for no choice of one's own."""
    return Such(lambda path: has(config, path))


PART = Choice("part", "", _paths)
BLOCK = Choice(
    "block",
    CLOSED,
    _blocks,
    "Open block",
    "Blocks count from 0. A click on a block in the picture opens it, too.",
)
INSIDE = Choice("inside", "", _levels)
SYMBOLIC = Choice(
    "symbolic",
    False,
    EITHER,
    "Shapes in names",
    "Shapes on the arrows in the names of the configuration, or in today's numbers.",
    widget=toggle,
)
COLOUR = Choice(
    "colours",
    KIND,
    COLOURS,
    "A part's colour tells",
    "A part's colour tells its kind, or how much of a quantity it has in this sentence: the "
    "stronger the colour, the more. The numbers stand on the parts, too.",
    words={
        KIND: "what kind it is",
        ADDED: "how much it adds to the stream",
        ENTROPY: "how widely its heads look",
    }.__getitem__,
)

# Views of other pages that show what was clicked, as they stand in the link.
STATION_VIEW = {"activations_view": "station"}
STEPS_VIEW = {"attention_view": "steps"}

CHOICES = (PART, BLOCK, INSIDE, SYMBOLIC, COLOUR)
