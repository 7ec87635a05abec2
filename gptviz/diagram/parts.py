"""The parts of a model as the picture shows them: with their numbers, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from gptviz.anatomy import Part, Shape, Size, find, has
from gptviz.anatomy.part import N_TOKENS
from gptviz.config import GPTConfig
from gptviz.words.entry import Entry
from gptviz.words.glossary import entry

LEVELS = ("block", "layer_norm", "attention", "feed_forward", "embeddings", "output_head")
EMBEDDINGS = ("tok_emb", "pos_emb", "drop_emb")  # to be seen where the embeddings are open


@dataclass(frozen=True)
class Piece:
    """One part of the picture.

    Args:
        path: the module's path in the model, or the name of a part without a module.
        part: what it is.
        inputs, output: shapes of what goes in and what comes out, one sentence at a time.
        entry: what the glossary says of it in this configuration.
    """

    path: str
    part: Part
    inputs: tuple[Shape, ...]
    output: Shape
    entry: Entry

    @property
    def kind(self) -> str:
        """Which colour it has (``figures.theme``)."""
        return self.part.kind

    @property
    def placeholder(self) -> bool:
        """Whether the configuration leaves it out."""
        return not self.part.built


@lru_cache(maxsize=1024)  # a picture asks for each part several times, and is drawn twice
def piece(config: GPTConfig, path: str, n_tokens: Size = N_TOKENS, symbolic: bool = False) -> Piece:
    """The part at ``path``; without a sentence its shapes have the word ``n_tokens`` in them.

    Args:
        symbolic: give shapes in the names of ``GPTConfig`` instead of its numbers.

    Raises:
        KeyError: if this configuration has no such part.
    """

    def size(name: Size) -> Size:
        if symbolic or isinstance(name, int):
            return name
        return n_tokens if name == N_TOKENS else int(getattr(config, name))

    def shape(sizes: Shape) -> Shape:
        return tuple(map(size, sizes))

    part = find(config, path)
    doors = tuple(map(shape, part.reads)), shape(part.makes)
    return Piece(path, part, *doors, entry(config, path))


def can_open(config: GPTConfig, path: str) -> bool:
    """Whether there is something to see inside a part; ``""``, the whole model, can be, too."""
    return path == "" or (is_level(config, path) and find(config, path).built)


def is_level(config: GPTConfig, path: str) -> bool:
    """Whether a part like this one can be opened, unless it is a placeholder."""
    return has(config, path) and find(config, path).does in LEVELS


def level_of(config: GPTConfig, path: str) -> str:
    """The part to open so that the part at ``path`` can be seen; ``""`` is the whole model."""
    if path in EMBEDDINGS:
        return "embeddings"
    while path and not is_level(config, path):
        path = path.rpartition(".")[0]
    return path


def levels(config: GPTConfig, path: str = "") -> tuple[str, ...]:
    """The names of the parts right inside another one that can be opened, placeholders too."""
    return tuple(part.name for part in find(config, path).inside if part.does in LEVELS)


def sublayers(config: GPTConfig, path: str) -> Iterator[tuple[str, ...]]:
    """The names of a block's parts in groups: each ends with the way back to the stream."""
    names: list[str] = []
    for part in find(config, path).inside:
        names.append(part.name)
        if part.does == "shortcut":
            yield tuple(names)
            names = []


def shape_text(shape: Shape) -> str:
    """A shape as people write it: ``(18, 256)``, and ``(18)`` for a single axis."""
    return "(" + ", ".join(map(str, shape)) + ")"
