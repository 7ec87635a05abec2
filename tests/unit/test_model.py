from __future__ import annotations

import platform
import sys

import pytest
import torch
from jaxtyping import TypeCheckError
from torch import nn

from gptviz.config import GPT_CONFIG_124M, PLACEHOLDER_PARTS, GPTConfig
from gptviz.model import (
    AttentionCore,
    GPTModel,
    LayerNorm,
    attn_scores,
    attn_weights,
    bands,
    layer_norm,
    merge_heads,
    split_heads,
)
from gptviz.presets import PRESETS

TINY = GPTConfig(vocab_size=300, context_length=16, emb_dim=24, n_heads=4, n_layers=3)

# "Every effort moves you" and "Every day holds a"
BOOK_BATCH = torch.tensor([[6109, 3626, 6100, 345], [6109, 1110, 6622, 257]])

same_dropout_as_the_book = pytest.mark.skipif(
    not (sys.platform == "linux" and platform.machine() in ("x86_64", "AMD64")),
    reason="torch draws CPU dropout's masks in another way on this platform",
)


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


# --- how large it is ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "untied", "tied", "real", "block", "attention", "feed_forward"),
    [
        ("gpt2-small", 163009536, 124412160, 124439808, 7085568, 2360064, 4722432),
        ("gpt2-medium", 406212608, 354749440, 354823168, 12593152, 4195328, 8393728),
        ("gpt2-large", 838220800, 773891840, 774030080, 19673600, 6554880, 13113600),
        ("gpt2-xl", 1637792000, 1557380800, 1557611200, 30736000, 10241600, 20488000),
    ],
)
def test_parameter_counts(preset, untied, tied, real, block, attention, feed_forward):
    config = PRESETS[preset]
    model = GPTModel(config, device="meta")
    assert n_parameters(model) == untied
    assert n_parameters(GPTModel(config.changed(tie_weights=True), device="meta")) == tied
    as_published = config.changed(tie_weights=True, qkv_bias=True)
    assert n_parameters(GPTModel(as_published, device="meta")) == real
    last = model.blocks[-1]
    counts = n_parameters(last), n_parameters(last.attention), n_parameters(last.feed_forward)
    assert counts == (block, attention, feed_forward)


def test_gpt3_is_made_without_memory():
    model = GPTModel(PRESETS["gpt3-175b"], device="meta")
    assert {p.device.type for p in model.parameters()} == {"meta"}
    vocab, context, emb, layers = 50257, 2048, 12288, 96
    blocks = layers * (12 * emb**2 + 10 * emb)
    assert n_parameters(model) == 2 * vocab * emb + context * emb + blocks + 2 * emb


def test_shapes_of_gpt2_small():
    model = GPTModel(GPTConfig(), device="meta")
    shapes = {}
    for path, module in model.named_modules():
        module.register_forward_hook(
            lambda _, __, out, path=path: shapes.__setitem__(path, tuple(out.shape))
        )
    model(BOOK_BATCH.to("meta"))
    assert tuple(model.tok_emb.weight.shape) == (50257, 768)
    assert tuple(model.pos_emb.weight.shape) == (1024, 768)
    assert shapes["blocks.0.attention.core"] == (2, 12, 4, 64)
    assert shapes["blocks.0.feed_forward.linear1"] == (2, 4, 3072)
    assert shapes["blocks.0.feed_forward"] == (2, 4, 768)
    assert shapes["blocks.11"] == (2, 4, 768)
    assert shapes[""] == (2, 4, 50257)


def test_the_paths_that_everything_else_relies_on():
    paths = {path for path, _ in GPTModel(TINY, device="meta").named_modules()}
    block = "norm1 attention attention.query attention.key attention.value attention.core".split()
    block += "attention.out_proj drop1 shortcut1 norm2 feed_forward feed_forward.linear1".split()
    block += "feed_forward.gelu feed_forward.linear2 drop2 shortcut2".split()
    whole = "tok_emb pos_emb drop_emb blocks final_norm out_head".split()
    expected = {"", *whole}
    for layer in range(3):
        expected |= {f"blocks.{layer}", *(f"blocks.{layer}.{part}" for part in block)}
    assert paths == expected


# --- the book's numbers ------------------------------------------------------------------------


def book_logits(train, **changes):
    """Logits of the book's batch; dropout's masks go on with the weights' generator."""
    generator = torch.Generator().manual_seed(123)
    model = GPTModel(GPTConfig(**GPT_CONFIG_124M, **changes), generator).train(train)
    with torch.random.fork_rng(), torch.inference_mode():
        torch.set_rng_state(generator.get_state())
        return model(BOOK_BATCH)


def close(logits, expected):
    torch.testing.assert_close(logits, torch.tensor(expected), atol=1e-4, rtol=0)


@same_dropout_as_the_book
def test_the_books_dummy_in_train_mode():
    logits = book_logits(train=True, placeholders=set(PLACEHOLDER_PARTS))
    close(logits[0, 0, :3], [-1.2034, 0.3201, -0.7130])


def test_the_books_dummy_in_eval_mode():
    logits = book_logits(train=False, placeholders=set(PLACEHOLDER_PARTS))
    close(logits[0, 0, :3], [-1.1947, 0.1392, -0.8616])


@same_dropout_as_the_book
def test_the_books_gpt_in_train_mode():
    logits = book_logits(train=True)
    close(logits[0, 0, :3], [0.3613, 0.4222, -0.0711])
    close(logits[0, 0, -3:], [0.3483, 0.4661, -0.2838])
    assert not torch.allclose(logits[0, 0], logits[1, 0], atol=0.01)  # both start with 6109


def test_the_books_gpt_in_eval_mode():
    logits = book_logits(train=False)
    torch.testing.assert_close(logits[0, 0], logits[1, 0], atol=1e-5, rtol=0)
    assert not torch.allclose(logits[0, 1], logits[1, 1], atol=0.01)


# --- what holds for every model ----------------------------------------------------------------


def test_no_token_sees_what_comes_later(tiny, ids):
    changed = ids.clone()
    changed[:, 9:] = (changed[:, 9:] + 1) % 300
    whole, other = tiny(ids), tiny(changed)
    torch.testing.assert_close(whole[:, :9], other[:, :9], atol=1e-5, rtol=0)
    torch.testing.assert_close(whole[:, :5], tiny(ids[:, :5]), atol=1e-5, rtol=0)
    assert not torch.allclose(whole[:, 9:], other[:, 9:], atol=0.01)


def test_eval_twice_is_bit_equal(tiny, ids):
    assert torch.equal(tiny(ids), tiny(ids))


def test_train_mode_drops(tiny, ids):
    dropping = GPTModel(TINY).train()
    assert torch.equal(dropping.out_head.weight, tiny.out_head.weight)
    with torch.random.fork_rng():
        assert not torch.equal(dropping(ids), dropping(ids))


@pytest.mark.parametrize("n_tokens", [0, 17])
def test_too_few_or_too_many_tokens(tiny, n_tokens):
    with pytest.raises(ValueError, match=rf"{n_tokens} tokens: .* from 1 to 16 \(context_length\)"):
        tiny(torch.zeros(1, n_tokens, dtype=torch.int64))


def test_making_a_model_leaves_everybodys_random_numbers_alone():
    before = torch.get_rng_state()
    GPTModel(TINY)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_seed_decides_the_weights():
    one, same, other = (GPTModel(TINY, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["tok_emb.weight"], other["tok_emb.weight"])


def test_weights_are_those_torch_draws_itself():
    ours = GPTModel(TINY, seed=5)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        tok_emb = nn.Embedding(TINY.vocab_size, TINY.emb_dim)
        pos_emb = nn.Embedding(TINY.context_length, TINY.emb_dim)
        query = nn.Linear(TINY.emb_dim, TINY.emb_dim, bias=False)
    assert torch.equal(ours.tok_emb.weight, tok_emb.weight)
    assert torch.equal(ours.pos_emb.weight, pos_emb.weight)
    assert torch.equal(ours.blocks[0].attention.query.weight, query.weight)


def test_a_tied_head_is_the_token_embedding():
    tied = GPTModel(TINY.changed(tie_weights=True))
    assert tied.out_head.weight is tied.tok_emb.weight
    # nothing else moves: the head is the last part that is drawn
    plain = GPTModel(TINY)
    assert torch.equal(tied.tok_emb.weight, plain.tok_emb.weight)
    last = "blocks.2.feed_forward.linear2.bias"
    assert torch.equal(tied.state_dict()[last], plain.state_dict()[last])


def test_qkv_bias_is_a_bias_on_these_three_and_changes_the_output(ids):
    biased = GPTModel(TINY.changed(qkv_bias=True))
    attention = biased.blocks[0].attention
    assert all(part.bias is not None for part in (attention.query, attention.key, attention.value))
    assert n_parameters(biased) - n_parameters(GPTModel(TINY)) == 3 * TINY.emb_dim * TINY.n_layers
    before = biased.eval()(ids)
    with torch.no_grad():
        attention.value.bias += 1
    assert not torch.allclose(biased(ids), before)


# --- its parts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n_tokens", [1, 2, 37])
def test_the_fused_core_is_the_textbooks_attention(n_tokens):
    query, key, value = some(3, 2, 5, n_tokens, 8)
    fused = AttentionCore(0.1).eval()(query, key, value)
    torch.testing.assert_close(fused, attn_weights(query, key) @ value, atol=1e-5, rtol=1e-5)


def test_attention_rows_sum_to_one_and_look_only_back():
    weights = attn_weights(some(2, 3, 9, 8), 10 * some(2, 3, 9, 8))
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 9), atol=1e-5, rtol=0)
    assert (weights.triu(1) == 0).all()
    assert (weights[..., 0, 0] == 1).all()


def test_attention_weights_by_hand():
    query, key = some(2, 4, 8)
    for q in range(4):
        scores = [float(query[q] @ key[k]) / 8**0.5 for k in range(q + 1)]
        expected = torch.softmax(torch.tensor(scores), 0)
        torch.testing.assert_close(attn_weights(query, key)[q, : q + 1], expected)
        assert attn_scores(query, key)[q, 0] / 8**0.5 == pytest.approx(scores[0], abs=1e-5)


def test_written_shapes_are_checked_while_tests_run():
    with pytest.raises(TypeCheckError, match="head_dim"):
        attn_weights(some(2, 4, 8), some(2, 4, 9))


def test_heads_are_slices_of_the_width():
    x = some(2, 5, 24)
    heads = split_heads(x, 4)
    assert torch.equal(heads[:, 1], x[:, :, 6:12])
    assert torch.equal(merge_heads(heads), x)


def test_the_textbooks_layer_norm_is_the_models():
    norm = LayerNorm(24)
    nn.init.normal_(norm.scale, generator=torch.Generator().manual_seed(1))
    nn.init.normal_(norm.shift, generator=torch.Generator().manual_seed(2))
    x = 3 + 5 * some(2, 7, 24)
    expected = layer_norm(x, norm.scale, norm.shift)
    torch.testing.assert_close(norm(x), expected, atol=1e-5, rtol=1e-5)


def test_the_books_layer_norm():
    with torch.random.fork_rng():
        torch.manual_seed(123)
        batch = torch.randn(2, 5)
        out = torch.relu(nn.Linear(5, 6)(batch))
    close(out.mean(-1), [0.1324, 0.2170])
    close(out.var(-1), [0.0231, 0.0398])
    normed = LayerNorm(6)(out)
    close(normed.mean(-1), [0.0, 0.0])
    variance = out.var(-1, correction=0)
    torch.testing.assert_close(normed.var(-1, correction=0), variance / (variance + 1e-5))
    close(normed.var(-1, correction=0), [0.9995, 0.9997])


def test_a_block_adds_to_the_stream(tiny):
    block, x = tiny.blocks[1], some(2, 5, 24)
    middle = x + block.attention(block.norm1(x))
    expected = middle + block.feed_forward(block.norm2(middle))
    torch.testing.assert_close(block(x), expected)


def test_gelu_is_the_tanh_form(tiny):
    x = torch.linspace(-4, 4, 33)
    expected = 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)))
    torch.testing.assert_close(tiny.blocks[0].feed_forward.gelu(x), expected)


# --- drawn in bands ----------------------------------------------------------------------------


@pytest.mark.parametrize("band", [1, 100, 1000, 2**23])
@pytest.mark.parametrize("shape", [(1, 1), (15, 1), (17, 1), (47, 1), (50, 3), (257, 24), (96, 16)])
@pytest.mark.parametrize("draw", [nn.init.normal_, nn.init.kaiming_uniform_])
def test_numbers_drawn_in_bands_are_those_drawn_at_once(draw, shape, band, monkeypatch):
    monkeypatch.setattr("gptviz.model.gpt.BAND", band)
    at_once, in_bands = torch.empty(shape), nn.Parameter(torch.empty(shape))
    one, other = (torch.Generator().manual_seed(123) for _ in range(2))
    draw(at_once, generator=one)
    for rows in bands(in_bands):
        draw(rows, generator=other)
    assert torch.equal(at_once, in_bands.data)
    assert torch.equal(one.get_state(), other.get_state())


def test_large_weights_have_many_bands(monkeypatch):
    monkeypatch.setattr("gptviz.model.gpt.BAND", 64)
    assert [len(rows) for rows in bands(torch.empty(50, 4))] == [16, 16, 18]


def test_the_drawing_can_be_stopped_before_any_band(monkeypatch):
    monkeypatch.setattr("gptviz.model.gpt.BAND", 64)
    calls = []
    GPTModel(TINY, before_each=lambda: calls.append(None))
    n_matrices = sum(p.dim() == 2 for p in GPTModel(TINY).parameters())
    assert len(calls) > 3 * n_matrices

    def stop():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        GPTModel(TINY, before_each=stop)
