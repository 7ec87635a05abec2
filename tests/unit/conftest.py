"""A small model with random weights, and what it made of a sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gptviz.config import Dropout, GPTConfig
from gptviz.model import GPTModel
from gptviz.tracing.trace import Trace, trace

CONFIG = GPTConfig(vocab_size=300, context_length=320, emb_dim=24, n_heads=3, n_layers=2)

Read = Callable[..., Trace]


@pytest.fixture(scope="session")
def read() -> Read:
    """Trace some ids with the small model, some of its fields changed."""

    def read(ids: list[int], dropout: Dropout | None = None, **changes: object) -> Trace:
        model = GPTModel(CONFIG.changed(**changes), seed=7).eval()
        return trace(model, ids, dropout=dropout)

    return read
