"""What the picture says of each part, held against the model that is built."""

from __future__ import annotations

from itertools import combinations

import pytest
from torch import nn

from gptviz.anatomy import anatomy
from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.diagram.parts import can_open, level_of, levels, piece, shape_text
from gptviz.figures.theme import KINDS
from gptviz.model import GPTModel

TINY = GPTConfig(vocab_size=300, context_length=16, emb_dim=24, n_heads=4, n_layers=2)
HOLDERS = ("", "blocks")  # they only hold others, and don't run

ALL_PLACEHOLDER_SETS = [
    frozenset(some)
    for size in range(len(PLACEHOLDER_PARTS) + 1)
    for some in combinations(PLACEHOLDER_PARTS, size)
]


@pytest.mark.parametrize("placeholders", ALL_PLACEHOLDER_SETS, ids=lambda p: "+".join(sorted(p)))
def test_a_part_is_a_placeholder_where_the_model_has_an_identity(placeholders):
    config = TINY.changed(placeholders=placeholders)
    for path, module in GPTModel(config, device="meta").named_modules():
        if path not in HOLDERS:
            assert piece(config, path).placeholder == (type(module) is nn.Identity), path


def test_parts_without_a_module():
    assert piece(TINY, "tokens", 5).output == (5,)
    assert piece(TINY, "embeddings.sum", 5).inputs == ((5, 24), (5, 24))
    assert piece(TINY, "next_token", 5).output == (300,)


def test_without_a_sentence_shapes_have_a_word_for_its_length():
    found = piece(TINY, "blocks.1.attention.core")
    assert found.output == (4, "n_tokens", 6)
    assert shape_text(found.output) == "(4, n_tokens, 6)"


@pytest.mark.parametrize(
    "path",
    [
        *("nonsense", "norm1", "tokens.norm1", "blocks.2", "blocks.-1", "blocks.x"),
        *("blocks.0.", "blocks.0.nonsense", "blocks.0.query", "blocks.0.attention.norm1"),
        "blocks.2.norm1",
    ],
)
def test_what_the_model_does_not_have_is_no_part(path):
    with pytest.raises(KeyError):
        piece(TINY, path)


def test_every_kind_has_a_colour():
    assert {part.kind for _, part in anatomy(TINY).walk()} <= set(KINDS)


def test_a_part_is_seen_where_the_nearest_one_around_it_is_open():
    nearest = {
        "blocks.1.attention.core.mask": "blocks.1.attention",
        "blocks.1.norm2.mean": "blocks.1.norm2",
        "blocks.1.drop1": "blocks.1",
        "out_head.softmax": "out_head",
        "pos_emb": "embeddings",
        "tokens": "",
        "blocks": "",
    }
    assert {path: level_of(TINY, path) for path in nearest} == nearest
    assert levels(TINY, "blocks.0") == ("norm1", "attention", "norm2", "feed_forward")
    assert levels(TINY) == ("embeddings", "final_norm", "out_head")
    assert can_open(TINY, "blocks.0.attention")
    assert not can_open(TINY.changed(placeholders={"attention"}), "blocks.0.attention")
    assert not can_open(TINY, "blocks.0.shortcut1")
