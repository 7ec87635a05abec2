"""The course adds one part a stage, and every part is met at one of them."""

from __future__ import annotations

import itertools

import pytest

from gptviz.anatomy import anatomy, find, has
from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.words.course import STAGES, placeholders_at, stage_of, stage_that_builds

CONFIG = GPTConfig(n_layers=2)
PATHS = [path for path, _ in anatomy(CONFIG).walk()]
BARE = CONFIG.changed(placeholders=frozenset(PLACEHOLDER_PARTS))


def test_the_course_goes_from_the_dummy_to_the_whole_one_part_at_a_time():
    sets = [placeholders_at(stage) for stage in range(1, len(STAGES) + 1)]
    assert sets[0] == set(PLACEHOLDER_PARTS)
    assert sets[-1] == set()
    added = [next(iter(before - after)) for before, after in itertools.pairwise(sets)]
    assert added == ["norm", "attention", "feed_forward", "shortcut"]
    counts = [Ledger(CONFIG.changed(placeholders=each)).parameters for each in sets]
    assert counts == sorted(counts)


def test_a_stage_is_known_by_its_placeholders_and_a_mix_is_none():
    for stage in range(1, len(STAGES) + 1):
        assert stage_of(placeholders_at(stage)) == stage
    assert stage_of({"norm"}) is None
    assert stage_of({"attention", "shortcut"}) is None


@pytest.mark.parametrize("path", PATHS)
def test_a_part_is_built_from_its_stage_on(path):
    for stage in range(1, len(STAGES) + 1):
        config = CONFIG.changed(placeholders=placeholders_at(stage))
        is_built = has(config, path) and find(config, path).built
        assert is_built == (stage >= stage_that_builds(CONFIG, path))


def test_parts_are_met_with_what_they_belong_to_however_much_is_built():
    met = {
        "blocks.1.norm1.mean": 2,
        "final_norm": 2,
        "blocks.0.attention.core.mask": 3,
        "blocks.0.drop1": 3,
        "blocks.0.feed_forward.gelu": 4,
        "blocks.0.drop2": 4,
        "blocks.0.shortcut2": 5,
        "blocks.1": 1,
        "drop_emb": 1,
    }
    for config in (CONFIG, BARE):
        assert {path: stage_that_builds(config, path) for path in met} == met
    with pytest.raises(KeyError):
        stage_that_builds(BARE, "blocks.2.attention")


def test_each_stage_is_one_sentence():
    for stage in STAGES:
        assert stage.what.endswith(".")
        assert ". " not in stage.what
