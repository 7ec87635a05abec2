"""Our model and its trace against Hugging Face's GPT-2, with the same random weights."""

from __future__ import annotations

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from gptviz.config import GPTConfig
from gptviz.model import GPTModel
from gptviz.tracing import trace

SHAPES = [
    # emb_dim, n_layers, n_heads, context_length, n_tokens
    (48, 3, 4, 32, 32),
    (64, 1, 1, 16, 7),
    (30, 4, 5, 64, 1),
    (96, 2, 12, 40, 33),
]


def theirs(emb_dim, n_layers, n_heads, context_length):
    """A small random GPT-2, with weights ten times the usual so that heads really choose."""
    config = GPT2Config(
        vocab_size=300,
        n_positions=context_length,
        n_embd=emb_dim,
        n_layer=n_layers,
        n_head=n_heads,
        bos_token_id=299,
        eos_token_id=299,
        attn_implementation="eager",
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = GPT2LMHeadModel(config)
        for name, parameter in model.named_parameters():
            if "ln_" not in name:
                torch.nn.init.normal_(parameter, std=0.2)
            else:  # norms that do something
                torch.nn.init.normal_(parameter, mean=float(name.endswith("weight")), std=0.2)
    return model.eval()


# Their block's modules under our names; attn.c_attn is cut in three below.
NAMES = {
    "norm1.scale": "ln_1.weight",
    "norm1.shift": "ln_1.bias",
    "norm2.scale": "ln_2.weight",
    "norm2.shift": "ln_2.bias",
    "attention.out_proj": "attn.c_proj",
    "feed_forward.linear1": "mlp.c_fc",
    "feed_forward.linear2": "mlp.c_proj",
}


def with_their_weights(model):
    c = model.config
    config = GPTConfig(
        vocab_size=c.vocab_size,
        context_length=c.n_positions,
        emb_dim=c.n_embd,
        n_heads=c.n_head,
        n_layers=c.n_layer,
        qkv_bias=True,
        tie_weights=True,
    )
    source = model.transformer.state_dict()
    tensors = {
        "tok_emb.weight": source["wte.weight"],
        "out_head.weight": source["wte.weight"],
        "pos_emb.weight": source["wpe.weight"],
        "final_norm.scale": source["ln_f.weight"],
        "final_norm.shift": source["ln_f.bias"],
    }
    for layer in range(c.n_layer):
        tensors |= block_tensors(source, f"h.{layer}.", f"blocks.{layer}.")
    ours = GPTModel(config).eval()
    ours.load_state_dict(tensors, strict=True)
    return ours


def block_tensors(source, here, there):
    """One block's weights; their linear layers keep (in, out) where torch keeps (out, in)."""
    tensors = {}
    for ours, name in NAMES.items():
        if "norm" in ours:
            tensors[there + ours] = source[here + name]
        else:
            tensors[f"{there}{ours}.weight"] = source[f"{here}{name}.weight"].T
            tensors[f"{there}{ours}.bias"] = source[f"{here}{name}.bias"]
    weights = source[here + "attn.c_attn.weight"].T.chunk(3)
    biases = source[here + "attn.c_attn.bias"].chunk(3)
    for part, weight, bias in zip(("query", "key", "value"), weights, biases, strict=True):
        tensors[f"{there}attention.{part}.weight"] = weight
        tensors[f"{there}attention.{part}.bias"] = bias
    return tensors


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
