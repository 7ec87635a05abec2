"""The course adds one part a stage, and every part is met at one of them."""

from __future__ import annotations

import itertools

import pytest

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.diagram.parts import BLOCK_PARTS, part

CONFIG = GPTConfig(n_layers=2)
PATHS = ["tokens", "tok_emb", "pos_emb", "embeddings", "drop_emb", "blocks", "blocks.1"]
PATHS += [f"blocks.1.{name}" for name in BLOCK_PARTS] + ["final_norm", "out_head", "next_token"]


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
        assert part(config, path).placeholder == (stage < stage_that_builds(path))


def test_each_stage_is_one_sentence():
    for stage in STAGES:
        assert stage.what.endswith(".")
        assert ". " not in stage.what
