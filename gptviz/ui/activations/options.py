"""What is chosen on the activations page."""

from __future__ import annotations

from dataclasses import replace

from gptviz.anatomy import Part, find
from gptviz.config import GPTConfig
from gptviz.ui.shell.options import EITHER, Choice, slider, toggle, told, view
from gptviz.ui.shell.screen import Screen
from gptviz.ui.shell.shared import or_none

BUSIEST = -1  # in place of a neuron's number: the busiest one of the chosen token
_WORDS = {  # by what a part does and why it stands where it does
    ("dropout", "embeddings"): "the embeddings, before block 0",
    ("dropout", "attention"): "what attention adds",
    ("dropout", "feed_forward"): "what the feed-forward adds",
    ("layer_norm", "before attention"): "norm 1, before attention",
    ("layer_norm", "before feed-forward"): "norm 2, before the feed-forward",
    ("layer_norm", "after the blocks"): "the final norm, before the output head",
}


def _those_that(does: str, config: GPTConfig) -> dict[str, Part]:
    """Parts of the model, and of one block, that do this: by their names, in forward order."""
    whole, block = find(config, "").inside, find(config, "blocks.0").inside
    first = [part for part in whole if part.kind != "norm"]
    last = [part for part in whole if part.kind == "norm"]
    return {part.name: part for part in (*first, *block, *last) if part.does == does}


def _names(does: str) -> dict[str, str]:
    parts = _those_that(does, GPTConfig())
    return {name: _WORDS[part.does, part.role] for name, part in parts.items()}


NORMS, DROPOUTS = _names("layer_norm"), _names("dropout")


def _dropouts(config: GPTConfig, _n_tokens: int) -> list[str]:
    """Dropouts that whole tokens' numbers pass: the embeddings', and those of built parts."""
    return [name for name, part in _those_that("dropout", config).items() if part.built]


VIEW = view(
    "activations_view",
    {
        "stream": "The stream",
        "added": "What is added",
        "token": "One token",
        "station": "One station",
        "norms": "Layer norms",
        "neurons": "GELU and neurons",
        "dropout": "Dropout",
    },
)
RELATIVE = Choice(
    "relative", True, (True, False), "relative to the stream it is added to", widget=toggle
)
BY_SIZE = Choice(
    "by_size",
    False,
    EITHER,
    "sort dimensions by size",
    "By their mean size (distance from 0) over the sentence, the largest on the left.",
    widget=toggle,
)
FIRST_TOKEN = Choice(
    "first_token",
    0,
    lambda _, n_tokens: range(max(1, n_tokens)),
    help="The whole would be too large for a browser. All else on the page is of all tokens.",
    widget=slider,
)
NORM = Choice("norm_of", "norm1", tuple(NORMS), "Norm", words=NORMS.__getitem__)
BY_WRITING = Choice(
    "by_writing",
    False,
    EITHER,
    "by how much each writes into the stream",
    "Activation times the length of the neuron's column in linear2: what it adds.",
    widget=toggle,
)
NEURON = Choice("neuron", BUSIEST, lambda config, _: or_none(config.ff_dim), "Neuron", widget=told)
DROPPED_AT = Choice("dropped_at", "drop_emb", _dropouts, "Of", words=DROPOUTS.__getitem__)

CHOICES = (VIEW, RELATIVE, BY_SIZE, FIRST_TOKEN, NORM, BY_WRITING, NEURON, DROPPED_AT)


def window(screen: Screen, n_tokens: int, most: int) -> tuple[int, int]:
    """The first token to draw, and the one after the last: all, or a part where that is too much.

    Args:
        most: tokens that can be drawn at once.
    """
    if n_tokens <= most:
        return 0, n_tokens
    firsts = range(n_tokens - most + 1)
    FIRST_TOKEN.choose(min(FIRST_TOKEN.value, firsts[-1]))
    label = f"Show {most:,} tokens, from token"
    first = replace(FIRST_TOKEN, allowed=firsts, label=label).draw(screen)
    return first, first + most


def neuron(screen: Screen, busiest: int) -> int:
    """The number of a hidden unit; at first, and until it is changed, the token's busiest."""
    numbers = range(BUSIEST, screen.config.ff_dim)

    def words(number: int) -> str:
        return f"the busiest: {busiest}" if number == BUSIEST else str(number)

    help_ = f"A hidden unit of the feed-forward, counted from 0 to {numbers[-1]}."
    number: int = replace(NEURON, allowed=numbers, words=words, help=help_).draw(screen)
    return busiest if number == BUSIEST else number
