"""The tokens page: chips, merges and vocabularies are the tokenizer's, vectors are the model's."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from gptviz.analysis.embeddings import (
    kept,
    neighbours,
    parts,
    position_similarity,
    similarity,
    vocabulary_map,
)
from gptviz.cache import cached_trace
from gptviz.config import PLACEHOLDER_PARTS, Dropout
from gptviz.tokenizer import END_OF_TEXT, FULL_VOCAB_SIZE, Tokenizer, visible
from gptviz.tracing.passes import pass_of
from gptviz.ui.tokens.options import VIEW, VOCABULARIES
from gptviz.ui.tokens.page import BEYOND
from gptviz.ui.widgets.chips import MOST

PAGE = "pages/tokens.py"
TEXT = "Once upon a time there was a king"
HOSTILE = [
    "<img src=x onerror=alert(1)> $x$ :red[x] **b** `c` [a](javascript:alert(1))",
    "\x00\x07\x1b[31m \u202eabc \u200d",
    "👨\u200d👩\u200d👧 🏳️\u200d🌈",
    "שלום עולם مرحبا",
    "a<|endoftext|>b",
    "q" * 10_000,
    "x",
    "\n\n\n",
]


@pytest.fixture
def trace():
    return cached_trace(pass_of("tales", Tokenizer(8192).encode(TEXT)))


def shown(page, numbers, figure=0, line=0, axis="z"):
    return numbers(page.figures()[figure]["data"][line][axis])


def labels(page, component="tokens_chips"):
    return [chip["label"] for chip in page.sent(component)["chips"]]


def test_the_chips_are_the_sentences_tokens_and_a_click_chooses_one(visit):
    page = visit(PAGE, text=TEXT)
    some = Tokenizer(8192)
    assert labels(page) == some.labels(some.encode(TEXT))
    assert [chip["id"] for chip in page.sent("tokens_chips")["chips"]] == some.encode(TEXT)
    assert page.sent("tokens_chips")["chosen"] == page.n_tokens - 1
    page.click("tokens_chips", "chosen", 2)
    assert page.value("token") == 2
    assert page.link["token"] == "2"
    assert page.sent("tokens_chips")["chosen"] == 2
    page.set("token", 5)
    assert page.sent("tokens_chips")["chosen"] == 5


def test_chips_merges_and_vocabularies_need_no_model(visit, monkeypatch):
    monkeypatch.setattr(
        "gptviz.ui.shell.live.WARM", type("Never", (), {"is_set": lambda _: False})()
    )
    monkeypatch.setattr("gptviz.cache.cached_trace", None)
    monkeypatch.setattr("gptviz.cache.cached_model", None)
    page = visit(PAGE, text=TEXT, model="gpt3-175b")
    assert len(labels(page)) == page.n_tokens
    assert page.said == ""
    assert len(page.figures()) == 1


def test_totals_are_counted_over_the_whole_text(small):
    text = "naïve 🙂 " * 20
    page = small(PAGE, text=text)
    n_tokens, n_bytes = len(Tokenizer(1000).encode(text)), len(text.encode())
    said = f"{len(text)} characters · {n_tokens} tokens · {n_tokens / len(text):.2f} tokens per"
    assert said in page.words
    assert f"{n_bytes / n_tokens:.2f} bytes per token" in page.words
    assert (
        f"reads the first 32 tokens (context_length) and none of the {n_tokens - 32}" in page.words
    )
    sent = page.sent("tokens_chips")
    assert sent["n_read"] == 32
    some = Tokenizer(1000)
    assert labels(page) == some.labels(some.encode(text)[: 32 + BEYOND])
    page.click("tokens_chips", "chosen", 31)
    assert page.value("token") == 31
    page.click("tokens_chips", "chosen", 32)  # beyond the cut: there is nothing to choose
    assert page.value("token") == 31
    assert page.set("context_length", 1024).sent("tokens_chips")["n_read"] == n_tokens


@pytest.mark.parametrize("vocab_size", ["257", "1000", "50257"])
def test_the_merges_of_the_chosen_tokens_word_end_in_its_tokens(vocab_size, small):
    text = "an unbelievable façade"
    page = small(PAGE, text=text, vocab_size=vocab_size)
    some = Tokenizer(int(vocab_size))
    ids = some.encode(text)
    for word, places in some.word_tokens(text, ids):
        page.set("token", places[-1])
        steps = page.sent("merges")["steps"]
        assert steps[0]["pieces"] == [visible(bytes([byte])) for byte in word.encode()]
        assert steps[-1]["pieces"] == some.labels(ids[place] for place in places)
        for before, after in pairwise(steps):
            place = after["place"]
            assert before["pieces"][place : place + 2] == after["pair"]
            assert after["pieces"][place] == some.label(after["rank"])


def test_a_click_on_a_word_chooses_its_first_token(visit):
    page = visit(PAGE, text="a dear child", vocab_size="257", model="custom")
    assert labels(page, "words_chips") == ["a", "␣dear", "␣child"]
    assert page.sent("words_chips")["chosen"] == 2
    page.click("words_chips", "chosen", 1)
    assert page.value("token") == 1
    assert page.sent("words_chips")["chosen"] == 1


def test_a_word_without_merges_says_why(visit):
    page = visit(PAGE, text=END_OF_TEXT)
    assert "a token of its own" in page.said
    page.set("text", "q" * 65)
    assert "65 bytes" in page.said
    page.set("text", "q" * 64)
    assert page.said == ""


def test_every_vocabulary_has_its_count_and_its_chips(visit, numbers):
    page = visit(PAGE, text=TEXT)
    counts = [len(Tokenizer(size).encode(TEXT)) for size in VOCABULARIES]
    assert shown(page, numbers, axis="y").tolist() == counts
    for size in (257, 4096, FULL_VOCAB_SIZE):
        page.set("vocabulary", size)
        some = Tokenizer(size)
        assert labels(page, "other_chips") == some.labels(some.encode(TEXT))
        assert page.link["vocabulary"] == str(size)


def test_the_models_own_vocabulary_is_among_them(small):
    assert small(PAGE, text=TEXT).figures()[0]["data"][0]["x"][2] == "1,000"


def test_vectors_are_the_traces_own(visit, trace, numbers):
    page = visit(PAGE, text=TEXT, tokens_view="vectors")
    found = parts(trace)
    for line, exact in enumerate((found.token, found.position, found.total)):
        np.testing.assert_array_equal(shown(page, numbers, line=line), exact)
    assert len(page.figures()[0]["data"]) == 3


def test_in_train_mode_one_sees_what_dropout_strikes(visit, numbers):
    page = visit(PAGE, text=TEXT, tokens_view="vectors", train="true", drop_rate="0.2")
    traced = cached_trace(pass_of("tales", Tokenizer(8192).encode(TEXT), dropout=Dropout(0.2, 123)))
    stays = kept(traced)
    np.testing.assert_array_equal(np.isnan(shown(page, numbers, line=3)), stays)
    after = shown(page, numbers, line=4)
    np.testing.assert_array_equal(after[stays], traced.embeddings.numpy()[stays])
    assert "probability 0.2 (grey)" in page.words


@pytest.mark.parametrize("summed", [False, True])
def test_similarity_is_of_the_embeddings_or_of_the_sum(summed, visit, trace, numbers):
    page = visit(PAGE, text=TEXT, tokens_view="neighbours").set("summed", summed)
    exact = similarity(trace, summed=summed)
    np.testing.assert_array_equal(shown(page, numbers), exact)


def test_neighbours_are_those_of_the_chosen_token(visit, trace, numbers):
    page = visit(PAGE, text=TEXT, tokens_view="neighbours", token="7")
    found = neighbours(trace.model.tok_emb.weight.detach(), int(trace.token_ids[7]))
    np.testing.assert_array_equal(shown(page, numbers, figure=1, axis="x"), found.cosines)
    names = page.figures()[1]["layout"]["yaxis"]["labelalias"]
    assert names["0"] == f"{Tokenizer(8192).label(int(found.token_ids[0]))} · {found.token_ids[0]}"
    assert "mean nothing" not in page.words


@pytest.mark.parametrize(("view", "said"), [("neighbours", "mean nothing"), ("map", "no order")])
def test_random_weights_are_said_to_mean_nothing(view, said, small):
    assert said in small(PAGE, text=TEXT, tokens_view=view).words


def test_the_map_has_the_sentence_and_says_how_much_it_shows(visit, trace, numbers):
    page = visit(PAGE, text=TEXT, tokens_view="map", token="7")
    found = vocabulary_map(trace.model.tok_emb.weight.detach(), trace.token_ids.tolist())
    others, *_, chosen = page.figures()[0]["data"]
    np.testing.assert_array_equal(numbers(others["x"]), found.places[found.n_sentence :, 0])
    assert chosen["text"] == ["␣king"]
    assert f"2 axes hold {found.shares[:2].sum():.1%}" in page.words
    page.set("solid", True)
    assert page.figures()[0]["data"][0]["type"] == "scatter3d"
    assert f"3 axes hold {found.shares.sum():.1%}" in page.words


def test_positions_are_compared_whatever_the_sentence(visit, trace, numbers):
    page = visit(PAGE, text=TEXT, tokens_view="positions")
    np.testing.assert_array_equal(
        shown(page, numbers), position_similarity(trace.model.pos_emb.weight.detach()).cosines
    )
    assert "One position in" not in page.words


def test_many_positions_are_drawn_one_in_several(small, numbers):
    page = small(PAGE, text=TEXT, tokens_view="positions", context_length="2048")
    assert shown(page, numbers).shape == (256, 256)
    assert shown(page, numbers, axis="x")[-1] == 2040
    assert "One position in 8 is drawn" in page.words


@pytest.mark.parametrize("view", VIEW.allowed)
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_any_text_is_shown_literally_in_every_view(view, text, small):
    page = small(PAGE, text=text, tokens_view=view, context_length="64")
    some = Tokenizer(1000)
    assert labels(page) == some.labels(some.encode(text)[: 64 + BEYOND])
    for figure in page.figures():
        assert "$x$" not in json.dumps(figure)
        assert "<img" not in json.dumps(figure)


@pytest.mark.parametrize("view", VIEW.allowed)
def test_an_empty_sentence_says_so(view, visit):
    page = visit(PAGE, text="", tokens_view=view)
    assert "The sentence is empty" in page.said
    assert not page.figures()


@pytest.mark.parametrize("view", VIEW.allowed)
def test_a_model_of_placeholders_has_embeddings_all_the_same(view, small):
    missing = dict.fromkeys(PLACEHOLDER_PARTS, "false")
    page = small(PAGE, text=TEXT, tokens_view=view, **missing)
    assert page.figures()


@pytest.mark.parametrize("view", ["vectors", "neighbours"])
def test_a_long_sentence_is_drawn_around_the_chosen_token(view, visit, numbers):
    link = {"model": "custom", "context_length": "1024", "vocab_size": "257", "n_layers": "1"}
    page = visit(PAGE, text="a king " * 300, tokens_view=view, token="500", **link)
    assert page.n_tokens == page.sent("tokens_chips")["n_read"] == 1024
    rows = len(shown(page, numbers))
    assert rows < 1024
    assert f"Tokens {500 - rows // 2} to {500 - rows // 2 + rows - 1} of 1,024" in page.words
    page.set("token", 1023)
    assert " to 1,023 of 1,024" in page.words


def test_more_chips_than_a_browser_draws_at_once_are_left_out_and_it_is_said(visit):
    page = visit(PAGE, text="ab" * MOST)
    page.set("vocabulary", 257)
    assert len(labels(page, "other_chips")) == MOST
    assert f"the first {MOST:,} are drawn" in page.words
