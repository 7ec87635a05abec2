"""What is read where nothing else is asked for, and the largest model that can read it."""

from __future__ import annotations

from gptviz.counting.ledger import Ledger
from gptviz.memory import free_memory
from gptviz.presets import PRESETS

MODEL = "tales"
SEED = 123
TEXT = (
    "Once upon a time there was a dear little girl who was loved by everyone who looked at her, "
    "but most of all by her"
)


def largest_that_fits() -> str | None:
    """The largest preset that can be made now and read a text of its ``context_length``."""
    free = free_memory()
    fitting = [
        (Ledger(config).parameters, name)
        for name, config in PRESETS.items()
        if Ledger(config).memory_to_run(config.context_length) <= free
    ]
    return max(fitting)[1] if fitting else None
