from __future__ import annotations

from itertools import combinations

import pytest
import torch
from torch import nn

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.model import GPTModel

TINY = GPTConfig(vocab_size=300, context_length=16, emb_dim=24, n_heads=4, n_layers=3)

ALL_PLACEHOLDER_SETS = [
    frozenset(some)
    for size in range(len(PLACEHOLDER_PARTS) + 1)
    for some in combinations(PLACEHOLDER_PARTS, size)
]


@pytest.fixture(scope="module")
def tiny():
    return GPTModel(TINY).eval()


@pytest.fixture(scope="module")
def ids():
    return torch.randint(300, (2, 16), generator=torch.Generator().manual_seed(0))


def n_parameters(module):
    return sum(p.numel() for p in module.parameters())


def some(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize("placeholders", ALL_PLACEHOLDER_SETS, ids=lambda p: "+".join(sorted(p)))
class TestPlaceholders:
    def test_it_runs_and_starts_from_the_same_embeddings(self, placeholders, ids, tiny):
        model = GPTModel(TINY.changed(placeholders=placeholders)).eval()
        assert model(ids).shape == (2, 16, 300)
        assert torch.equal(model.tok_emb.weight, tiny.tok_emb.weight)

    def test_what_is_not_built_has_no_parameters_and_keeps_its_path(self, placeholders):
        model = GPTModel(TINY.changed(placeholders=placeholders), device="meta")
        full = GPTModel(TINY, device="meta")
        names = {"attention": ["attention", "drop1"], "feed_forward": ["feed_forward", "drop2"]}
        names |= {"norm": ["norm1", "norm2"], "shortcut": ["shortcut1", "shortcut2"]}
        for part, places in names.items():
            for path in [f"blocks.{layer}.{place}" for layer in range(3) for place in places]:
                is_identity = type(model.get_submodule(path)) is nn.Identity
                assert is_identity == (part in placeholders), path
                expected = 0 if is_identity else n_parameters(full.get_submodule(path))
                assert n_parameters(model.get_submodule(path)) == expected, path
        assert (type(model.final_norm) is nn.Identity) == ("norm" in placeholders)
        assert type(model.drop_emb) is nn.Dropout

    def test_a_block_is_the_sum_of_what_is_built(self, placeholders):
        config = TINY.changed(placeholders=placeholders)
        block = GPTModel(config).eval().blocks[0]
        x = expected = some(2, 5, 24)
        for part, norm, module in (
            ("attention", block.norm1, block.attention),
            ("feed_forward", block.norm2, block.feed_forward),
        ):
            if config.has(part):
                made = module(norm(expected))
                expected = expected + made if config.has("shortcut") else made
            elif not config.has("shortcut"):
                expected = norm(expected)  # a placeholder passes on what it is given
        torch.testing.assert_close(block(x), expected)


def test_the_dummy_gpts_blocks_do_nothing():
    block = GPTModel(TINY.changed(placeholders=set(PLACEHOLDER_PARTS))).blocks[0].train()
    x = some(2, 5, 24)
    assert torch.equal(block(x), x)
