from __future__ import annotations

from types import SimpleNamespace

import pytest

from gptviz.counting.ledger import Ledger
from gptviz.defaults import MODEL, TEXT, largest_that_fits
from gptviz.memory import USABLE, shared
from gptviz.presets import PRESETS
from gptviz.tokenizer import Tokenizer


def free(monkeypatch, n_bytes):
    left = n_bytes - shared().nbytes
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=left))


@pytest.mark.parametrize("name", PRESETS)
def test_the_largest_that_fits_is_the_last_that_does(monkeypatch, name):
    config = PRESETS[name]
    needed = Ledger(config).memory_to_run(config.context_length)
    free(monkeypatch, round(needed / USABLE) + 1)
    assert largest_that_fits() == name
    free(monkeypatch, round(needed / USABLE) - 8)
    assert largest_that_fits() != name


def test_the_first_sentence_fits_the_first_model():
    config = PRESETS[MODEL]
    assert 1 < len(Tokenizer(config.vocab_size).encode(TEXT)) < config.context_length
