"""The lecture's course: from a dummy GPT, whose blocks do nothing, to the whole, part by part."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from gptviz.anatomy import find, has
from gptviz.config import PLACEHOLDER_PARTS, GPTConfig


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


def placeholders_at(stage: int) -> frozenset[str]:
    """The parts that are not yet built at a stage, counted from 1."""
    return frozenset(PLACEHOLDER_PARTS) - {step.brings for step in STAGES[:stage]}


def stage_of(placeholders: Set[str]) -> int | None:
    """The stage with these placeholders, counted from 1; None for a mix of one's own."""
    stages = range(1, len(STAGES) + 1)
    return next((stage for stage in stages if placeholders_at(stage) == placeholders), None)


def stage_that_builds(config: GPTConfig, path: str) -> int:
    """The stage at which the part at ``path`` is met.

    Raises:
        KeyError: if no such part stands in a model of this size, whatever it leaves out.
    """
    part = _placeholder_of(config.changed(placeholders=frozenset()), path)
    return next(stage for stage, step in enumerate(STAGES, 1) if step.brings == part)


def _placeholder_of(whole: GPTConfig, path: str) -> str | None:
    """What of ``PLACEHOLDER_PARTS`` a part belongs to: it isn't built in a model without that."""
    find(whole, path)

    def is_built(without: str) -> bool:
        config = whole.changed(placeholders={without})
        return has(config, path) and find(config, path).built

    return next((part for part in PLACEHOLDER_PARTS if not is_built(part)), None)
