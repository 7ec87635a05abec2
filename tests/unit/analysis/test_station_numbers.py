"""Stations of a block and what is said of them, against sums over single numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from gptviz.analysis.station_numbers import histogram, station_values, statistics
from gptviz.analysis.stations import station_paths, stations
from gptviz.config import PLACEHOLDER_PARTS
from gptviz.model import GPTModel
from gptviz.tracing.trace import Trace

Read = Callable[..., Trace]
IDS = [1, 20, 20, 299, 4]


def test_every_station_is_its_modules_output(read: Read) -> None:
    traced = read(IDS)
    model = GPTModel(traced.config, seed=7).eval()
    seen: dict[str, torch.Tensor] = {}

    def note(name: str) -> Callable[..., None]:
        def hook(_module: object, _inputs: object, output: torch.Tensor) -> None:
            seen[name] = output[0]

        return hook

    for name, module in model.named_modules():
        module.register_forward_hook(note(name))
    with torch.inference_mode():
        model(torch.tensor([IDS]))
    for layer in range(2):
        for path in station_paths(traced.config):
            expected = seen[f"blocks.{layer}.{path}"].numpy()
            np.testing.assert_array_equal(station_values(traced, layer, path), expected)


@pytest.mark.parametrize("part", PLACEHOLDER_PARTS)
def test_a_placeholder_is_no_station(read: Read, part: str) -> None:
    traced = read(IDS, placeholders={part})
    built = [station.path for station in stations(traced.config)]
    left_out = set(station_paths(traced.config)) - set(built)
    assert left_out
    for path in left_out:
        assert path.startswith(part)
        with pytest.raises(ValueError, match=f"no station '{path}' in this model: it has"):
            station_values(traced, 0, path)
    for path in built:
        assert not path.startswith(part)
        assert station_values(traced, 0, path).shape[0] == len(IDS)


def test_a_layer_that_is_not_there_is_refused(read: Read) -> None:
    with pytest.raises(IndexError, match="layer 2 isn't there"):
        station_values(read(IDS), 2, "norm1")


def test_a_shared_trace_can_not_be_written_to(read: Read) -> None:
    values = station_values(read(IDS), 0, "norm1")
    with pytest.raises(ValueError, match="read-only"):
        values[0, 0] = 1


def test_statistics_of_each_token() -> None:
    values = np.array([[3, -4, 0, 1], [2, 2, 2, 2]], dtype=np.float32)
    found = statistics(values)
    for row, numbers in enumerate(values.tolist()):
        mean = sum(numbers) / 4
        assert found.mean[row] == pytest.approx(mean)
        deviation = math.sqrt(sum((number - mean) ** 2 for number in numbers) / 4)
        assert found.std[row] == pytest.approx(deviation)
        assert found.norm[row] == pytest.approx(math.sqrt(sum(n * n for n in numbers)))


def test_histogram_counts_every_number_once() -> None:
    values = np.array([[0, 1, 2, 3], [4, 4, 4, 10]], dtype=np.float32)
    found = histogram(values, bins=5)
    np.testing.assert_allclose(found.edges, [0, 2, 4, 6, 8, 10])
    np.testing.assert_array_equal(found.counts, [2, 2, 3, 0, 1])
