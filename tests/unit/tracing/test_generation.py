"""Writing with a cache gives the text that reading everything anew for each token would give."""

from __future__ import annotations

import itertools
import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from gptviz.config import PLACEHOLDER_PARTS, ConfigError, GPTConfig, Sampling
from gptviz.counting.ledger import Ledger
from gptviz.loading import load
from gptviz.model import GPTModel
from gptviz.presets import PRESETS
from gptviz.tracing.generation import Generated, Reader, filtered, generate
from gptviz.tracing.hooks import install_hooks
from gptviz.tracing.trace import trace

CONFIG = GPTConfig(vocab_size=300, context_length=24, emb_dim=24, n_heads=3, n_layers=3)
IDS = [7, 299, 0, 7, 42]
PLAIN, COLD = Sampling(), Sampling(temperature=0)

ALL_PLACEHOLDER_SETS = [
    frozenset(some)
    for size in range(len(PLACEHOLDER_PARTS) + 1)
    for some in itertools.combinations(PLACEHOLDER_PARTS, size)
]
CONFIGS = [CONFIG.changed(placeholders=placeholders) for placeholders in ALL_PLACEHOLDER_SETS]
CONFIGS += [CONFIG.changed(qkv_bias=True), CONFIG.changed(tie_weights=True)]
CONFIGS += [CONFIG.changed(n_heads=1, n_layers=1), CONFIG.changed(n_heads=24)]


@pytest.fixture(scope="module")
def model() -> GPTModel:
    return GPTModel(CONFIG).eval()


def plain_logits(model: GPTModel, ids: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        return model(torch.tensor([ids]))[0, -1]


def ids_of(written: list[Generated]) -> list[int]:
    return [token.token_id for token in written]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: "+".join(sorted(c.placeholders)) or "all")
@pytest.mark.parametrize("sampling", [COLD, PLAIN, Sampling(0.7, 50, 0.9)], ids=str)
def test_the_text_and_the_scores_are_those_of_the_plain_pass(config, sampling) -> None:
    model = GPTModel(config, seed=5).eval()
    install_hooks(model)
    written = list(generate(model, IDS, 12, sampling, seed=3))
    text = list(IDS)
    for token in written:
        assert token.position == len(text)
        logits = plain_logits(model, text)
        torch.testing.assert_close(token.logits, logits, atol=1e-4, rtol=0)
        share = filtered(logits, sampling)[token.token_id]
        assert token.probability == pytest.approx(float(share), abs=1e-4)
        if sampling == COLD:
            assert token.token_id == int(logits.argmax())
        # without a cache: the whole text is read anew for this token alone
        [alone] = generate(model, text, 1, sampling, seed=3)
        assert alone.token_id == token.token_id
        text.append(token.token_id)
    assert len(written) == 12 or written[-1].token_id == 299


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: "+".join(sorted(c.placeholders)) or "all")
def test_the_cache_grows_by_what_the_ledger_says(config) -> None:
    written = list(generate(GPTModel(config).eval(), IDS, 9))
    for token in written:
        in_all = Ledger(config).kv_cache_bytes(token.position, bytes_per_number=4)
        assert sum(token.layer_bytes) == in_all
        assert token.layer_bytes == (in_all // config.n_layers,) * config.n_layers


def test_reading_in_pieces_is_reading_at_once(model) -> None:
    whole = plain_logits(model, IDS)
    for cut in range(1, len(IDS)):
        reader = Reader(model)
        reader.read(IDS[:cut])
        torch.testing.assert_close(reader.read(IDS[cut:]), whole, atol=1e-5, rtol=0)
        assert reader.n_tokens == len(IDS)


def test_a_text_written_in_two_goes_is_the_text_written_in_one(model) -> None:
    whole = ids_of(list(generate(model, IDS, 14, PLAIN, seed=9)))
    for cut in (1, 6, 13):
        first = ids_of(list(generate(model, IDS, cut, PLAIN, seed=9)))
        rest = ids_of(list(generate(model, IDS + first, 14 - cut, PLAIN, seed=9)))
        assert first + rest == whole


def test_the_seed_decides_and_nobody_elses_random_numbers_do(model) -> None:
    before = torch.random.get_rng_state()
    one = ids_of(list(generate(model, IDS, 12, PLAIN, seed=1)))
    assert torch.equal(before, torch.random.get_rng_state())
    torch.rand(3)
    assert ids_of(list(generate(model, IDS, 12, PLAIN, seed=1))) == one
    assert ids_of(list(generate(model, IDS, 12, PLAIN, seed=2))) != one


def test_draws_follow_the_probabilities(model) -> None:
    sampling = Sampling(temperature=0.5, top_k=3)
    shares = filtered(plain_logits(model, IDS), sampling)
    seeds = 3000
    drawn = [next(generate(model, IDS, 1, sampling, seed)).token_id for seed in range(seeds)]
    for token_id in set(drawn) | set(shares.nonzero().flatten().tolist()):
        share = float(shares[token_id])
        spread = math.sqrt(share * (1 - share) / seeds)
        assert drawn.count(token_id) / seeds == pytest.approx(share, abs=5 * spread)


def test_it_ends_after_end_of_text() -> None:
    model = GPTModel(CONFIG.changed(placeholders={"norm"})).eval()
    with torch.no_grad():  # the last token's own stream is what the head likes best
        model.out_head.weight[299] = 50 * trace(model, IDS).stream[-1]
    [token] = generate(model, IDS, 10, COLD)
    assert token.token_id == 299


def test_it_ends_where_the_context_is_full(model) -> None:
    seeds = (seed for seed in itertools.count() if 299 not in _to_the_end(model, seed))
    written = _to_the_end(model, next(seeds))
    assert len(written) == CONFIG.context_length - len(IDS) + 1  # the last can't be read
    [last] = generate(model, [1] * CONFIG.context_length, 5)
    assert last.position == CONFIG.context_length


def _to_the_end(model: GPTModel, seed: int) -> list[int]:
    return ids_of(list(generate(model, IDS, 1000, seed=seed)))


def test_nothing_is_asked_for_and_nothing_is_done(model) -> None:
    seen: list[int] = []
    assert list(generate(model, IDS, 0, before_block=seen.append)) == []
    assert seen == []


def test_a_caller_who_has_moved_on_stops_it_before_the_next_block(model) -> None:
    layers: list[int] = []

    def before_block(layer: int) -> None:
        layers.append(layer)
        if len(layers) == 5:
            raise KeyboardInterrupt

    writing = generate(model, IDS, 10, before_block=before_block)
    next(writing)
    with pytest.raises(KeyboardInterrupt):
        next(writing)
    assert layers == [0, 1, 2, 0, 1]


def test_many_threads_write_and_trace_with_one_model(model) -> None:
    install_hooks(model)
    alone = [ids_of(list(generate(model, IDS, 15, seed=seed))) for seed in range(4)]
    scores = trace(model, IDS).last_logits
    with ThreadPoolExecutor(8) as pool:
        texts = [pool.submit(lambda s=s: list(generate(model, IDS, 15, seed=s))) for s in range(4)]
        traces = [pool.submit(trace, model, IDS) for _ in range(8)]
        assert [ids_of(text.result()) for text in texts] == alone
        assert all(torch.equal(each.result().last_logits, scores) for each in traces)


def test_a_caller_between_two_tokens_is_not_in_inference_mode(model) -> None:
    for _ in generate(model, IDS, 2):
        assert not torch.is_inference_mode_enabled()


def test_the_trained_model_writes_as_it_reads() -> None:
    tales = load("tales")
    ids = tales.tokenizer.encode("Once upon a time there was a")
    text = list(ids)
    for token in generate(tales.model, ids, 20, COLD):
        assert token.token_id == int(plain_logits(tales.model, text).argmax())
        text.append(token.token_id)


@pytest.mark.parametrize(
    ("ids", "n", "words"),
    [([], 1, "0 tokens: this model reads from 1 to 24"),
     ([1] * 25, 1, "25 tokens: this model reads from 1 to 24"),
     ([300], 1, "token id 300 at position 0 is outside the vocabulary"),
     ([1], -1, "n=-1 tokens can't be written")],
)  # fmt: skip
def test_what_cannot_be_done_is_said_at_once(model, ids, n, words) -> None:
    with pytest.raises(ValueError, match=words):
        generate(model, ids, n)


def test_a_model_in_train_mode_is_refused() -> None:
    with pytest.raises(ValueError, match=r"call model.eval\(\)"):
        generate(GPTModel(CONFIG), IDS, 1)


def test_a_reader_reads_no_more_than_the_context(model) -> None:
    reader = Reader(model)
    reader.read([1] * 20)
    with pytest.raises(ValueError, match="25 tokens: this model reads from 1 to 24"):
        reader.read([1] * 5)


LOGITS = torch.tensor([4.51, 0.89, -1.90, 6.75, 1.63, -1.62, -1.89, 6.28, 1.79])


def by_hand(logits: list[float], temperature: float, top_k: int, top_p: float) -> list[float]:
    """The shares, one after another, with loops and lists only."""
    order = sorted(range(len(logits)), key=lambda i: -logits[i])
    kept = order[: top_k or len(order)]
    weights = {i: math.exp((logits[i] - max(logits)) / temperature) for i in kept}
    shares = {i: weight / sum(weights.values()) for i, weight in weights.items()}
    nucleus: list[int] = []
    for i in kept:
        if sum(shares[j] for j in nucleus) < top_p:
            nucleus.append(i)
    whole = sum(shares[i] for i in nucleus)
    return [shares[i] / whole if i in nucleus else 0.0 for i in range(len(logits))]


@pytest.mark.parametrize("temperature", [0.1, 0.7, 1.0, 5.0])
@pytest.mark.parametrize("top_k", [0, 1, 3, 9, 20])
@pytest.mark.parametrize("top_p", [0.01, 0.5, 0.9, 1.0])
def test_shares_are_those_of_the_slow_way(temperature, top_k, top_p) -> None:
    found = filtered(LOGITS, Sampling(temperature, top_k, top_p))
    expected = by_hand(LOGITS.tolist(), temperature, top_k, top_p)
    assert found.tolist() == pytest.approx(expected, abs=1e-7)
    assert float(found.sum()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("n", "kept"), [(100, 10), (100, 70), (10, 3), (7, 7), (50257, 5)])
def test_top_p_at_an_exact_edge_keeps_no_token_more(n, kept, dtype) -> None:
    """``kept`` of ``n`` even tokens have together exactly the share that is asked for."""
    for score in (0.0, -3.7, 15.3):
        shares = filtered(torch.full((n,), score, dtype=dtype), Sampling(top_p=kept / n))
        assert int((shares > 0).sum()) == kept


@pytest.mark.parametrize("temperature", [1.0, 2.0])
@pytest.mark.parametrize(("top_p", "kept"), [(0.4, 1), (0.7, 2), (0.71, 3), (0.9, 3), (1.0, 4)])
def test_the_edge_is_found_through_fp32_scores(top_p, kept, temperature) -> None:
    shares = torch.tensor([0.1, 0.4, 0.3, 0.2])
    found = filtered(shares.log() * temperature, Sampling(temperature, top_p=top_p))
    assert int((found > 0).sum()) == kept


def test_the_smallest_top_p_keeps_the_likeliest() -> None:
    assert filtered(LOGITS, Sampling(top_p=5e-324)).nonzero().flatten().tolist() == [3]


def test_the_books_numbers() -> None:
    top3 = filtered(LOGITS, Sampling(top_k=3))
    assert top3[[3, 7, 0]].tolist() == pytest.approx([0.5775, 0.3610, 0.0615], abs=1e-4)
    assert filtered(LOGITS, Sampling(temperature=0.1))[3] > 0.99
    assert filtered(LOGITS, Sampling(temperature=5))[3] < 0.25


def test_without_settings_it_is_the_softmax() -> None:
    found = filtered(LOGITS, PLAIN)
    torch.testing.assert_close(found, torch.softmax(LOGITS.double(), dim=-1))


@pytest.mark.parametrize("temperature", [0, 1e-310, 1e-30])
def test_at_no_temperature_the_likeliest_has_it_all(temperature: float) -> None:
    shares = filtered(LOGITS, Sampling(temperature))
    assert shares.tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0]


def test_of_equals_the_first_is_taken() -> None:
    equal = torch.zeros(5)
    assert filtered(equal, COLD).tolist() == [1, 0, 0, 0, 0]
    assert filtered(equal, Sampling(top_k=2)).tolist() == [0.5, 0.5, 0, 0, 0]


def test_a_large_temperature_is_an_even_guess() -> None:
    assert filtered(LOGITS, Sampling(1e300)).tolist() == pytest.approx([1 / 9] * 9)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"temperature": -1}, "temperature=-1 must be a number of at least 0"),
     ({"temperature": math.nan}, "temperature=nan must be"),
     ({"temperature": math.inf}, "temperature=inf must be"),
     ({"temperature": "hot"}, "temperature='hot' must be"),
     ({"top_k": -1}, "top_k=-1 must be a whole number"),
     ({"top_k": 2.5}, "top_k=2.5 must be a whole number"),
     ({"top_k": True}, "top_k=True must be"),
     ({"top_p": 0}, "top_p=0 must be a number above 0"),
     ({"top_p": 1.1}, "top_p=1.1 must be"),
     ({"top_p": math.nan}, "top_p=nan must be")],
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_refused_with_a_way_out(settings, words) -> None:
    with pytest.raises(ConfigError, match=words) as found:
        Sampling(**settings)
    assert [found.value.field] == list(settings)


def test_a_texts_cache_is_what_the_lecture_says() -> None:
    assert Ledger(PRESETS["gpt2-small"]).kv_cache_bytes(1, 2) == 36_864
