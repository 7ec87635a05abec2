"""What the picture is to show: a configuration, a sentence, the opened part, and what was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan, log

from gptviz.anatomy import Size
from gptviz.config import GPTConfig
from gptviz.diagram.parts import Piece, piece, shape_text


@dataclass(frozen=True)
class Measure:
    """A measured quantity, whose colours the parts have in place of those of their kinds.

    Args:
        unit: what is written after a number.
        least, most: where its colour scale begins and ends. One that begins above 0 is logarithmic:
            equal factors are equal steps of colour.
        parts: how much of it parts have, by their paths.
        heads: how much the heads of an attention have, in order, by its path.
        about: what is measured, in plain words.
    """

    unit: str
    least: float
    most: float
    parts: Mapping[str, float]
    heads: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    about: str = ""

    def share(self, value: float) -> float:
        """Where a value lies on the colour scale, from 0 to 1; 0 for one that isn't known."""
        if isnan(value) or value <= self.least:
            return 0.0
        if self.least > 0:
            return min(1.0, log(value / self.least) / log(self.most / self.least))
        return min(1.0, value / self.most)

    def words(self, value: float) -> str:
        """A value with its unit."""
        return "can't be measured" if isnan(value) else f"{value:.3g} {self.unit}"


@dataclass(frozen=True)
class Reading:
    """Measured values, once a sentence has been read.

    Args:
        maps: small pictures of what comes out of a part, as PNG data addresses, by its path: one,
            or for the attention of a whole block one for each head, in order.
        next_tokens: the likeliest next tokens and their probabilities.
        logits: their scores, in the same order.
        measure: the quantity that colours the parts; none where colours tell their kinds.
    """

    maps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    next_tokens: tuple[tuple[str, float], ...] = ()
    logits: tuple[float, ...] = ()
    measure: Measure | None = None


@dataclass(frozen=True)
class Outcome:
    """What comes out of a part for the sentence: a picture's data address, and words on it."""

    picture: str
    about: str
    statistics: str


@dataclass(frozen=True)
class View:
    """One state of the picture.

    Args:
        labels, ids: the sentence's tokens; none gives shapes with ``n_tokens`` in them.
        opened: the path of the part that is open; ``""``, and nothing but the whole is.
        head: the attention head that the small pictures inside attention show.
        symbolic: whether shapes have the names of ``GPTConfig`` in them, instead of numbers.
        reading: measured values, or none while only the structure is known.
        still: whether it is a picture to keep, in which nothing can be opened.
    """

    config: GPTConfig
    labels: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    opened: str = ""
    head: int = 0
    symbolic: bool = False
    reading: Reading | None = None
    still: bool = False

    @property
    def n_tokens(self) -> Size:
        return "n_tokens" if self.symbolic else len(self.ids) or "n_tokens"

    @property
    def layer(self) -> int | None:
        """The block that is open, or that holds what is."""
        pieces = self.opened.split(".")
        return int(pieces[1]) if pieces[0] == "blocks" else None

    def part(self, path: str) -> Piece:
        return piece(self.config, path, self.n_tokens, self.symbolic)

    def shape(self, path: str) -> str:
        """The shape of what comes out of a part, as text."""
        return shape_text(self.part(path).output)

    def size(self, name: str) -> Size:
        """A size of the configuration: its number, or its name where shapes are symbolic."""
        number: int = getattr(self.config, name)
        return name if self.symbolic else number

    def maps(self, path: str) -> tuple[str, ...]:
        """The small pictures of what comes out of a part; none before the sentence is read."""
        return self.reading.maps.get(path, ()) if self.reading else ()

    @property
    def measure(self) -> Measure | None:
        """The quantity that colours the parts, once it is known."""
        return self.reading.measure if self.reading else None

    def value(self, path: str) -> float | None:
        """How much a part has of the measured quantity; None if that says nothing of it."""
        return self.measure.parts.get(path) if self.measure else None
