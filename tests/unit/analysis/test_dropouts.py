"""Dropout's masks, against the numbers that the pass itself went on with."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from gptviz.analysis.dropouts import dropped_at
from gptviz.config import Dropout
from gptviz.tracing.trace import Trace

Read = Callable[..., Trace]
IDS = [1, 20, 20, 299, 4]
NAMES = ("drop_emb", "drop1", "drop2")


def went_on(traced: Trace, name: str, layer: int) -> list[list[float]]:
    block = traced.blocks[layer]
    tensors = {"drop_emb": traced.embeddings, "drop1": block.attention_out}
    tensor = tensors.get(name, block.feed_forward_out)
    assert tensor is not None
    return list(tensor.tolist())


@pytest.mark.parametrize("name", NAMES)
def test_the_mask_is_the_one_that_the_pass_used(name: str, read: Read) -> None:
    found = dropped_at(read(IDS, dropout=Dropout(0.25, seed=9)), name, 1)
    numbers = went_on(read(IDS, dropout=Dropout(0.25, seed=9)), name, 1)
    n_dropped = 0
    for row, after in enumerate(numbers):
        for column, number in enumerate(after):
            stays, before = bool(found.stays[row, column]), float(found.before[row, column])
            assert (number != 0) == (stays and before != 0)
            assert number == pytest.approx(before / 0.75 if stays else 0, abs=1e-6)
            n_dropped += not stays
        assert found.shares[row] == pytest.approx(1 - sum(found.stays[row].tolist()) / 24)
    np.testing.assert_array_equal(found.after, np.array(numbers, dtype=np.float32))
    assert found.share == pytest.approx(n_dropped / 120)
    assert found.deviation == pytest.approx(math.sqrt(0.25 * 0.75 / 120))
    assert abs(found.share - found.rate) < 5 * found.deviation


@pytest.mark.parametrize("name", NAMES)
def test_another_seed_drops_others(name: str, read: Read) -> None:
    one, other = (dropped_at(read(IDS, dropout=Dropout(0.25, seed)), name, 0) for seed in (1, 2))
    assert (one.stays != other.stays).any()


def test_every_place_has_its_own_mask(read: Read) -> None:
    traced = read(IDS, dropout=Dropout(0.5))
    masks = [dropped_at(traced, name, layer).stays for name in NAMES[1:] for layer in (0, 1)]
    masks.append(dropped_at(traced, "drop_emb", 0).stays)
    assert len({mask.tobytes() for mask in masks}) == 5


@pytest.mark.parametrize(("part", "name"), [("attention", "drop1"), ("feed_forward", "drop2")])
def test_a_placeholder_drops_nothing(part: str, name: str, read: Read) -> None:
    traced = read(IDS, dropout=Dropout(0.1), placeholders={part})
    with pytest.raises(ValueError, match=f"blocks.0.{part} is a placeholder"):
        dropped_at(traced, name, 0)
    assert dropped_at(traced, "drop_emb", 0).stays.shape == (5, 24)


def test_eval_mode_drops_nothing(read: Read) -> None:
    with pytest.raises(ValueError, match="nothing is dropped in eval mode"):
        dropped_at(read(IDS), "drop1", 0)


def test_a_layer_that_is_not_there_is_refused(read: Read) -> None:
    with pytest.raises(IndexError):
        dropped_at(read(IDS, dropout=Dropout(0.1)), "drop2", 2)
