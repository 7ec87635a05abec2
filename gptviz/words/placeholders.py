"""What is said of a part that is not built: what goes on in its place, and what it is for."""

from __future__ import annotations

from dataclasses import replace

from gptviz.anatomy import Part
from gptviz.config import GPTConfig
from gptviz.words.entry import Entry, Words, written
from gptviz.words.sublayers import SUBLAYERS, shortcut_formula, stream_after


def _sublayer(config: GPTConfig, _part: Part) -> str:
    return "it adds nothing to the stream" if config.has("shortcut") else _PASSES_ON


def _stream(config: GPTConfig, part: Part) -> str:
    return rf"x \leftarrow {stream_after(config, part.does)}"


def _dropout(_config: GPTConfig, part: Part) -> str:
    return f"without {SUBLAYERS[part.role].name} there is nothing to drop"


def _shortcut(config: GPTConfig, part: Part) -> str:
    said = SUBLAYERS[part.role]
    if config.has(part.role):
        return f"what {said.name} makes takes the stream's place"
    if config.has("norm"):
        return f"what norm {said.number} makes takes the stream's place"
    return f"as {said.name} is not built either, the stream goes on unchanged"


_PASSES_ON = "it passes on what it is given"
_OTHERS: tuple[Words, Words] = (_PASSES_ON, "y = x")
_INSTEAD: dict[str, tuple[Words, Words]] = {  # what goes on instead, and its formula
    "attention": (_sublayer, _stream),
    "feed_forward": (_sublayer, _stream),
    "dropout": (_dropout, "y = x"),
    "shortcut": (_shortcut, shortcut_formula),
}


def placeholder(config: GPTConfig, part: Part, built: Entry) -> Entry:
    """What is said of a part that isn't built; ``built`` is what the whole model's entry says."""
    what, formula = _INSTEAD.get(part.does, _OTHERS)
    return replace(
        built,
        what=f"A placeholder, not built: {written(what, config, part)}.",
        why=f"Once it is built: {built.what[0].lower()}{built.what[1:]} {built.why}",
        formula=written(formula, config, part),
    )
