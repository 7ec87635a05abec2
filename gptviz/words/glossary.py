"""The plain sentence, the term, the reason and the formula of every part of a model."""

from __future__ import annotations

from gptviz.anatomy import find
from gptviz.config import GPTConfig
from gptviz.words.attention import ATTENTION
from gptviz.words.block import BLOCK
from gptviz.words.embeddings import EMBEDDINGS
from gptviz.words.entry import Entry, look_up
from gptviz.words.feed_forward import FEED_FORWARD
from gptviz.words.head import HEAD
from gptviz.words.norms import NORMS
from gptviz.words.placeholders import placeholder

GLOSSARY = EMBEDDINGS | BLOCK | NORMS | ATTENTION | FEED_FORWARD | HEAD


def entry(config: GPTConfig, path: str) -> Entry:
    """What is said of the part at ``path``, such as ``blocks.3.attention.query``.

    Raises:
        KeyError: if this configuration has no such part, or for ``""``, the whole model.
    """
    part = find(config, path)
    wording = look_up(GLOSSARY, part)
    if part.built:
        return wording.of(config, part)
    whole = config.changed(placeholders=frozenset())
    return placeholder(config, part, wording.of(whole, find(whole, path)))
