"""Our model and its trace against Hugging Face's GPT-2, with the same random weights."""

from __future__ import annotations

import pytest
import torch

from benchmarks.hugging_face import their_model, with_their_weights
from gptviz.config import GPTConfig
from gptviz.tracing.trace import trace

SHAPES = [
    # emb_dim, n_layers, n_heads, context_length, n_tokens
    (48, 3, 4, 32, 32),
    (64, 1, 1, 16, 7),
    (30, 4, 5, 64, 1),
    (96, 2, 12, 40, 33),
]


def theirs(emb_dim, n_layers, n_heads, context_length):
    """A small random GPT-2, with weights ten times the usual so that heads really choose."""
    config = GPTConfig(
        vocab_size=300,
        context_length=context_length,
        emb_dim=emb_dim,
        n_heads=n_heads,
        n_layers=n_layers,
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = their_model(config)
        for name, parameter in model.named_parameters():
            if "ln_" not in name:
                torch.nn.init.normal_(parameter, std=0.2)
            else:  # norms that do something
                torch.nn.init.normal_(parameter, mean=float(name.endswith("weight")), std=0.2)
    return model


@pytest.fixture(scope="module", params=SHAPES, ids=lambda shape: "-".join(map(str, shape)))
def pair(request):
    """Their output with everything in it, our model, and the ids both have read."""
    *shape, n_tokens = request.param
    model = theirs(*shape)
    ids = torch.randint(300, (n_tokens,), generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        output = model(ids[None], output_hidden_states=True, output_attentions=True)
    return output, with_their_weights(model), ids.tolist()


def close(ours, others):
    torch.testing.assert_close(ours, others, atol=1e-4, rtol=0)


def test_logits(pair):
    output, model, ids = pair
    with torch.inference_mode():
        close(model(torch.tensor([ids])), output.logits)


def test_logits_of_the_trace(pair):
    output, model, ids = pair
    traced = trace(model, ids)
    for position in range(len(ids)):
        close(traced.logits(position), output.logits[0, position])


def test_every_hidden_state(pair):
    output, model, ids = pair
    traced = trace(model, ids)
    assert len(output.hidden_states) == len(traced.blocks) + 1
    for layer, block in enumerate(traced.blocks):
        close(block.resid_pre, output.hidden_states[layer][0])
        if layer + 1 < len(traced.blocks):
            close(block.resid_post, output.hidden_states[layer + 1][0])
    # their last one is after the final norm
    last = traced.blocks[len(traced.blocks) - 1]
    close(traced.final_norm, output.hidden_states[-1][0])
    with torch.inference_mode():
        close(model.final_norm(last.resid_post), output.hidden_states[-1][0])


def test_every_attention_map(pair):
    output, model, ids = pair
    traced = trace(model, ids)
    assert len(output.attentions) == len(traced.blocks)
    for block, maps in zip(traced.blocks, output.attentions, strict=True):
        for head in range(model.config.n_heads):
            close(block.attn_weights(head=head), maps[0, head])


def test_the_heads_choose(pair):
    """The comparison means something: these random heads are far from looking evenly."""
    output, _, ids = pair
    if len(ids) > 2:
        last_rows = torch.stack([maps[0, :, -1] for maps in output.attentions])
        assert last_rows.max() > 3 / len(ids)
