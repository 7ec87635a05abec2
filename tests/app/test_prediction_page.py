"""The prediction page: every number is the trace's own, and a link writes the same text again."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gptviz.analysis.attribution import attribution
from gptviz.analysis.lens import logit_lens
from gptviz.analysis.loss import losses
from gptviz.analysis.next_token import entropy, likeliest, standing
from gptviz.cache import cached_model, cached_trace
from gptviz.config import GPTConfig, Sampling
from gptviz.counting.ledger import Ledger
from gptviz.presets import PRESETS
from gptviz.tokenizer import Tokenizer
from gptviz.tracing.generation import filtered, generate
from gptviz.tracing.passes import ModelKey, pass_of
from gptviz.ui.prediction.options import VIEW

TEXT = "Once upon a time there was a king"
IDS = Tokenizer(8192).encode(TEXT)
PAGE = "pages/prediction.py"
SMALL = GPTConfig(vocab_size=1000, context_length=32, emb_dim=48, n_heads=4, n_layers=3)
VIEWS = VIEW.allowed


@pytest.fixture
def trace():
    return cached_trace(pass_of("tales", IDS))


def metrics(page):
    return {metric.label: metric.value for metric in page.app.metric}


def view(visit, name, **link):
    return visit(PAGE, **{"text": TEXT, "prediction_view": name, **link})


def bars(page, numbers, place=0):
    figure = page.figures()[place]
    labels = figure["layout"]["yaxis"]["labelalias"]
    return numbers(figure["data"][-1]["x"]), [labels[str(i)] for i in range(len(labels))]


def test_the_bars_are_the_whole_vocabularys_probabilities(visit, trace, numbers):
    shares, labels = bars(view(visit, "next"), numbers)
    top = likeliest(trace, 20)
    np.testing.assert_allclose(shares[:-1], top.probabilities, rtol=1e-6)
    assert shares.sum() == pytest.approx(1, abs=1e-5)
    assert labels == [*Tokenizer(8192).labels(top.token_ids.tolist()), "8,172 others"]


def test_what_came_stands_beside_what_was_expected(visit, trace, numbers):
    page = view(visit, "next").set("token", 3)
    came = standing(trace, IDS[4], 3)
    shown = metrics(page)
    assert shown["Probability of what came"] == f"{came.probability:.2%}"
    assert shown["Its rank"] == f"{came.rank:,}"
    assert shown["Its surprise"] == f"{losses(trace)[3] / math.log(2):.2f} bits"
    assert shown["Entropy"] == f"{entropy(trace, 3):.2f} bits"
    assert "What came: ␣there" in page.words
    assert page.link["token"] == "3"
    shares, _ = bars(page.set("candidates", 10), numbers)
    np.testing.assert_allclose(shares[:-1], likeliest(trace, 10, 3).probabilities, rtol=1e-6)


def test_after_the_last_token_nothing_came(visit):
    page = view(visit, "next")
    assert "Nothing came after the last token" in page.words
    assert set(metrics(page)) == {"Entropy"}


def test_surprise_is_marked_on_the_sentence_and_a_click_chooses(visit, trace):
    page = view(visit, "surprise")
    found = losses(trace)
    shown = metrics(page)
    assert shown["Mean: the loss"] == f"{found.mean():.3f} nats"
    assert shown["In bits"] == f"{found.mean() / math.log(2):.3f} bits"
    assert shown["Perplexity"] == f"{math.exp(found.mean()):,.1f}"
    tokens = page.sent("surprise_tokens")["tokens"]
    assert [token["label"] for token in tokens] == Tokenizer(8192).labels(IDS)
    assert tokens[0]["shade"] is None
    shades = [token["shade"] for token in tokens[1:]]
    assert shades == pytest.approx(np.minimum(1, found / math.log(2) / 16).tolist())
    page.click("surprise_tokens", "chosen", 2)
    assert (page.value("token"), page.link["token"]) == (2, "2")
    assert page.sent("surprise_tokens")["chosen"] == 2
    assert metrics(page)["Its surprise"] == f"{found[1] / math.log(2):.2f} bits"
    page.set("token", 0)
    assert "could not be surprised" in page.said


def test_each_layer_says_what_the_lens_finds(visit, trace, numbers):
    lens = logit_lens(trace, 0, len(IDS))
    by_colour = {"probability": lens.probabilities, "entropy": lens.entropies}
    by_colour["rank"] = np.log10(lens.ranks)
    page = view(visit, "lens")
    for colour, expected in by_colour.items():
        shown = page.set("lens_colour", colour).figures()[0]["data"][0]
        np.testing.assert_allclose(numbers(shown["z"]), expected, atol=1e-4)
    label = Tokenizer(8192).label
    own = [label(int(trace.logits(position).argmax())) for position in range(len(IDS))]
    said = [cell.split("<br>")[0] for cell in shown["hovertext"][-1]]
    assert said == [f"<b>{label}</b>" for label in own]
    assert shown["y"][-1] == "after block 5"


@pytest.mark.parametrize(("token", "first"), [("0", 0), ("4", 2), ("7", 4), ("-1", 4)])
def test_the_lens_shows_a_window_around_the_chosen_token(token, first, visit, numbers):
    figure = view(visit, "lens", token=token, lens_columns="4").figures()[0]
    assert figure["data"][0].get("x0", 0) == first
    assert numbers(figure["data"][0]["z"]).shape == (7, 4)


def test_the_parts_sum_to_the_models_own_logit(visit, trace, numbers):
    page = view(visit, "parts")
    top = int(trace.last_logits.argmax())
    for target, versus in ((None, None), (IDS[0], None), (IDS[0], IDS[1])):
        if target is not None:
            page = view(visit, "parts", target=str(target), versus=str(versus or -1))
        found = attribution(trace, top if target is None else target, versus)
        shown = list(metrics(page).values())
        own = trace.last_logits[top if target is None else target]
        own = float(own - (trace.last_logits[versus] if versus else 0))
        assert float(shown[0]) == pytest.approx(float(shown[1]), abs=1e-4)
        assert float(shown[1]) == pytest.approx(own, abs=1e-4)
        parts, heads = (figure["data"][0] for figure in page.figures())
        x = numbers(parts["x"])
        assert x[:-1].sum() == pytest.approx(x[-1])
        assert x[-1] == pytest.approx(own, abs=1e-4)
        np.testing.assert_allclose(numbers(heads["z"]), found.heads, atol=1e-6)
        assert len(parts["y"]) == 2 + 2 * 6 + 1 + 1


def test_a_token_is_not_compared_with_itself(visit):
    page = view(visit, "parts", target="5", versus="5")
    assert page.value("versus") == -1
    assert "versus" not in page.run().link


def written(page):
    """The tokens that were written, from what the row of tokens was sent."""
    return [t for t in page.sent("written_text")["tokens"] if t["shade"] is not None]


def drawn_alone(n, sampling, seed=123, ids=IDS, source="tales"):
    return list(generate(cached_model(ModelKey(source)).model, ids, n, sampling, seed))


def test_a_link_writes_its_text(visit, numbers):
    link = {"written": "15", "temperature": "0.8", "top_k": "20", "top_p": "0.9", "draw_seed": "7"}
    sampling = Sampling(0.8, 20, 0.9)
    tokens = drawn_alone(15, sampling, 7)
    expected = [Tokenizer(8192).label(token.token_id) for token in tokens]
    page = view(visit, "write", drawn="4", **link)
    assert [token["label"] for token in written(page)] == expected
    assert [token["shade"] for token in written(page)] == pytest.approx(
        [token.probability for token in tokens]
    )
    own, shares = (numbers(data["x"]) for data in page.figures()[0]["data"])
    after = filtered(tokens[4].logits, sampling)
    assert shares.sum() == pytest.approx(1)
    assert own.sum() == pytest.approx(1)
    np.testing.assert_allclose(shares[:15], after.sort(descending=True).values[:15], atol=1e-6)
    assert metrics(page)["Its probability then"] == f"{tokens[4].probability:.2%}"
    assert metrics(page)["Tokens that can be drawn"] == f"{int((after > 0).sum()):,}"
    again = view(visit, "write", **page.link)
    assert written(again) == written(page)


def test_writing_token_by_token_gives_the_same_text(visit):
    page = view(visit, "write", many="3")
    assert written(page) == []
    for count in (1, 2):
        page.press("One token")
        assert len(written(page)) == count
        assert page.link["written"] == str(count)
    page.press("Write 3 tokens")
    expected = [Tokenizer(8192).label(t.token_id) for t in drawn_alone(5, Sampling())]
    assert [token["label"] for token in written(page)] == expected
    page.press("Start over")
    assert written(page) == []
    assert "written" not in page.link


def test_before_anything_is_written_the_first_draw_can_be_seen(visit, trace, numbers):
    page = view(visit, "write", temperature="0.5", top_k="3")
    shares = numbers(page.figures()[0]["data"][1]["x"])
    expected = filtered(trace.last_logits, Sampling(0.5, 3)).sort(descending=True).values
    np.testing.assert_allclose(shares[:3], expected[:3], atol=1e-6)
    assert not shares[3:].any()
    notes = [note["text"] for note in page.figures()[0]["layout"]["annotations"]]
    assert notes[3:] == ["cut"] * 13


def test_no_temperature_takes_the_likeliest(visit):
    page = view(visit, "write", temperature="0.0", written="6", draw_seed="9")
    expected = [Tokenizer(8192).label(t.token_id) for t in drawn_alone(6, Sampling(0))]
    assert [token["label"] for token in written(page)] == expected
    assert {token["shade"] for token in written(page)} == {1}


def test_a_click_on_a_written_token_shows_its_own_draw(visit):
    page = view(visit, "write", written="5")
    n_before = len(IDS)
    page.click("written_text", "chosen", n_before + 3)
    token = drawn_alone(5, Sampling())[3]
    assert page.link["drawn"] == "3"
    assert f"position {token.position}" in page.words
    assert f"Drawn: {Tokenizer(8192).label(token.token_id)}" in page.words
    assert metrics(page)["Its probability then"] == f"{token.probability:.2%}"
    assert page.sent("written_text")["chosen"] == n_before + 3


def test_another_setting_or_sentence_writes_another_text_of_that_length(visit):
    page = view(visit, "write", written="8")
    before = written(page)
    page.set("draw_seed", 5)
    assert len(written(page)) == 8
    assert written(page) != before
    page.set("draw_seed", 123)
    assert written(page) == before
    assert len(written(page.set("text", "A wolf"))) == 8


def test_the_cache_shown_is_the_ledgers(visit, numbers):
    page = view(visit, "write", written="4")
    last = len(IDS) + 3  # the last one drawn was not read
    kept = Ledger(PRESETS["tales"]).kv_cache_bytes(last, 4)
    shown = metrics(page)
    assert shown["Kept in all"] == f"{kept:,} bytes"
    assert shown["In each of 6 layers"] == f"{kept // 6:,} bytes"
    assert f"the ledger says {kept:,} bytes" in [metric.delta for metric in page.app.metric]
    layers = page.figures()[1]["data"]
    assert sum(int(numbers(layer["y"])[-1]) for layer in layers) == kept
    assert numbers(layers[0]["x"]).tolist() == [len(IDS) + i for i in range(4)]


def test_it_ends_where_the_context_is_full(small):
    text = "a b c d e f g h"
    page = view(small, "write", text=text, written="100", temperature="0.0")
    n_tokens = len(Tokenizer(1000).encode(text))
    tokens = drawn_alone(100, Sampling(0), ids=Tokenizer(1000).encode(text), source=SMALL)
    assert len(written(page)) == len(tokens) == 32 - n_tokens + 1
    assert "The context is full" in page.words
    buttons = {button.label: button.disabled for button in page.app.button}
    assert buttons["Write 40 tokens"]
    assert buttons["One token"]
    assert not buttons["Start over"]


def test_dropout_is_off_where_it_writes(small):
    link = {"train": "true", "drop_rate": "0.5"}
    page = view(small, "write", written="5", **link)
    assert "a model writes without it" in page.said
    assert written(page) == written(view(small, "write", written="5"))


def test_dropout_is_on_where_it_reads(small):
    dropped = view(small, "parts", train="true", drop_rate="0.5")
    summed, own = metrics(dropped).values()
    assert float(summed) == pytest.approx(float(own), abs=1e-4)
    assert metrics(view(small, "parts")) != metrics(dropped)


ODD = {
    "a small random model": {},
    "train mode": {"train": "true", "drop_rate": "0.3"},
    "no attention": {"attention": "false"},
    "no norm": {"norm": "false"},
    "no feed-forward": {"feed_forward": "false"},
    "no shortcut": {"shortcut": "false"},
    "the dummy": dict.fromkeys(("attention", "norm", "feed_forward", "shortcut"), "false"),
    "one token": {"text": "a"},
    "one layer, one head": {"n_layers": "1", "n_heads": "1"},
    "as much as can be read": {"text": "a b c d " * 20},
}


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("odd", ODD)
def test_every_view_of_every_model_stands(name, odd, small):
    link = {"text": TEXT, "written": "3", **ODD[odd]}
    page = view(small, name, **link)
    explained = {("parts", "no shortcut"), ("parts", "the dummy"), ("surprise", "one token")}
    assert bool(page.figures()) == ((name, odd) not in explained)
    assert not page.toasts
    if (name, odd) in explained:
        assert page.said


@pytest.mark.parametrize("name", VIEWS)
def test_an_empty_sentence_is_explained(name, visit):
    page = view(visit, name, text="")
    assert "The sentence is empty" in page.said
    assert not page.figures()


def test_without_attention_nothing_is_kept_and_no_head_is_asked(small):
    assert "no keys and values" in view(small, "write", attention="false", written="2").said
    assert "no heads to ask" in view(small, "parts", attention="false").said


def test_without_shortcuts_there_is_no_sum_to_share_out(small):
    page = view(small, "parts", shortcut="false")
    assert "no sum over the parts" in page.said
    assert not metrics(page)
    assert "replaces the stream" in view(small, "lens", shortcut="false").said


def test_choices_stay_when_pages_change_and_follow_a_smaller_model(small):
    page = view(small, "write", written="4", top_k="900", draw_seed="5", target="999")
    before = written(page)
    page.go("pages/attention.py").go(PAGE)
    assert written(page) == before
    page.set("vocab_size", 300)
    assert page.value("top_k") == 300
    assert page.app.session_state["target"] == -1
    assert page.figures()
