"""The residual stream's lengths, turns and sums, against sums over single numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch

from gptviz.analysis.stream import Added, stream, token_sum
from gptviz.config import PLACEHOLDER_PARTS, Dropout
from gptviz.tracing.trace import Trace

Read = Callable[..., Trace]
IDS = [1, 20, 20, 299, 4]


def length(numbers: Sequence[float]) -> float:
    return math.sqrt(sum(number * number for number in numbers))


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def test_norms_go_from_the_embeddings_to_the_end(read: Read) -> None:
    traced = read(IDS)
    norms = stream(traced).norms
    assert norms.shape == (3, len(IDS))
    streams = [traced.blocks[0].resid_pre, traced.blocks[1].resid_pre, traced.blocks[1].resid_post]
    for place, numbers in enumerate(streams):
        expected = [length(row) for row in numbers.tolist()]
        assert norms[place].tolist() == pytest.approx(expected, rel=1e-5)


def test_the_cosine_is_that_of_each_block_to_the_one_before(read: Read) -> None:
    traced = read(IDS)
    cosines = stream(traced).cosines
    for layer, block in enumerate(traced.blocks):
        rows = zip(block.resid_pre.tolist(), block.resid_post.tolist(), strict=True)
        expected = [dot(a, b) / length(a) / length(b) for a, b in rows]
        assert cosines[layer].tolist() == pytest.approx(expected, abs=1e-5)


def test_what_each_part_adds_is_measured_alone_and_beside_the_stream_it_is_added_to(
    read: Read,
) -> None:
    traced = read(IDS, dropout=Dropout(0.2))
    found = stream(traced)
    for layer, block in enumerate(traced.blocks):
        for added, out, beside in (
            (found.attention, block.attention_out, block.resid_pre),
            (found.feed_forward, block.feed_forward_out, block.resid_mid),
        ):
            assert isinstance(added, Added)
            assert out is not None
            norms = [length(row) for row in out.tolist()]
            streams = [length(row) for row in beside.tolist()]
            assert added.norms[layer].tolist() == pytest.approx(norms, rel=1e-5)
            relative = [a / b for a, b in zip(norms, streams, strict=True)]
            assert added.relative[layer].tolist() == pytest.approx(relative, rel=1e-5)


def test_a_stream_of_zeros_has_no_direction(read: Read) -> None:
    traced = read(IDS)
    with torch.inference_mode():
        traced.blocks[0].resid_pre[2] = 0
    found = stream(traced)
    assert np.isnan(found.cosines[0, 2])
    assert found.attention is not None
    assert np.isnan(found.attention.relative[0, 2])
    assert np.isfinite(found.cosines[0, [0, 1, 3, 4]]).all()


def test_placeholders_add_nothing(read: Read) -> None:
    found = stream(read(IDS, placeholders={"attention"}))
    assert found.attention is None
    assert found.feed_forward is not None
    found = stream(read(IDS, placeholders=set(PLACEHOLDER_PARTS)))
    assert (found.attention, found.feed_forward) == (None, None)
    np.testing.assert_allclose(found.cosines, 1, rtol=1e-6)  # blocks that do nothing


def test_it_can_be_stopped_before_each_layer(read: Read) -> None:
    asked: list[int] = []
    stream(read(IDS), before_each=asked.append)
    assert asked == [0, 1]


def test_it_knows_its_size(read: Read) -> None:
    found = stream(read(IDS))
    assert found.nbytes == 4 * len(IDS) * (3 + 2 + 4 * 2)


@pytest.mark.parametrize("dropout", [None, Dropout(0.2)])
@pytest.mark.parametrize("layer", [0, 1])
def test_the_parts_add_up_to_the_result(read: Read, layer: int, dropout: Dropout | None) -> None:
    traced = read(IDS, dropout=dropout)
    found = token_sum(traced, layer, 3)
    assert found.names == ("resid_pre", "attention_out", "feed_forward_out")
    for dimension, result in enumerate(traced.blocks[layer].resid_post[3].tolist()):
        assert found.result[dimension] == result
        assert sum(found.parts[:, dimension].tolist()) == pytest.approx(result, abs=1e-5)
    assert found.largest_difference == 0  # in the model's own order, to the last bit
    size = length(found.result.tolist())
    reach = [dot(part, found.result.tolist()) / size for part in found.parts.tolist()]
    assert found.along.tolist() == pytest.approx(reach, rel=1e-6)
    assert found.along.sum() == pytest.approx(size, rel=1e-6)


def test_a_sum_that_is_wrong_shows(read: Read) -> None:
    traced = read(IDS)
    with torch.inference_mode():
        traced.blocks[0].resid_post[3, 7] += 0.5
    assert token_sum(traced, 0, 3).largest_difference == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("part", ["attention", "feed_forward"])
def test_a_placeholder_is_no_part_of_the_sum(read: Read, part: str) -> None:
    found = token_sum(read(IDS, placeholders={part}), 1, 0)
    assert f"{part}_out" not in found.names
    assert len(found.names) == 2
    assert found.largest_difference == 0


def test_a_result_of_zeros_is_reached_by_nothing(read: Read) -> None:
    traced = read(IDS)
    with torch.inference_mode():
        traced.blocks[0].resid_post[1] = 0
    assert token_sum(traced, 0, 1).along.tolist() == [0, 0, 0]


def test_without_shortcuts_there_is_no_sum(read: Read) -> None:
    with pytest.raises(ValueError, match="shortcuts are placeholders"):
        token_sum(read(IDS, placeholders={"shortcut"}), 0, 0)


def test_a_layer_or_token_that_is_not_there_is_refused(read: Read) -> None:
    with pytest.raises(IndexError):
        token_sum(read(IDS), 2, 0)
    with pytest.raises(IndexError):
        token_sum(read(IDS), 0, 5)
