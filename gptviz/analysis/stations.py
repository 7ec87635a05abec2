"""The places in a block where the sentence's numbers can be looked at; needs no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gptviz.anatomy import Part, find
from gptviz.config import GPTConfig


@dataclass(frozen=True)
class Station:
    """A place in a block where the sentence's numbers can be looked at.

    Args:
        path: the part inside the block that made them.
        name: in plain words.
        term: the term of the field.
        tensor: the attribute of the block's trace that holds them.
    """

    path: str
    name: str
    term: str
    tensor: str


# By what a part does and why it stands where it does: name, term and tensor.
_WORDS = {
    ("layer_norm", "before attention"): (
        "After norm 1", "layer norm, what attention reads", "normed1"),
    ("attention", ""): (
        "What attention adds", "attention output, after out_proj", "attention_out"),
    ("shortcut", "attention"): (
        "The stream after attention", "residual stream, resid_mid", "resid_mid"),
    ("layer_norm", "before feed-forward"): (
        "After norm 2", "layer norm, what the feed-forward reads", "normed2"),
    ("up_projection", ""): ("Hidden layer, before GELU", "pre-activations", "ff_hidden"),
    ("gelu", ""): ("Hidden layer, after GELU", "activations", "gelu_out"),
    ("feed_forward", ""): ("What the feed-forward adds", "MLP output", "feed_forward_out"),
    ("shortcut", "feed_forward"): (
        "The stream after the block", "residual stream, resid_post", "resid_post"),
}  # fmt: skip


def stations(config: GPTConfig) -> tuple[Station, ...]:
    """The stations that are really built, in forward order: a part comes after those inside it."""
    return tuple(
        Station(path, *_WORDS[part.does, part.role])
        for path, part in _outcomes(find(config, "blocks.0"))
        if part.built and (part.does, part.role) in _WORDS
    )


def station_paths(config: GPTConfig) -> tuple[str, ...]:
    """The paths of all stations, placeholders' too: what is built may change, a choice stays."""
    return tuple(each.path for each in stations(config.changed(placeholders=frozenset())))


def _outcomes(part: Part, path: str = "") -> Iterator[tuple[str, Part]]:
    """The parts inside a part, in the order in which what they make is there."""
    for each in part.inside:
        where = f"{path}.{each.name}" if path else each.name
        yield from _outcomes(each, where)
        yield where, each
