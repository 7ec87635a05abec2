"""A layer norm's steps, against the textbook's formula over single numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from gptviz.analysis.norms import STAGES, norm_steps
from gptviz.config import Dropout
from gptviz.tracing.trace import Trace

Read = Callable[..., Trace]
IDS = [1, 20, 20, 299, 4]
PATHS = ("blocks.0.norm1", "blocks.0.norm2", "blocks.1.norm1", "blocks.1.norm2", "final_norm")


def learned(traced: Trace) -> Trace:
    """As if the norms had learned something: not only ones and zeros."""
    generator = torch.Generator().manual_seed(5)
    for name, weights in traced.model.named_parameters():
        if "norm" in name:
            torch.nn.init.normal_(weights, generator=generator)
    return traced


@pytest.mark.parametrize("dropout", [None, Dropout(0.3)])
@pytest.mark.parametrize("path", PATHS)
def test_the_steps_follow_the_formula(path: str, dropout: Dropout | None, read: Read) -> None:
    traced = learned(read(IDS, dropout=dropout))
    block = traced.blocks[1 if path == "final_norm" else int(path.split(".")[1])]
    inputs = {"norm1": block.resid_pre, "norm2": block.resid_mid, "final_norm": block.resid_post}
    found = norm_steps(traced, path)
    norm = traced.model.get_submodule(path)
    for row, numbers in enumerate(inputs[path.rpartition(".")[2]].tolist()):
        assert found.before[row].tolist() == numbers
        mean = sum(numbers) / 24
        variance = sum((number - mean) ** 2 for number in numbers) / 24
        normalized = [(number - mean) / math.sqrt(variance + 1e-5) for number in numbers]
        assert found.normalized[row].tolist() == pytest.approx(normalized, abs=1e-5)
        steps = zip(normalized, norm.scale.tolist(), norm.shift.tolist(), strict=True)
        after = [number * scale + shift for number, scale, shift in steps]
        assert found.after[row].tolist() == pytest.approx(after, abs=1e-4)
        assert found.means[0, row] == pytest.approx(mean, abs=1e-6)
        assert found.variances[0, row] == pytest.approx(variance, rel=1e-5)
    np.testing.assert_allclose(found.means[1], 0, atol=1e-6)
    expected = found.variances[0] / (found.variances[0] + 1e-5)
    np.testing.assert_allclose(found.variances[1], expected, rtol=1e-5)
    np.testing.assert_array_equal(found.scale, norm.scale.detach())
    np.testing.assert_array_equal(found.shift, norm.shift.detach())
    assert len(STAGES) == len(found.means) == len(found.variances)


@pytest.mark.parametrize("path", PATHS)
def test_after_it_all_stands_what_the_model_goes_on_with(path: str, read: Read) -> None:
    traced = read(IDS)
    block = traced.blocks[1 if path == "final_norm" else int(path.split(".")[1])]
    on = {"norm1": block.normed1, "norm2": block.normed2, "final_norm": traced.final_norm}
    expected = on[path.rpartition(".")[2]]
    np.testing.assert_allclose(norm_steps(traced, path).after, expected, atol=1e-5)


@pytest.mark.parametrize("path", ["blocks.0.norm1", "final_norm"])
def test_a_placeholder_normalises_nothing(path: str, read: Read) -> None:
    with pytest.raises(ValueError, match="norms are placeholders"):
        norm_steps(read(IDS, placeholders={"norm"}), path)


def test_a_layer_that_is_not_there_is_refused(read: Read) -> None:
    with pytest.raises(IndexError, match="layer 2 isn't there"):
        norm_steps(read(IDS), "blocks.2.norm1")
