"""gptviz: see the whole of a GPT, walk into any part of it, change it while you look.

Names are resolved when they are first used, so that what needs no torch doesn't wait for it.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gptviz.config import GPT_CONFIG_124M, GPTConfig
    from gptviz.counting.ledger import Ledger
    from gptviz.loading import load
    from gptviz.model import GPTModel
    from gptviz.presets import PRESETS
    from gptviz.tokenizer import Tokenizer
    from gptviz.tracing.trace import Trace, trace

__version__ = "0.1.0"

__all__ = [
    "GPT_CONFIG_124M",
    "PRESETS",
    "GPTConfig",
    "GPTModel",
    "Ledger",
    "Tokenizer",
    "Trace",
    "load",
    "trace",
]

# torch's threads wait for each other asleep, not spinning: where the browser needs the cores too,
# many small steps one after another are else eight times slower. To be set before torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

_HOMES = {
    "GPT_CONFIG_124M": "config",
    "PRESETS": "presets",
    "GPTConfig": "config",
    "GPTModel": "model",
    "Ledger": "counting.ledger",
    "Tokenizer": "tokenizer",
    "Trace": "tracing.trace",
    "load": "loading",
    "trace": "tracing.trace",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
