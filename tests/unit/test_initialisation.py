from __future__ import annotations

import pytest
import torch

from gptviz.config import GPTConfig
from gptviz.initialisation import draw_gpt2_weights, draw_positions
from gptviz.model import GPTModel


def test_positions_begin_as_waves_that_a_turn_moves_on():
    """One linear map takes every position to the next: what a previous-token head needs."""
    model = GPTModel(
        GPTConfig(vocab_size=300, context_length=64, emb_dim=32, n_heads=2, n_layers=1)
    )
    draw_positions(model)
    positions = model.pos_emb.weight.detach().double()
    step = torch.linalg.lstsq(positions[:-1], positions[1:]).solution
    torch.testing.assert_close(positions[:-1] @ step, positions[1:], atol=1e-6, rtol=0)
    likeness = positions @ positions.T
    assert (likeness.argmax(1) == torch.arange(64)).all()


def test_gpt2s_weights():
    config = GPTConfig(vocab_size=2000, context_length=64, emb_dim=128, n_heads=4, n_layers=8)
    model = GPTModel(config)
    draw_gpt2_weights(model, 1)
    block = model.blocks[3]
    for part in (model.tok_emb, model.out_head, block.attention.query, block.feed_forward.linear1):
        assert part.weight.std().item() == pytest.approx(0.02, rel=0.03)
    for part in (block.attention.out_proj, block.feed_forward.linear2):
        assert part.weight.std().item() == pytest.approx(0.02 / 4, rel=0.03)
        assert (part.bias == 0).all()
    assert (block.norm1.scale == 1).all()
    assert (block.norm1.shift == 0).all()
