from __future__ import annotations

import pytest

from gptviz.anatomy import anatomy, find
from gptviz.config import GPTConfig
from gptviz.words.names import short_name

CONFIG = GPTConfig(n_layers=1)


def test_every_part_with_parameters_and_all_that_hold_some_have_a_short_name():
    named = {
        path: short_name(part)
        for path, part in anatomy(CONFIG).modules()
        if any(inside.weights for _, inside in part.walk())
    }
    assert named == {
        "": "the whole model",
        "tok_emb": "token embedding",
        "pos_emb": "position embedding",
        "blocks": "all blocks",
        "blocks.0": "one block",
        "blocks.0.norm1": "norm 1",
        "blocks.0.attention": "attention",
        "blocks.0.attention.query": "query",
        "blocks.0.attention.key": "key",
        "blocks.0.attention.value": "value",
        "blocks.0.attention.out_proj": "out_proj",
        "blocks.0.norm2": "norm 2",
        "blocks.0.feed_forward": "feed-forward",
        "blocks.0.feed_forward.linear1": "linear1",
        "blocks.0.feed_forward.linear2": "linear2",
        "final_norm": "final norm",
        "out_head": "output head",
    }


def test_a_part_without_parameters_has_none():
    with pytest.raises(KeyError):
        short_name(find(CONFIG, "drop_emb"))
