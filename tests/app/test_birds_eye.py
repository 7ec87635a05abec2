"""The bird's-eye page: what is open, what is selected, and what the sentence adds."""

from __future__ import annotations

import re

import pytest

from gptviz.analysis.contributions import attention_entropy, contributions, most_entropy
from gptviz.analysis.next_token import likeliest
from gptviz.anatomy import find
from gptviz.cache import cached_trace
from gptviz.counting.ledger import Ledger
from gptviz.diagram.parts import level_of, levels
from gptviz.presets import PRESETS
from gptviz.tokenizer import Tokenizer
from gptviz.tracing.passes import pass_of

TALES = PRESETS["tales"]


def inside(path, modules=False):
    """The paths of all that is inside a part of tales, or of its modules alone."""
    part = find(TALES, path)
    walk = part.modules(path) if modules else part.walk(path)
    return {where for where, _ in walk} - {path}


def paths(page, which="wide"):
    return set(re.findall(r'data-path="([^"]*)"', page.sent("diagram")[which]))


def heading_of_panel(page):
    return next(e.value for e in page.app.markdown if e.value.startswith("#### "))[5:]


@pytest.mark.parametrize("which", ["wide", "narrow"])
def test_a_block_opens_by_the_box_and_closes_again(which, visit):
    page = visit(text="Hi")
    assert "blocks" in paths(page, which)
    page.set("block", "4")
    assert inside("blocks.4", modules=True) <= paths(page, which)
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
    page.set("block", "3")
    page.click("diagram", "clicked", "blocks.3.feed_forward.linear1")
    assert page.value("block") == "3"
    assert "`blocks.3.feed_forward.linear1`" in page.words
    assert "263,168" in page.words


def test_a_click_in_an_open_block_brings_the_other_pages_to_its_layer(visit):
    page = visit(text="Hi", block="3", inside="attention", layer="5")
    page.click("diagram", "clicked", "blocks.3.attention.query")
    assert page.link["layer"] == "3"


def test_every_click_goes_one_level_deeper_and_the_levels_lead_back(visit):
    page = visit(text="Hi").click("diagram", "clicked", "blocks")
    assert "blocks.0.attention.core" in paths(page)
    assert "blocks.0.attention.core.mask" not in paths(page)
    page.click("diagram", "clicked", "blocks.0.attention.query")
    assert inside("blocks.0.attention.core") <= paths(page)
    assert "blocks.0.feed_forward" in paths(page)  # what is around it stays in sight
    page.click("diagram", "clicked", "blocks.0.attention.core.mask")
    assert heading_of_panel(page) == "Mask"
    assert page.link["part"] == "blocks.0.attention.core.mask"
    page.click("diagram", "clicked", "blocks.0.shortcut2")  # has no inside: attention stays open
    assert "blocks.0.attention.core.mask" in paths(page)
    names = [level["name"] for level in page.sent("diagram")["levels"]]
    assert names == ["Whole model", "Block 0", "Masked multi-head attention"]
    page.click("diagram", "walked", "blocks.0")
    assert "blocks.0.attention.core.mask" not in paths(page)
    assert heading_of_panel(page) == "Block 0"
    page.click("diagram", "walked", "")
    assert not any(path.startswith("blocks.") for path in paths(page))


@pytest.mark.parametrize("path", ["tok_emb", "final_norm", "next_token", "out_head"])
def test_what_is_outside_the_blocks_opens_too(path, visit):
    page = visit(text="Hi").click("diagram", "clicked", path)
    opened = level_of(TALES, path)
    assert (inside(opened) if opened else set()) <= paths(page)
    assert page.link.get("inside", "") == opened


def test_what_is_not_in_a_block_does_not_open_there(visit):
    page = visit(text="Hi", block="1", inside="embeddings")
    assert inside("blocks.1", modules=True) <= paths(page)


@pytest.mark.parametrize(
    "link",
    [
        {"block": "1"},
        {"block": "1", "inside": "norm1"},
        {"block": "5", "inside": "attention"},
        {"block": "0", "inside": "feed_forward"},
        *({"inside": name} for name in levels(TALES)),
    ],
)
def test_every_part_can_be_explained(link, visit):
    page = visit(text="Hi", **link)
    ledger = Ledger(PRESETS["tales"])
    opened = {key: page.app.session_state[key] for key in ("block", "inside")}
    for path in paths(page) - {"blocks"}:  # that opens block 0
        for key, value in opened.items():  # a click before may have closed it
            page.app.session_state[key] = value
        page.run().click("diagram", "clicked", path)
        if path in ledger.paths() and ledger.of(path):
            assert f"{ledger.of(path):,}" in page.words, path


def test_fewer_layers_than_the_block_that_is_open(visit):
    page = visit(text="", block="5").click("diagram", "clicked", "blocks.5.norm1")
    page.set("n_layers", 3)
    assert page.value("block") == "2"
    assert "blocks.2.norm1" in paths(page)
    assert heading_of_panel(page) == "Norm 1"  # of block 2: there is no block 5 any more
    assert page.link | {"block": "2", "inside": "norm1"} == page.link


def test_the_picture_shows_the_models_own_next_tokens(visit):
    page = visit(text="Once upon a")
    ids = Tokenizer(8192).encode("Once upon a")
    top = likeliest(cached_trace(pass_of("tales", ids)), 5)
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


def test_the_panel_says_what_comes_out_what_it_costs_and_the_code(visit):
    page = visit(text="Once upon a time", block="2", inside="attention", head="3")
    page.click("diagram", "clicked", "blocks.2.attention.core.softmax")
    trace = cached_trace(pass_of("tales", Tokenizer(8192).encode("Once upon a time")))
    weights = trace.blocks[2].attn_weights(3)
    assert f"Mean {float(weights.mean()):.4g}" in page.words
    assert "What comes out, head 3: 4 × 4 numbers" in page.words
    assert 'after("softmax", torch.softmax(scores' in page.app.code[0].value
    page.click("diagram", "clicked", "blocks.2.attention.core.scores")
    flops = Ledger(PRESETS["tales"]).flops_of("blocks.2.attention.core", 4).total // 2
    assert f"FLOPs: {flops:,}" in page.words


def test_shapes_in_names(visit):
    page = visit(text="Once upon", block="2").set("symbolic", True)
    assert "(n_tokens, emb_dim)" in page.sent("diagram")["wide"]
    assert "(2, 256)" not in page.sent("diagram")["wide"]
    assert "Out: `(n_tokens, emb_dim)`" in page.words
    assert "(2, 256)" not in page.words
    assert page.link["symbolic"] == "true"


def test_the_other_pages_look_at_the_same_block_and_station(visit):
    page = visit(text="Hi", block="4").click("diagram", "clicked", "blocks.4.feed_forward.gelu")
    page.go("pages/activations.py")
    assert (page.value("layer"), page.value("station")) == (4, "feed_forward.gelu")


def of_tales(text):
    return cached_trace(pass_of("tales", Tokenizer(8192).encode(text)))


def test_the_colours_tell_what_each_part_adds_and_the_legend_what_they_mean(visit):
    page = visit(text="Once upon a time", block="2").set("colours", "added")
    added = contributions(of_tales("Once upon a time"))
    svg, legend = page.sent("diagram")["wide"], page.sent("diagram")["legend"]
    for value in (added.pos_emb, added.attention[2], added.feed_forward[2]):
        assert f">{value:.3g} × the stream</text>" in svg
    for layer, value in enumerate(added.feed_forward):
        assert f"<title>Block {layer}, feed-forward: {value:.3g} × the stream</title>" in svg
    least = min(added.pos_emb, *added.attention, *added.feed_forward)
    most = max(added.pos_emb, *added.attention, *added.feed_forward)
    assert legend["low"] == f"{least:.3g} × the stream"
    assert legend["high"] == f"{most:.3g} × the stream"
    assert "of block 0)" in legend["about"]  # where it is most
    assert page.link["colours"] == "added"
    page.set("colours", "kind")
    assert page.sent("diagram")["legend"] is None
    assert "tinted" not in page.sent("diagram")["wide"]


def test_the_colours_tell_how_widely_heads_look(visit):
    page = visit(
        text="Once upon a time", block="2", inside="attention", colours="entropy", head="3"
    )
    bits = attention_entropy(of_tales("Once upon a time"))
    svg, legend = page.sent("diagram")["wide"], page.sent("diagram")["legend"]
    assert f">{bits[2].mean():.3g} bits</text>" in svg
    assert f">shown: head 3, {bits[2, 3]:.3g} bits</text>" in svg
    for head, value in enumerate(bits[2]):
        assert f"<title>head {head}: {value:.3g} bits</title>" in svg
    assert legend["low"] == "0 bits"
    assert legend["high"].startswith(f"{most_entropy(4):.3g} bits")


@pytest.mark.parametrize("colours", ["added", "entropy"])
def test_the_structure_does_not_wait_for_colours(colours, visit, free_memory):
    free_memory(10**12)
    page = visit(model="gpt2-xl", text="Hi you", block="47", colours=colours)
    assert "blocks.47.norm1" in paths(page)
    assert page.sent("diagram")["legend"] is None
    assert visit(text="", colours=colours).sent("diagram")["legend"] is None


@pytest.mark.parametrize(
    ("colours", "link", "words"),
    [
        ("entropy", {"attention": "false"}, "no heads that look"),
        ("entropy", {"text": "a"}, "sees but itself"),
        ("added", {"shortcut": "false"}, "nothing is added to a stream"),
        ("added", {"attention": "false", "feed_forward": "false"}, "they add nothing"),
    ],
)
def test_what_cannot_be_measured_is_said(colours, link, words, visit, small):
    open_page = visit if "text" in link else small
    page = open_page(colours=colours, **{"text": "Hi you", **link})
    assert words in page.said
    assert page.sent("diagram")["legend"] is None


def test_a_part_left_out_has_no_colour_and_the_others_keep_theirs(small):
    page = small(text="Hi you all", colours="added", attention="false", block="1")
    svg = page.sent("diagram")["wide"]
    assert "Block 2, feed-forward: " in svg
    assert "Block 2, attention: " not in svg


def test_train_mode_has_its_own_colours(visit):
    link = {"text": "Once upon a time", "colours": "added", "drop_rate": "0.5"}
    plain, dropping = (visit(train=train, **link).sent("diagram") for train in ("false", "true"))
    assert plain["legend"]["about"] != dropping["legend"]["about"]
