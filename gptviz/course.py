"""The lecture's course: from a dummy GPT, whose blocks do nothing, to the whole, part by part."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from gptviz.config import PLACEHOLDER_PARTS


@dataclass(frozen=True)
class Stage:
    """One step of the course.

    Args:
        brings: the part of ``PLACEHOLDER_PARTS`` that is built in it; none in the first.
        name: what it is called.
        what: what is added, and why, in one plain sentence.
    """

    brings: str | None
    name: str
    what: str


STAGES = (
    Stage(
        None,
        "Dummy GPT",
        "Only the embeddings and the output head stand; the blocks pass everything on untouched, "
        "so that text already goes in and a guess comes out.",
    ),
    Stage(
        "norm",
        "Layer norm",
        "Each token's numbers are brought to mean 0 and variance 1, so that what is built next "
        "reads numbers of one size and training stays steady.",
    ),
    Stage(
        "attention",
        "Attention",
        "Each token gathers from those before it: until now it knew nothing of its neighbours.",
    ),
    Stage(
        "feed_forward",
        "Feed-forward with GELU",
        "Each token is worked on by itself in a wider space with a bend in it (GELU): attention "
        "only mixes what other tokens hold.",
    ),
    Stage(
        "shortcut",
        "Shortcuts: the whole GPT",
        "What a part makes is added to the stream and no longer put in its place, so nothing is "
        "lost on the way and gradients reach the first block.",
    ),
)  # stages count from 1, as lessons do

_PLACES = {
    "norm": (".norm1", ".norm2", "final_norm"),
    "attention": (".attention", ".drop1"),
    "feed_forward": (".feed_forward", ".drop2"),
    "shortcut": (".shortcut1", ".shortcut2"),
}


def placeholders_at(stage: int) -> frozenset[str]:
    """The parts that are not yet built at a stage, counted from 1."""
    return frozenset(PLACEHOLDER_PARTS) - {step.brings for step in STAGES[:stage]}


def stage_of(placeholders: Set[str]) -> int | None:
    """The stage with these placeholders, counted from 1; None for a mix of one's own."""
    stages = range(1, len(STAGES) + 1)
    return next((stage for stage in stages if placeholders_at(stage) == placeholders), None)


def part_at(path: str) -> str | None:
    """What of ``PLACEHOLDER_PARTS`` stands at a path such as ``blocks.3.attention.query``.

    None for a path that no placeholder can take.
    """
    return next((part for part, marks in _PLACES.items() if any(m in path for m in marks)), None)


def stage_that_builds(path: str) -> int:
    """The stage at which the part at ``path`` is met."""
    part = part_at(path)
    return next(stage for stage, step in enumerate(STAGES, 1) if step.brings == part)
