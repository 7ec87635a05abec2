"""What is chosen on the parameters page."""

from __future__ import annotations

import streamlit as st

from gptviz.config import GPTConfig
from gptviz.counting.compare import read
from gptviz.counting.costs import DEVICES, NUMBER_TYPES
from gptviz.presets import PRESETS
from gptviz.ui.shell.fields import FIELDS, within
from gptviz.ui.shell.options import Choice, Such, number, view

MOST_ROWS = 4096
NOTHING, KEPT = "nothing", "kept"


def _can_be_kept(text: str) -> bool:
    """Whether this is a configuration as ``compare.written`` writes it, or none."""
    if not text:
        return True
    try:
        config = read(text)
    except ValueError:
        return False
    return all(within(field, getattr(config, field)) for field in FIELDS)


def _comparable(_config: GPTConfig, _n_tokens: int) -> list[str]:
    """What a configuration can be compared with; one is kept as text under ``ASIDE``."""
    return [NOTHING, *PRESETS, *([KEPT] if st.session_state.get(ASIDE.key) else [])]


VIEW = view(
    "parameters_view",
    {
        "shares": "Share by part",
        "costs": "Training and running",
        "models": "Beside other models",
        "parts": "Part by part",
        "modules": "Every module",
    },
)
ROWS = Choice(
    "rows", 1, range(1, MOST_ROWS + 1), "Rows at once", "Sentences in a batch.", widget=number
)
LENGTH = Choice(
    "length",
    lambda config, _: config.context_length,
    lambda config, _: range(1, config.context_length + 1),
    "Tokens in a row",
    "At most context_length.",
    widget=number,
)
NUMBERS = Choice(
    "numbers",
    next(iter(NUMBER_TYPES)),
    tuple(NUMBER_TYPES),
    "Numbers in",
    "Of weights and KV cache, to run it.",
)
DEVICE = Choice(
    "device",
    DEVICES[0].name,
    [device.name for device in DEVICES],
    "Device",
    "As its maker states it.",
)
ASIDE = Choice("aside", "", Such(_can_be_kept))
AGAINST = Choice("against", NOTHING, _comparable, "Compare with")

CHOICES = (VIEW, ROWS, LENGTH, NUMBERS, DEVICE, ASIDE, AGAINST)
