"""The places in a block where the sentence's numbers can be looked at."""

from __future__ import annotations

from gptviz.analysis.stations import station_paths, stations
from gptviz.config import PLACEHOLDER_PARTS, GPTConfig

IN_FORWARD_ORDER = [
    "norm1",
    "attention",
    "shortcut1",
    "norm2",
    "feed_forward.linear1",
    "feed_forward.gelu",
    "feed_forward",
    "shortcut2",
]


def test_stations_stand_in_forward_order() -> None:
    assert [station.path for station in stations(GPTConfig())] == IN_FORWARD_ORDER


def test_the_paths_stay_whatever_is_built() -> None:
    dummy = GPTConfig(placeholders=frozenset(PLACEHOLDER_PARTS))
    assert stations(dummy) == ()
    assert list(station_paths(dummy)) == IN_FORWARD_ORDER
