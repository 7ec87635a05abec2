"""The bird's-eye page: what is open, what is selected, and what the sentence adds."""

from __future__ import annotations

import re

import pytest

from gptviz.analysis.next_token import likeliest
from gptviz.cache import cached_trace
from gptviz.config import PRESETS
from gptviz.diagram.parts import BLOCK_PARTS
from gptviz.ledger import Ledger
from gptviz.tokenizer import Tokenizer


def paths(page, which="wide"):
    return set(re.findall(r'data-path="([^"]*)"', page.sent("diagram")[which]))


def heading_of_panel(page):
    return next(e.value for e in page.app.markdown if e.value.startswith("#### "))[5:]


@pytest.mark.parametrize("which", ["wide", "narrow"])
def test_a_block_opens_by_the_box_and_closes_again(which, visit):
    page = visit(text="Hi")
    assert "blocks" in paths(page, which)
    page.set("block", "4")
    assert {f"blocks.4.{name}" for name in BLOCK_PARTS} <= paths(page, which)
    assert heading_of_panel(page) == "Block 4"
    page.set("block", "all closed")
    assert not any(path.startswith("blocks.") for path in paths(page, which))


def test_a_click_on_a_part_explains_it(visit):
    page = visit(text="Once upon a time").click("diagram", "clicked", "tok_emb")
    assert heading_of_panel(page) == "Token embedding"
    assert page.sent("diagram")["selected"] == "tok_emb"
    assert "`(4, 256)`" in page.words
    assert "2,097,152" in page.words
    page.run()  # it stays
    assert heading_of_panel(page) == "Token embedding"


def test_a_click_on_the_blocks_opens_one_and_on_a_part_inside_explains_that(visit):
    page = visit(text="Hi").click("diagram", "clicked", "blocks")
    assert page.value("block") == "0"
    page.click("diagram", "clicked", "blocks.3")
    assert page.value("block") == "3"
    page.click("diagram", "clicked", "blocks.3.feed_forward.linear1")
    assert page.value("block") == "3"
    assert "`blocks.3.feed_forward.linear1`" in page.words
    assert "263,168" in page.words


def test_every_part_can_be_explained(visit):
    page = visit(text="Hi", block="1")
    ledger = Ledger(PRESETS["tales"])
    for path in paths(page):
        page.click("diagram", "clicked", path)
        if path in ledger.paths() and ledger.of(path):
            assert f"{ledger.of(path):,}" in page.words, path


def test_fewer_layers_than_the_block_that_is_open(visit):
    page = visit(text="", block="5").click("diagram", "clicked", "blocks.5.norm1")
    page.set("n_layers", 3)
    assert page.value("block") == "2"
    assert "blocks.2.norm1" in paths(page)
    assert heading_of_panel(page) == "Block 2"


def test_the_picture_shows_the_models_own_next_tokens(visit):
    page = visit(text="Once upon a")
    ids = Tokenizer(8192).encode("Once upon a")
    top = likeliest(cached_trace("tales", ids), 5)
    svg = page.sent("diagram")["wide"]
    for token_id, probability in zip(top.token_ids, top.probabilities, strict=True):
        assert f">{Tokenizer(8192).label(int(token_id))}</text>" in svg
        assert f">{probability:.3f}</text>" in svg


def test_an_open_block_shows_a_map_for_every_head(visit):
    page = visit(text="Once upon a", block="2")
    for which in ("wide", "narrow"):
        svg = page.sent("diagram")[which]
        assert len(set(re.findall(r"attention weights of layer 2, head \d+", svg))) == 8


def test_another_block_shows_other_maps(visit):
    def maps(page):
        return re.findall(r'href="([^"]*)"', page.sent("diagram")["wide"])

    page = visit(text="Once upon a time", block="2")
    before = maps(page)
    assert len(before) == 9
    assert maps(page.set("block", "3")) != before


def test_a_large_model_is_drawn_at_once_and_read_only_on_request(visit, free_memory):
    free_memory(10**12)
    page = visit(model="gpt2-xl", text="Hi", block="47")
    assert "blocks.47.norm1" in paths(page)
    assert "<image" not in page.sent("diagram")["wide"]
    assert [label for label in page.buttons if "gpt2-xl" in label]


def test_hostile_words_reach_the_picture_as_words(visit):
    page = visit(text="<b>&")
    svg = page.sent("diagram")["wide"]
    assert "&lt;" in svg
    assert "<b" not in svg
