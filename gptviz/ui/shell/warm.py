"""What a server does in its first seconds, while the first visitor is looking."""

from __future__ import annotations

import gc
import threading
from functools import cache

WARM = threading.Event()


@cache
def warm_up() -> None:
    """Once a process: import torch and load the trained model while the visitor is looking."""
    threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()


def _warm_up() -> None:
    try:
        import gptviz.figures.axes  # noqa: F401
        from gptviz.cache import cached_model
        from gptviz.tracing.passes import ModelKey

        cached_model(ModelKey("tales"))
        # After every run Streamlit has Python look through all objects for lost ones, and nobody
        # is served meanwhile. What has been imported stays: it needn't be looked at.
        gc.collect()
        gc.freeze()
    finally:
        WARM.set()
