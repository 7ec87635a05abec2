"""The pages that show what happened inside the model: every number is the trace's own."""

from __future__ import annotations

import numpy as np
import pytest

from gptviz.cache import cached_trace, has_model
from gptviz.config import GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.presets import PRESETS
from gptviz.tokenizer import Tokenizer
from gptviz.tracing.passes import ModelKey, pass_of
from gptviz.ui.shell import live

TEXT = "Once upon a time there was a king"
LIVE = ("pages/activations.py", "pages/attention.py")
READING = {  # every page that reads the sentence, and a view that does
    "app.py": {},
    "pages/tokens.py": {"tokens_view": "vectors"},
    "pages/activations.py": {},
    "pages/attention.py": {},
    "pages/prediction.py": {},
}


SMALL = {"vocab_size": 1000, "context_length": 32, "emb_dim": 48, "n_heads": 4, "n_layers": 3}


@pytest.fixture
def trace():
    return cached_trace(pass_of("tales", Tokenizer(8192).encode(TEXT)))


def shown_map(page, numbers):
    return numbers(page.figures()[0]["data"][0]["z"])


def test_the_map_is_the_chosen_heads(visit, trace, numbers):
    page = visit("pages/attention.py", text=TEXT)
    for layer, head in ((0, 0), (3, 5), (5, 7)):
        page.set("layer", layer).set("head", head)
        shown = shown_map(page, numbers)
        exact = trace.blocks[layer].attn_weights(head).numpy()
        seen = np.tril(np.ones_like(exact, dtype=bool))
        np.testing.assert_array_equal(shown[seen], exact[seen])
        assert np.isnan(shown[~seen]).all()
        assert page.sent("all_heads")["meta"]["chosen"] == [layer, head]


def test_a_click_on_the_overview_chooses_the_head(visit, trace, numbers):
    page = visit("pages/attention.py", text=TEXT).click("all_heads", "chosen", [4, 6])
    assert (page.value("layer"), page.value("head")) == (4, 6)
    assert (page.link["layer"], page.link["head"]) == ("4", "6")
    exact = trace.blocks[4].attn_weights(6).numpy()
    np.testing.assert_array_equal(shown_map(page, numbers)[-1], exact[-1])
    page.set("head", 1)  # the click is over: the boxes count again
    assert page.sent("all_heads")["meta"]["chosen"] == [4, 1]


def test_the_overview_has_all_layers_heads_and_tokens(visit):
    meta = visit("pages/attention.py", text=TEXT).sent("all_heads")["meta"]
    labels = Tokenizer(8192).labels(Tokenizer(8192).encode(TEXT))
    assert (meta["layers"], meta["heads"], meta["size"]) == (6, 8, len(labels))
    assert meta["labels"] == labels


def test_a_longer_sentence_gives_a_larger_map_that_begins_alike(visit, numbers):
    page = visit("pages/attention.py", text=TEXT)
    before = shown_map(page, numbers)
    after = shown_map(page.set("text", TEXT + " and a queen"), numbers)
    n_tokens = len(before)
    assert n_tokens < len(after) == page.n_tokens
    begin = after[:n_tokens, :n_tokens]
    np.testing.assert_allclose(begin, before, atol=1e-5)  # no token sees what comes later


@pytest.mark.parametrize("path", LIVE)
def test_fewer_layers_and_heads_than_chosen(path, visit):
    page = visit(path, text=TEXT, layer="5", head="7", activations_view="station")
    assert page.set("n_layers", 3).set("n_heads", 2).value("layer") == 2
    if path == "pages/attention.py":
        assert page.value("head") == 1


@pytest.mark.parametrize("path", LIVE)
def test_a_model_too_large_for_memory_says_so_with_numbers_and_offers_one_that_fits(
    path, visit, free_memory
):
    free_memory(400_000_000)
    page = visit(path, text=TEXT, model="gpt3-175b")
    needed = Ledger(PRESETS["gpt3-175b"]).memory_to_run(page.n_tokens)
    assert f"{needed / 2**30:,.1f} GiB" in page.said
    assert not page.figures()
    assert page.buttons == ["Use tales instead"]
    page.press("Use tales instead")
    assert page.value("model") == "tales"
    assert page.said == ""
    assert page.figures()


def test_the_offer_is_the_largest_that_fits(visit, free_memory):
    free_memory(4_000_000_000)  # gpt2-medium's weights take 1.6 GB, gpt2-large's 3.4
    page = visit("pages/attention.py", text=TEXT, model="gpt2-xl")
    assert page.buttons == ["Use gpt2-medium instead"]


def test_where_nothing_fits_nothing_is_offered(visit, free_memory):
    free_memory(1_000_000)
    page = visit("pages/attention.py", text=TEXT, model="gpt3-175b")
    assert "GiB" in page.said
    assert page.buttons == []


def test_a_model_too_large_for_memory_still_has_diagram_and_table(visit, free_memory):
    free_memory(400_000_000)
    page = visit(model="gpt3-175b", text=TEXT, block="95")
    assert 'data-path="blocks.95.attention.query"' in page.sent("diagram")["wide"]
    page = visit("pages/parameters.py", model="gpt3-175b", text=TEXT, parameters_view="modules")
    assert len(page.app.dataframe[-1].value) > 96


@pytest.mark.parametrize("path", READING)
@pytest.mark.parametrize("view", [{}, {"prediction_view": "write", "written": "5"}])
def test_no_link_makes_a_large_model(path, view, visit):
    link = {"model": "gpt2-medium", "seed": "77", "text": TEXT, **READING[path], **view}
    page = visit(path, **link)
    assert "Read the sentence with gpt2-medium, random weights (seed 77)" in page.buttons
    needed = Ledger(PRESETS["gpt2-medium"]).memory_to_run(page.n_tokens)
    assert f"{needed / 2**30:,.1f} GiB" in page.said
    assert not page.figures()
    assert not has_model(ModelKey(PRESETS["gpt2-medium"], 77))


@pytest.mark.parametrize("path", READING)
def test_a_model_is_asked_for_once_whatever_the_sentence(path, small, monkeypatch):
    monkeypatch.setattr(live, "CHEAP", 1000)
    ask = "Read the sentence with custom, random weights (seed {})"
    seed = str(1000 + list(READING).index(path))  # a model that no other test has made
    page = small(path, text=TEXT, seed=seed, **READING[path])
    assert ask.format(seed) in page.buttons
    page.press(ask.format(seed))
    assert ask.format(seed) not in page.buttons
    assert has_model(ModelKey(small_config(), int(seed)))
    page.set("text", TEXT + " and a queen").go("pages/attention.py")
    assert page.said == ""
    assert page.figures()
    assert ask.format(7) in page.set("seed", 7).buttons


def test_a_model_that_is_made_already_is_not_asked_for(small, monkeypatch):
    small("pages/attention.py", text=TEXT, seed="2000")
    monkeypatch.setattr(live, "CHEAP", Ledger(small_config()).memory_to_run(32) // 2)
    other = small("pages/attention.py", text="a b c", seed="2000")
    assert other.figures()
    assert other.said == ""
    assert not small("pages/attention.py", text="a b c", seed="2001").figures()


def test_what_is_cheap_has_room_for_gpt2_small_and_none_for_gpt2_medium():
    small, medium = (Ledger(PRESETS[name]) for name in ("gpt2-small", "gpt2-medium"))
    assert small.memory_to_run(256) <= live.CHEAP < medium.memory_to_run(1)


def small_config():
    """The configuration of ``small``."""
    return GPTConfig(**SMALL)
