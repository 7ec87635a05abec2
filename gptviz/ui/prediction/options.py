"""What is chosen on the prediction page."""

from __future__ import annotations

from gptviz.config import GPTConfig
from gptviz.ui.shell.fields import SEEDS
from gptviz.ui.shell.options import Choice, number, slider, steps, told, view
from gptviz.ui.shell.shared import LAST, or_none

MOST_WRITTEN = 512


def _token_ids(config: GPTConfig, _n_tokens: int) -> range:
    return or_none(config.vocab_size)


VIEW = view(
    "prediction_view",
    {
        "next": "The next word",
        "surprise": "Surprise",
        "lens": "Layer by layer",
        "parts": "Who said it",
        "write": "Write on",
    },
)
CANDIDATES = Choice("candidates", 20, (10, 20, 40), "Bars")

LENS_COLOURS = {
    "probability": "how sure: probability",
    "entropy": "how undecided: entropy",
    "rank": "where the answer stands: rank",
}
LENS_COLOUR = Choice(
    "lens_colour", "probability", tuple(LENS_COLOURS), "Colour", words=LENS_COLOURS.__getitem__
)
LENS_COLUMNS = Choice(
    "lens_columns",
    12,
    range(4, 33),
    "Tokens shown",
    "How many tokens around the chosen one; the fewer, the larger the words.",
    widget=slider,
)

TARGET = Choice("target", LAST, _token_ids, "The score of", widget=told)
VERSUS = Choice("versus", LAST, _token_ids, "Compared with", widget=told)

TEMPERATURE = Choice(
    "temperature", 1.0, tuple(step / 20 for step in range(101)), "Temperature T", widget=steps
)
TOP_K = Choice("top_k", 0, lambda config, _: range(config.vocab_size + 1), "Top-k", widget=number)
TOP_P = Choice("top_p", 1.0, tuple(step / 100 for step in range(1, 101)), "Top-p", widget=steps)
DRAW_SEED = Choice("draw_seed", 123, SEEDS, "Seed of the draws", widget=number)
MANY = Choice("many", 40, range(1, MOST_WRITTEN + 1), "How many", widget=number)
WRITTEN = Choice("written", 0, range(MOST_WRITTEN + 1))  # tokens there are to be
DRAWN = Choice("drawn", 0, range(MOST_WRITTEN))  # which of them is looked at

CHOICES = (
    *(VIEW, CANDIDATES, LENS_COLOUR, LENS_COLUMNS, TARGET, VERSUS),
    *(TEMPERATURE, TOP_K, TOP_P, DRAW_SEED, MANY, WRITTEN, DRAWN),
)
