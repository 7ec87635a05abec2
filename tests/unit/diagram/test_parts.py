"""What the picture says of each part, held against the model that is built."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from torch import nn

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.diagram.parts import BLOCK_PARTS, KIND_OF, part, shape_text
from gptviz.figures.theme import KINDS
from gptviz.model import GPTModel

TINY = GPTConfig(vocab_size=300, context_length=16, emb_dim=24, n_heads=4, n_layers=2)
N_TOKENS, BATCH = 5, 7  # unlike all other sizes, so that no axis is taken for another
HOLDERS = ("", "blocks")  # they only hold others, and don't run

ALL_PLACEHOLDER_SETS = [
    frozenset(some)
    for size in range(len(PLACEHOLDER_PARTS) + 1)
    for some in combinations(PLACEHOLDER_PARTS, size)
]


def one_sentence(tensor):
    """The shape without the batch axis."""
    return tuple(tensor.shape[1:] if tensor.shape[0] == BATCH else tensor.shape)


def shapes_seen(config):
    """What really goes in and comes out of every module that runs: path -> (inputs, output)."""
    model, seen = GPTModel(config).eval(), {}

    def look(path):
        def hook(_module, inputs, output):
            seen[path] = (tuple(map(one_sentence, inputs)), one_sentence(output))

        return hook

    for path, module in model.named_modules():
        if path not in HOLDERS:
            module.register_forward_hook(look(path))
    model(torch.zeros(BATCH, N_TOKENS, dtype=torch.int64))
    return seen


@pytest.mark.parametrize("placeholders", ALL_PLACEHOLDER_SETS, ids=lambda p: "+".join(sorted(p)))
def test_shapes_are_those_the_model_has_when_it_runs(placeholders):
    config = TINY.changed(placeholders=placeholders)
    seen = shapes_seen(config)
    assert {"tok_emb", "blocks.0", "blocks.1.norm2", "out_head"} <= set(seen)
    for path, shapes in seen.items():
        piece = part(config, path, N_TOKENS)
        if not piece.placeholder:
            assert (piece.inputs, piece.output) == shapes, path


def test_every_module_of_a_block_is_a_part():
    ran = [path.removeprefix("blocks.1.") for path in shapes_seen(TINY) if "blocks.1." in path]
    assert sorted(ran) == sorted(BLOCK_PARTS)


@pytest.mark.parametrize("placeholders", ALL_PLACEHOLDER_SETS, ids=lambda p: "+".join(sorted(p)))
def test_a_part_is_a_placeholder_where_the_model_has_an_identity(placeholders):
    config = TINY.changed(placeholders=placeholders)
    for path, module in GPTModel(config, device="meta").named_modules():
        if path not in HOLDERS:
            assert part(config, path).placeholder == (type(module) is nn.Identity), path


def test_parts_without_a_module():
    assert part(TINY, "tokens", 5).output == (5,)
    assert part(TINY, "embeddings.sum", 5).inputs == ((5, 24), (5, 24))
    assert part(TINY, "next_token", 5).output == (300,)


def test_without_a_sentence_shapes_have_a_word_for_its_length():
    piece = part(TINY, "blocks.1.attention.core")
    assert piece.output == (4, "n_tokens", 6)
    assert shape_text(piece.output) == "(4, n_tokens, 6)"


@pytest.mark.parametrize(
    "path",
    [
        *("", "nonsense", "norm1", "tokens.norm1", "blocks.2", "blocks.-1", "blocks.x"),
        *("blocks.0.", "blocks.0.nonsense", "blocks.0.query", "blocks.0.attention.norm1"),
        "blocks.2.norm1",
    ],
)
def test_what_the_model_does_not_have_is_no_part(path):
    with pytest.raises(KeyError):
        part(TINY, path)


def test_every_kind_has_a_colour():
    kinds = {*KIND_OF.values(), part(TINY, "blocks.0").kind}
    assert kinds <= set(KINDS)
