"""The course: stages, switches, train mode, what comes out, and the book."""

from __future__ import annotations

import math
import re

import pytest

from gptviz import book
from gptviz.analysis.loss import losses
from gptviz.analysis.next_token import likeliest
from gptviz.cache import cached_trace
from gptviz.config import PLACEHOLDER_PARTS, Dropout, GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.presets import PRESETS
from gptviz.tokenizer import Tokenizer
from gptviz.tracing.passes import pass_of
from gptviz.words.course import STAGES, placeholders_at

TEXT = "Once upon a time there was a king"
SMALL = GPTConfig(vocab_size=1000, context_length=32, emb_dim=48, n_heads=4, n_layers=3)
WAY_IN = "Build it part by part, from the beginning"


def metrics(page):
    return {metric.label: metric.value for metric in page.app.metric}


def switched_on(page):
    return {part for part in PLACEHOLDER_PARTS if page.value(part)}


def badges(page):
    return [e.value for e in page.app.markdown if "at stage" in e.value and "badge" in e.value]


@pytest.mark.parametrize("stage", range(1, len(STAGES) + 1))
def test_each_stage_really_runs_and_shows_its_loss(stage, small):
    page = small(text=TEXT, block="0").set("stage", stage)
    config = SMALL.changed(placeholders=placeholders_at(stage))
    assert switched_on(page) == set(PLACEHOLDER_PARTS) - placeholders_at(stage)
    assert page.parameters == Ledger(config).parameters
    assert STAGES[stage - 1].what in page.words
    ids = Tokenizer(1000).encode(TEXT)
    loss = losses(cached_trace(pass_of(config, ids))).mean()
    shown = metrics(page)
    assert shown["Mean loss on the sentence"] == f"{loss:.3f} nats"
    assert shown["Even guess: ln 1,000"] == f"{math.log(1000):.3f} nats"
    top = likeliest(cached_trace(pass_of(config, ids)), 5)
    likely = f"{Tokenizer(1000).label(int(top.token_ids[0]))} {top.probabilities[0]:.3f}"
    assert f"Likeliest next tokens: {likely}" in page.words
    dashed = "placeholder" in page.sent("diagram")["wide"]
    assert dashed == (stage < len(STAGES))


def test_the_trained_models_loss_is_better_than_guessing(visit):
    page = visit(text=TEXT)
    loss = losses(cached_trace(pass_of("tales", Tokenizer(8192).encode(TEXT)))).mean()
    assert metrics(page)["Mean loss on the sentence"] == f"{loss:.3f} nats"
    assert f"among {math.exp(loss):,.1f} tokens" in page.words


def test_random_weights_are_said_to_know_nothing(small):
    page = small(text=TEXT, tie_weights="true")
    assert "worse than guessing" in page.words


def test_one_token_has_no_loss_and_none_is_no_error(small):
    page = small(text="a")
    assert metrics(page) == {}
    assert "two tokens" in page.words
    assert metrics(page.set("text", "")) == {}


def test_the_course_is_walked_by_buttons_from_the_trained_model_and_there_is_a_way_back(visit):
    page = visit(text=TEXT).press(WAY_IN)
    assert page.value("stage") == 1
    assert page.value("model") == "custom"
    assert "What is built changed" in page.said
    assert "Even guess: ln 8,192" in metrics(page)
    for stage in range(2, len(STAGES) + 1):
        page.press(f"Next: {STAGES[stage - 1].name}")
        assert page.value("stage") == stage
    assert f"Next: {STAGES[-1].name}" not in page.buttons
    page.press(f"Back: {STAGES[-2].name}")
    assert switched_on(page) == {"norm", "attention", "feed_forward"}
    page.press("Back to tales")
    assert page.value("model") == "tales"
    assert page.value("stage") == len(STAGES)
    assert switched_on(page) == set(PLACEHOLDER_PARTS)
    assert page.said == ""


def test_the_course_is_offered_until_it_was_begun(visit):
    page = visit(text="Hi")
    page.press("New here? Build it part by part")
    assert page.value("stage") == 1
    assert "New here? Build it part by part" not in page.press("Back to tales").buttons
    assert WAY_IN in page.buttons


@pytest.mark.parametrize("part", PLACEHOLDER_PARTS)
def test_each_switch_takes_its_part_away_and_brings_it_back(part, small):
    page = small(text=TEXT).set(part, False)
    config = SMALL.changed(placeholders={part})
    assert page.parameters == Ledger(config).parameters
    assert page.link[part] == "false"
    loss = losses(cached_trace(pass_of(config, Tokenizer(1000).encode(TEXT)))).mean()
    assert metrics(page)["Mean loss on the sentence"] == f"{loss:.3f} nats"
    assert page.set(part, True).parameters == Ledger(SMALL).parameters
    assert part not in page.link


def test_switches_of_no_stage_are_a_mix_and_a_stage_ends_it(small):
    page = small(text=TEXT).set("norm", False).set("shortcut", False)
    assert page.value("stage") == 0
    assert "your own mix" in page.words
    page.set("stage", 3)
    assert switched_on(page) == {"norm", "attention"}
    assert 0 not in page._control("stage").options
    assert page.set("attention", False).value("stage") == 2


def test_a_switch_on_a_trained_model_or_preset_makes_it_custom(visit):
    for name in ("tales", "gpt2-small"):
        page = visit("pages/parameters.py", model=name, text="").set("attention", False)
        assert page.value("model") == "custom"
        assert "What is built changed" in page.said
        page.press(f"Back to {name}")
        assert (page.value("model"), page.value("attention")) == (name, True)
        assert page.parameters == Ledger(PRESETS[name]).parameters


def test_the_link_and_the_pages_keep_what_is_built(small):
    page = small(text=TEXT, attention="false", feed_forward="false")
    assert page.value("stage") == 0
    assert page.toasts == []
    page.go("pages/attention.py")
    assert "placeholder" in page.said
    assert (page.value("attention"), page.value("feed_forward")) == (False, False)
    page.go("app.py").set("stage", 1)
    assert {page.link[part] for part in PLACEHOLDER_PARTS} == {"false"}
    assert "stage" not in page.link


def test_a_trained_models_name_in_the_link_never_stands_over_placeholders(visit):
    page = visit(model="tales", text="", norm="false")
    assert page.value("model") == "custom"
    assert page.press("Back to tales").parameters == Ledger(PRESETS["tales"]).parameters


def test_the_panel_marks_what_is_met_and_what_is_to_come(small):
    page = small(text=TEXT).set("stage", 3)
    marks = {}
    for path in ("tok_emb", "blocks.0.norm1", "blocks.0.attention.query", "blocks.0.shortcut1"):
        page.set("block", "all closed").set("block", "0").click("diagram", "clicked", path)
        (marks[path],) = badges(page)
    assert re.search("met at stage 1 · Dummy GPT", marks["tok_emb"])
    assert re.search("met at stage 2 ", marks["blocks.0.norm1"])
    assert re.search("met at stage 3 ", marks["blocks.0.attention.query"])
    assert re.search("to come at stage 5 ", marks["blocks.0.shortcut1"])
    page.set("stage", 5)
    assert "met at stage 5" in badges(page)[0]


# --- train mode --------------------------------------------------------------------------------


def test_train_mode_drops_by_the_chosen_masks_and_the_link_says_so(small):
    page = small(text=TEXT, drop_rate="0.3").set("train", True)
    assert "dropout on" in page.heading
    ids = Tokenizer(1000).encode(TEXT)
    config = SMALL.changed(drop_rate=0.3)
    shown = []
    for seed in (123, 7):
        page.set("mask_seed", seed)
        expected = losses(cached_trace(pass_of(config, ids, dropout=Dropout(0.3, seed)))).mean()
        shown.append(metrics(page)["Mean loss on the sentence"])
        assert shown[-1] == f"{expected:.3f} nats"
    assert (page.link["train"], page.link["mask_seed"]) == ("true", "7")
    page.set("train", False)
    assert "dropout on" not in page.heading
    shown.append(metrics(page)["Mean loss on the sentence"])
    assert len(set(shown)) == 3


def test_train_mode_of_the_trained_model_takes_the_fields_rate(visit):
    page = visit(text=TEXT, train="true")
    assert "nothing to drop" in "".join(c.value for c in page.app.sidebar.caption)
    assert "dropout on" not in page.heading
    page.set("drop_rate", 0.2)
    assert page.value("model") == "tales"
    ids = Tokenizer(8192).encode(TEXT)
    loss = losses(cached_trace(pass_of("tales", ids, dropout=Dropout(0.2)))).mean()
    assert metrics(page)["Mean loss on the sentence"] == f"{loss:.3f} nats"


@pytest.mark.parametrize("path", ["pages/attention.py", "pages/activations.py"])
def test_train_mode_shows_on_the_other_pages(path, small):
    page = small(path, text=TEXT, drop_rate="0.3")
    before = page.figures()
    assert page.set("train", True).figures() != before
    assert page.set("train", False).figures() == before


# --- the book ----------------------------------------------------------------------------------


def rows(page):
    return page.app.table[0].value.reset_index().to_numpy().tolist()


def test_the_dummys_numbers_are_run_and_shown_beside_the_books(small):
    page = small(text=TEXT).set("stage", 1).press("Check against the book")
    found = rows(page)
    assert [row[0] for row in found] == ["train", "eval"]
    eval_ = "-1.1947, 0.1392, -0.8616"
    assert found[1][2:] == [eval_, eval_, "our own check", "✓ yes"]
    assert found[0][4] == "the book"
    assert (found[0][5] == "✓ yes") == book.SAME_DROPOUT
    page.set("stage", 2)
    assert not page.app.table
    assert "Check against the book" not in page.buttons
    assert rows(page.set("stage", 1)) == found


def test_the_sign_is_computed_from_the_numbers(small, monkeypatch):
    monkeypatch.setattr(book, "SEED", 124)
    page = small(text="").set("stage", 1).press("Check against the book")
    assert [row[5] for row in rows(page)] == ["✗ no", "✗ no"]


def test_elsewhere_the_train_row_says_why_it_is_left_out(small, monkeypatch):
    monkeypatch.setattr(book, "SAME_DROPOUT", False)
    page = small(text="").set("stage", 1).press("Check against the book")
    assert rows(page)[0][2:] == ["left out", "-1.2034, 0.3201, -0.7130", "the book", "–"]
    assert "x86 Linux" in page.words


def test_without_memory_the_book_says_so(small, free_memory):
    page = small(text="")
    free_memory(100_000_000)
    page.press("Check against the book")
    assert "GiB" in page.said
    assert not page.app.table


def test_the_panel_says_what_is_built(small):
    """With its formula: of the opened block, and of the head behind a norm or none."""
    adds, replaces = small(block="0"), small(block="0", shortcut="false")
    assert "adds to it twice" in adds.words
    assert "adds to it" not in replaces.words
    assert "Replaces the stream with what attention makes of it" in replaces.words
    whole, bare = small(inside="out_head"), small(inside="out_head", norm="false")
    for page, reads in ((whole, r"\text{final\_norm}(x)\, W"), (bare, r"= x\, W")):
        (formula,) = (each.value for each in page.app.latex)
        assert reads in formula
