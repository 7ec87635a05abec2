"""What is chosen on the tokens page."""

from __future__ import annotations

from gptviz.config import GPTConfig
from gptviz.tokenizer import FULL_VOCAB_SIZE
from gptviz.ui.shell.options import EITHER, Choice, steps, toggle, view

VOCABULARIES = (257, 512, 1024, 2048, 4096, 8192, 16384, 32768, FULL_VOCAB_SIZE)


def vocabularies(config: GPTConfig, _n_tokens: int = 0) -> list[int]:
    """Sizes of vocabulary to try on the sentence, the model's own among them."""
    return sorted({*VOCABULARIES, min(config.vocab_size, FULL_VOCAB_SIZE)})


VIEW = view(
    "tokens_view",
    {
        "pieces": "Pieces",
        "vectors": "Vectors",
        "neighbours": "Neighbours",
        "map": "Map",
        "positions": "Positions",
    },
)
VOCABULARY = Choice(
    "vocabulary", 1024, vocabularies, "vocab_size", words="{:,}".format, widget=steps
)
SUMMED = Choice(
    "summed",
    False,
    EITHER,
    "With the position embedding added",
    "What the first block reads, in place of the token embedding alone.",
    widget=toggle,
)
SOLID = Choice("solid", False, EITHER, "In three dimensions", widget=toggle)

CHOICES = (VIEW, VOCABULARY, SUMMED, SOLID)
