"""A trace tells exactly what an untraced pass does, and leaves no trace of itself."""

from __future__ import annotations

import copy
import itertools
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from gptviz.config import PLACEHOLDER_PARTS, Dropout, GPTConfig
from gptviz.model import GPTModel
from gptviz.tracing.block_trace import BlockTrace
from gptviz.tracing.hooks import install_hooks, mask
from gptviz.tracing.trace import Trace, trace

CONFIG = GPTConfig(
    vocab_size=300, context_length=24, emb_dim=24, n_heads=3, n_layers=3, qkv_bias=True
)
IDS = [7, 299, 0, 7, 42, 42, 13]

PLACEHOLDER_SETS = [
    frozenset(chosen)
    for count in range(len(PLACEHOLDER_PARTS) + 1)
    for chosen in itertools.combinations(PLACEHOLDER_PARTS, count)
]


def made(config: GPTConfig = CONFIG, seed: int = 123) -> GPTModel:
    model = GPTModel(config, seed).eval()
    with torch.no_grad():  # norms that do something, or a wrong one would go unseen
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in model.named_parameters():
            if name.endswith(("scale", "shift")):
                parameter.add_(torch.rand(parameter.shape, generator=generator))
    return model


@pytest.fixture(scope="module")
def model() -> GPTModel:
    return made()


@pytest.fixture(scope="module")
def traced(model: GPTModel) -> Trace:
    return trace(model, IDS)


def plain_logits(model: GPTModel, ids: list[int]) -> Tensor:
    with torch.inference_mode():
        return model(torch.tensor([ids]))[0]


STATIONS = (
    "resid_pre",
    "normed1",
    "q",
    "k",
    "v",
    "attention_out",
    "resid_mid",
    "normed2",
    "ff_hidden",
    "feed_forward_out",
    "resid_post",
)


def forward_by_hand(model: GPTModel, ids: list[int]) -> dict[str, Any]:
    """The whole pass written out, token by token and head by head where it is about attention."""
    weights = {name: tensor.detach() for name, tensor in model.state_dict().items()}
    config = model.config

    def linear(name: str, x: Tensor) -> Tensor:
        y = x @ weights[f"{name}.weight"].T
        return y + weights[f"{name}.bias"] if f"{name}.bias" in weights else y

    def norm(name: str, x: Tensor) -> Tensor:
        scale, shift = weights[f"{name}.scale"], weights[f"{name}.shift"]
        return F.layer_norm(x, (config.emb_dim,), scale, shift, 1e-5)

    x = torch.stack([weights["tok_emb.weight"][i] for i in ids])
    x = x + weights["pos_emb.weight"][: len(ids)]
    stations: dict[str, Any] = {"embeddings": x, "blocks": []}
    for layer in range(config.n_layers):
        path = f"blocks.{layer}"
        found = {"resid_pre": x, "normed1": norm(f"{path}.norm1", x)}
        heads = range(config.n_heads)
        for letter, name in (("q", "query"), ("k", "key"), ("v", "value")):
            wide = linear(f"{path}.attention.{name}", found["normed1"])
            width = config.head_dim
            found[letter] = torch.stack([wide[:, h * width : (h + 1) * width] for h in heads])
        scores = torch.zeros(config.n_heads, len(ids), len(ids))
        attended = torch.zeros_like(scores)
        gathered = torch.zeros_like(found["v"])
        for head, row in itertools.product(heads, range(len(ids))):
            for column in range(len(ids)):
                scores[head, row, column] = found["q"][head, row] @ found["k"][head, column]
            seen = scores[head, row, : row + 1] / config.head_dim**0.5
            attended[head, row, : row + 1] = seen.softmax(0)
            gathered[head, row] = attended[head, row] @ found["v"][head]
        found |= {"attn_scores": scores, "attn_weights": attended, "context_vec": gathered}
        merged = torch.cat(list(gathered), dim=1)
        found["attention_out"] = linear(f"{path}.attention.out_proj", merged)
        found["resid_mid"] = x + found["attention_out"]
        found["normed2"] = norm(f"{path}.norm2", found["resid_mid"])
        found["ff_hidden"] = linear(f"{path}.feed_forward.linear1", found["normed2"])
        found["gelu_out"] = F.gelu(found["ff_hidden"], approximate="tanh")
        found["feed_forward_out"] = linear(f"{path}.feed_forward.linear2", found["gelu_out"])
        x = found["resid_post"] = found["resid_mid"] + found["feed_forward_out"]
        stations["blocks"].append(found)
    stations["final_norm"] = norm("final_norm", x)
    stations["logits"] = linear("out_head", stations["final_norm"])
    return stations


def value(holder: object, name: str) -> Tensor:
    found = getattr(holder, name)
    return found() if callable(found) else found


def test_every_station_is_that_of_a_pass_by_hand(model: GPTModel, traced: Trace) -> None:
    by_hand = forward_by_hand(model, IDS)
    torch.testing.assert_close(traced.embeddings, by_hand["embeddings"])
    torch.testing.assert_close(traced.tok_emb + traced.pos_emb, by_hand["embeddings"])
    for block, expected in zip(traced.blocks, by_hand["blocks"], strict=True):
        assert set(STATIONS) <= set(expected)
        for name, tensor in expected.items():
            torch.testing.assert_close(value(block, name), tensor, atol=1e-5, rtol=1e-5, msg=name)
    torch.testing.assert_close(traced.final_norm, by_hand["final_norm"], atol=1e-5, rtol=1e-5)
    for position in range(len(IDS)):
        expected = by_hand["logits"][position]
        torch.testing.assert_close(traced.logits(position), expected, atol=1e-5, rtol=1e-5)


def test_what_is_made_again_is_what_the_pass_made(model: GPTModel, traced: Trace) -> None:
    made: dict[str, Tensor] = {}
    watched = ("norm1", "norm2", "shortcut1", "feed_forward.linear1", "feed_forward.gelu")
    hooks = [
        block.get_submodule(name).register_forward_hook(
            lambda _module, _input, output, key=f"{layer}.{name}": made.update({key: output[0]})
        )
        for layer, block in enumerate(model.blocks)
        for name in watched
    ]
    plain_logits(model, IDS)
    for hook in hooks:
        hook.remove()
    again = ("normed1", "normed2", "resid_mid", "ff_hidden", "gelu_out")
    for layer, block in enumerate(traced.blocks):
        for name, station in zip(watched, again, strict=True):
            assert torch.equal(made[f"{layer}.{name}"], getattr(block, station)), station


def test_logits_are_the_models(model: GPTModel, traced: Trace) -> None:
    logits = plain_logits(model, IDS)
    for position in [*range(len(IDS)), *range(-len(IDS), 0)]:
        torch.testing.assert_close(traced.logits(position), logits[position])
        torch.testing.assert_close(
            traced.probabilities(position), logits[position].softmax(0), atol=1e-6, rtol=1e-5
        )
    assert traced.probabilities().sum().item() == pytest.approx(1, abs=1e-5)
    assert torch.equal(traced.logits(), traced.logits(len(IDS) - 1))


def test_attention_rows_sum_to_one_and_see_nothing_later(traced: Trace) -> None:
    for block in traced.blocks:
        weights = block.attn_weights()
        assert weights is not None
        torch.testing.assert_close(weights.sum(-1), torch.ones(3, len(IDS)), atol=1e-5, rtol=0)
        assert not weights.triu(diagonal=1).any()
        assert (weights.tril() >= 0).all()


def test_one_head_is_that_of_all_heads(traced: Trace) -> None:
    block = traced.blocks[1]
    weights, scores = block.attn_weights(), block.attn_scores()
    assert weights is not None
    assert scores is not None
    for head in range(CONFIG.n_heads):
        torch.testing.assert_close(block.attn_weights(head), weights[head])
        torch.testing.assert_close(block.attn_scores(head), scores[head])


def test_the_stream_goes_on_from_block_to_block(traced: Trace) -> None:
    assert traced.embeddings.data_ptr() == traced.blocks[0].resid_pre.data_ptr()
    for before, after in itertools.pairwise(traced.blocks):
        assert before.resid_post.data_ptr() == after.resid_pre.data_ptr()
    for block in traced.blocks:
        assert block.attention_out is not None
        assert block.feed_forward_out is not None
        total = block.resid_pre + block.attention_out + block.feed_forward_out
        torch.testing.assert_close(total, block.resid_post, atol=1e-5, rtol=1e-5)


def test_later_tokens_change_nothing_before(model: GPTModel, traced: Trace) -> None:
    longer = trace(model, [*IDS, 5, 6, 250])
    for short, long in zip(traced.blocks, longer.blocks, strict=True):
        torch.testing.assert_close(
            long.resid_post[: len(IDS)], short.resid_post, atol=1e-5, rtol=1e-5
        )
    torch.testing.assert_close(longer.logits(len(IDS) - 1), traced.logits(), atol=1e-5, rtol=1e-5)


def test_twice_is_bit_equal(model: GPTModel, traced: Trace) -> None:
    again = trace(model, torch.tensor(IDS))
    assert torch.equal(again.token_ids, traced.token_ids)
    assert torch.equal(again.logits(), traced.logits())
    assert torch.equal(again.logits(2), traced.logits(2))
    for one, other in zip(again.blocks, traced.blocks, strict=True):
        for name in [*STATIONS, "context_vec", "gelu_out"]:
            assert torch.equal(value(one, name), value(other, name)), name


@pytest.mark.parametrize("placeholders", PLACEHOLDER_SETS, ids=lambda s: "+".join(sorted(s)) or "-")
def test_placeholders_leave_out_what_is_not_built(placeholders: frozenset[str]) -> None:
    model = made(CONFIG.changed(placeholders=placeholders))
    traced = trace(model, IDS)
    torch.testing.assert_close(traced.logits(), plain_logits(model, IDS)[-1])
    torch.testing.assert_close(traced.logits(1), plain_logits(model, IDS)[1])
    absent = {
        "norm": ["normed1", "normed2"],
        "attention": ["q", "k", "v", "attn_scores", "attn_weights", "context_vec", "attention_out"],
        "feed_forward": ["ff_hidden", "gelu_out", "feed_forward_out"],
    }
    for block in traced.blocks:
        for part, names in absent.items():
            for name in names:
                assert (value(block, name) is None) == (part in placeholders), name
        follow_the_stream(block, placeholders)
    assert (traced.final_norm is None) == ("norm" in placeholders)


def follow_the_stream(block: BlockTrace, placeholders: frozenset[str]) -> None:
    """Check both shortcuts' rules: what is missing adds nothing, or passes its input on."""
    halves = (
        ("attention", block.resid_pre, block.normed1, block.attention_out, block.resid_mid),
        ("feed_forward", block.resid_mid, block.normed2, block.feed_forward_out, block.resid_post),
    )
    for part, before, normed, added, after in halves:
        read = before if normed is None else normed
        if "shortcut" in placeholders:
            expected = read if added is None else added
        else:
            expected = before if added is None else before + added
        torch.testing.assert_close(after, expected, msg=part)


def test_size_counts_shared_memory_once() -> None:
    config = CONFIG.changed(n_layers=2)
    n, d = len(IDS), config.emb_dim
    a_block = 3 * d  # what attention adds, what the feed-forward adds, the stream afterwards
    numbers = n * (3 * d + 2 * a_block + d) + config.vocab_size
    assert trace(made(config), IDS).nbytes == 4 * numbers + 8 * n  # ids have 8 bytes each
    # A block of placeholders passes on the tensor it was given: nothing more is kept.
    dummy = config.changed(placeholders=set(PLACEHOLDER_PARTS))
    assert trace(made(dummy), IDS).nbytes == 4 * (n * 3 * d + config.vocab_size) + 8 * n


def test_two_threads_do_not_mix(model: GPTModel) -> None:
    sentences = [IDS, [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]]
    alone = [trace(model, ids) for ids in sentences]
    side_by_side = threading.Barrier(2, timeout=30)

    def together(ids: list[int]) -> Trace:
        return trace(model, ids, before_block=lambda _: side_by_side.wait())

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(together, sentences))
    for one, other in zip(alone, both, strict=True):
        assert torch.equal(one.token_ids, other.token_ids)
        assert torch.equal(one.logits(), other.logits())
        for block, same in zip(one.blocks, other.blocks, strict=True):
            for name in STATIONS:
                assert torch.equal(value(block, name), value(same, name)), name


def test_a_plain_pass_beside_a_trace_is_whole(model: GPTModel) -> None:
    whole = plain_logits(model, IDS)
    seen: list[Tensor] = []

    def look(_layer: int) -> None:
        with ThreadPoolExecutor(1) as pool:
            seen.append(pool.submit(plain_logits, model, IDS).result())
        seen.append(plain_logits(model, IDS))  # and in the caller's own thread

    traced = trace(model, [9, 8, 7], before_block=look)
    assert len(seen) == 2 * CONFIG.n_layers
    assert all(torch.equal(logits, whole) for logits in seen)
    assert torch.equal(traced.logits(), trace(model, [9, 8, 7]).logits())


def test_hooks_change_nothing_outside_a_trace() -> None:
    fresh, hooked = made(), made()
    install_hooks(hooked)
    ids = torch.tensor([IDS, IDS[::-1]])
    assert torch.equal(fresh(ids), hooked(ids))
    hooked(ids).sum().backward()  # and gradients flow
    assert hooked.tok_emb.weight.grad is not None


def count_of_hooks(model: GPTModel) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())


def test_hooks_are_installed_once() -> None:
    model = made()
    assert count_of_hooks(model) == 0
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: install_hooks(model), range(8)))
    installed = count_of_hooks(model)
    assert installed > 0
    first = trace(model, IDS)
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(trace(copied, IDS).stream, first.stream)
        assert count_of_hooks(copied) == installed
    assert count_of_hooks(model) == installed


def test_what_before_block_raises_stops_the_pass_and_breaks_nothing() -> None:
    class MovedOn(BaseException):
        pass

    model, called = made(), []

    def stop(layer: int) -> None:
        called.append(layer)
        if layer == 1:
            raise MovedOn

    with pytest.raises(MovedOn):
        trace(model, IDS, before_block=stop)
    assert called == [0, 1]
    assert torch.equal(plain_logits(model, IDS), plain_logits(made(), IDS))
    assert torch.equal(trace(model, IDS).logits(), trace(made(), IDS).logits())
    assert not torch.is_inference_mode_enabled()


def test_random_numbers_and_gradients_are_left_alone(model: GPTModel) -> None:
    before = torch.get_rng_state()
    traced = trace(model, IDS)
    assert torch.equal(torch.get_rng_state(), before)
    for tensor in (traced.logits(0), traced.blocks[0].gelu_out, traced.blocks[0].attn_weights(0)):
        assert tensor is not None
        assert not tensor.requires_grad


def test_train_mode_is_refused() -> None:
    with pytest.raises(ValueError, match=r"call model\.eval\(\)"):
        trace(GPTModel(CONFIG), IDS)


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([], "0 tokens: this model reads from 1 to 24"),
        ([1] * 25, "25 tokens: this model reads from 1 to 24"),
        ([1, 300], "token id 300 at position 1 is outside the vocabulary: .* 0 to 299"),
        ([-1], "token id -1 at position 0 is outside"),
        ([2**70], "is outside the vocabulary"),
    ],
)
def test_bad_ids_are_refused_in_words(model: GPTModel, ids: list[int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        trace(model, ids)
    assert trace(model, [1] * 24).n_tokens == 24


def test_any_row_of_whole_numbers_is_read(model: GPTModel, traced: Trace) -> None:
    for ids in (tuple(IDS), iter(IDS), torch.tensor(IDS, dtype=torch.int32)):
        assert torch.equal(trace(model, ids).logits(), traced.logits())


def test_what_is_not_there_is_refused_in_words(traced: Trace) -> None:
    for layer in (3, -1):
        with pytest.raises(IndexError, match=rf"layer {layer} isn't there: .* 0 to 2"):
            traced.blocks[layer]
    for head in (3, -1):
        for ask in (traced.blocks[0].attn_weights, traced.blocks[0].attn_scores):
            with pytest.raises(IndexError, match=rf"head {head} isn't there: .* 0 to 2"):
                ask(head)
    for position in (7, -8):
        for ask in (traced.logits, traced.probabilities):
            with pytest.raises(IndexError, match=rf"position {position} is outside .* 0 to 6"):
                ask(position)
    assert traced.blocks[1:] == tuple(traced.blocks)[1:]


# --- train mode, as a value of the pass --------------------------------------------------------

DROPOUT = Dropout(rate=0.3, seed=5)


class Masked(torch.nn.Module):
    """A dropout whose mask is known."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    def forward(self, x: Tensor) -> Tensor:
        zeros = ~mask(DROPOUT, self.path, tuple(x.shape))
        return x.masked_fill(zeros, 0.0) / 0.7


class MaskedCore(torch.nn.Module):
    """Attention, query by query, whose weights are dropped by a known mask."""

    def __init__(self, layer: int) -> None:
        super().__init__()
        self.drop = Masked(f"blocks.{layer}.attention.core.dropout")
        self.dropped: Tensor | None = None

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        weights = torch.zeros(1, query.shape[1], query.shape[2], query.shape[2])
        for head, row in itertools.product(range(query.shape[1]), range(query.shape[2])):
            scores = key[0, head, : row + 1] @ query[0, head, row] / query.shape[-1] ** 0.5
            weights[0, head, row, : row + 1] = scores.softmax(0)
        self.dropped = self.drop(weights)
        return self.dropped @ value


def with_known_masks(model: GPTModel) -> GPTModel:
    """The same model with other modules in place of its dropouts; it has no hooks."""
    masked = GPTModel(model.config).eval()
    masked.load_state_dict(model.state_dict())
    masked.drop_emb = Masked("drop_emb")
    for layer, block in enumerate(masked.blocks):
        if model.config.has("attention"):
            block.attention.core = MaskedCore(layer)
            block.drop1 = Masked(f"blocks.{layer}.drop1")
        if model.config.has("feed_forward"):
            block.drop2 = Masked(f"blocks.{layer}.drop2")
    return masked


@pytest.mark.parametrize("placeholders", PLACEHOLDER_SETS, ids=lambda s: "+".join(sorted(s)) or "-")
def test_train_mode_is_the_model_with_these_masks(placeholders: frozenset[str]) -> None:
    model = made(CONFIG.changed(placeholders=placeholders))
    expected = with_known_masks(model)
    dropping = trace(model, IDS, dropout=DROPOUT)
    torch.testing.assert_close(dropping.logits(), plain_logits(expected, IDS)[-1])
    torch.testing.assert_close(dropping.logits(2), plain_logits(expected, IDS)[2])
    torch.testing.assert_close(
        dropping.embeddings, expected.drop_emb(dropping.tok_emb[None] + dropping.pos_emb)[0]
    )
    for block, wanted in zip(dropping.blocks, expected.blocks, strict=True):
        follow_the_stream(block, placeholders)
        if "attention" not in placeholders:
            weights = block.dropped_weights()
            assert weights is not None
            torch.testing.assert_close(weights, wanted.attention.core.dropped[0])
            torch.testing.assert_close(block.dropped_weights(2), weights[2])
            torch.testing.assert_close(block.context_vec, weights @ block.v)
            rows = value(block, "attn_weights").sum(-1)
            torch.testing.assert_close(rows, torch.ones_like(rows))


def test_what_train_mode_makes_again_is_what_the_pass_made() -> None:
    seen: dict[str, Tensor] = {}
    copied = made()
    watched = {"attention.core": "context_vec", "norm2": "normed2", "shortcut1": "resid_mid"}
    watched |= {"feed_forward.gelu": "gelu_out", "drop2": "feed_forward_out"}
    install_hooks(copied)
    watching = [
        block.get_submodule(name).register_forward_hook(
            lambda _m, _i, output, key=f"{layer}.{name}": seen.update({key: output[0]})
        )
        for (layer, block), name in itertools.product(enumerate(copied.blocks), watched)
    ]
    dropping = trace(copied, IDS, dropout=DROPOUT)
    for hook in watching:
        hook.remove()
    for layer, name in itertools.product(range(CONFIG.n_layers), watched):
        again = value(dropping.blocks[layer], watched[name])
        assert torch.equal(again, seen[f"{layer}.{name}"]), name


def test_a_mask_drops_its_share_and_each_place_and_seed_has_its_own() -> None:
    names = ("drop1", "drop2", "attention.core.dropout")
    places = ["drop_emb", *(f"blocks.{layer}.{name}" for layer in (0, 1) for name in names)]
    masks = [mask(DROPOUT, place, (200, 50)) for place in places]
    masks.append(mask(Dropout(0.3, seed=6), places[3], (200, 50)))
    for stays in masks:
        assert stays.dtype == torch.bool
        assert stays.float().mean().item() == pytest.approx(0.7, abs=0.03)
    for one, other in itertools.combinations(masks, 2):
        assert (one == other).float().mean().item() == pytest.approx(0.58, abs=0.03)
    assert torch.equal(mask(DROPOUT, places[3], (200, 50)), masks[3])


def test_dropping_nothing_is_eval_mode(model: GPTModel, traced: Trace) -> None:
    nothing = trace(model, IDS, dropout=Dropout(0.0))
    torch.testing.assert_close(nothing.logits(), traced.logits())
    assert not torch.allclose(trace(model, IDS, dropout=DROPOUT).logits(), traced.logits())
    assert torch.equal(trace(model, IDS).logits(), traced.logits())  # nothing stays behind
    assert torch.equal(value(traced.blocks[0], "dropped_weights"), traced.blocks[0].attn_weights())


def test_masks_cost_no_memory_in_a_trace(model: GPTModel, traced: Trace) -> None:
    dropping = trace(model, IDS, dropout=DROPOUT)
    assert dropping.nbytes == traced.nbytes


def test_train_and_eval_mode_at_the_same_moment_do_not_mix(model: GPTModel) -> None:
    passes = (None, DROPOUT, Dropout(0.3, seed=6))
    alone = [trace(model, IDS, dropout=one) for one in passes]
    side_by_side = threading.Barrier(3, timeout=30)

    def together(dropout: Dropout | None) -> Trace:
        return trace(model, IDS, lambda _: side_by_side.wait(), dropout)

    state = torch.get_rng_state()
    with ThreadPoolExecutor(3) as pool:
        both = list(pool.map(together, passes))
    assert torch.equal(torch.get_rng_state(), state)
    for one, other in zip(alone, both, strict=True):
        assert torch.equal(one.logits(), other.logits())
        assert torch.equal(one.stream, other.stream)
    assert not torch.equal(alone[1].logits(), alone[2].logits())


@pytest.mark.parametrize(
    "found",
    [lambda t: t.stream, lambda t: t.blocks[1].resid_pre, lambda t: t.blocks[0].attn_weights()],
    ids=["stream", "resid_pre", "attn_weights"],
)
def test_autograd_needs_a_clone_of_a_traced_tensor(traced, found):
    tensor = found(traced)
    weight = torch.ones(1, requires_grad=True)
    with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
        (tensor * weight).sum()
    with torch.no_grad(), torch.enable_grad():
        own = tensor.clone().requires_grad_()
        (own * weight).square().sum().backward()
    assert torch.equal(own.grad, 2 * tensor)
