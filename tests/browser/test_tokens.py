"""The tokens page in a real browser: chips are chosen, and show any text as it is."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

HOSTILE = (
    "<img src=x onerror=\"window.__xss='img'\"> $x$ :red[x] שלום 👨\u200d👩\u200d👧 \u202eabc\n!"
)
CHIP = ".st-key-tokens_chips .chip"


def press(page, milliseconds):
    """Hold the mouse's button as long as a person does."""
    page.mouse.down()
    page.wait_for_timeout(milliseconds)
    page.mouse.up()


@pytest.mark.parametrize("width", [1440, 390])
def test_a_click_on_a_chip_chooses_the_token_for_every_view(width, visit, act):
    page = visit("/tokens?text=Once+upon+a+time&tokens_view=neighbours", width=width)
    expect(page.locator(f"{CHIP}.chosen")).to_have_text("␣time")
    act(page, page.locator(CHIP).nth(1).click)
    expect(page.locator(f"{CHIP}.chosen")).to_have_text("␣upon")
    expect(page.locator(".st-key-token input")).to_have_value("1 · ␣upon")
    assert "token=1" in page.url
    bars = page.locator(".st-key-neighbours .js-plotly-plot")
    assert len(bars.evaluate("e => [...e._fullData[0].x]")) == 20


def test_arrow_keys_go_from_token_to_token_and_stop_at_the_end(visit, act):
    page = visit("/tokens?text=Once+upon+a+time&token=2")
    chips = page.locator(".st-key-tokens_chips .chips")
    chips.focus()
    act(page, lambda: chips.press("ArrowRight"))
    expect(page.locator(f"{CHIP}.chosen")).to_have_text("␣time")
    act(page, lambda: chips.press("ArrowRight"))
    expect(page.locator(f"{CHIP}.chosen")).to_have_text("␣time")
    act(page, lambda: chips.press("Home"))
    expect(page.locator(f"{CHIP}.chosen")).to_have_text("Once")


def test_a_chip_shows_its_id_and_pointing_at_it_tells_position_and_bytes(visit):
    page = visit("/tokens?" + urlencode({"text": "a 🙂"}))
    below = page.locator(CHIP).first.evaluate("e => getComputedStyle(e, '::after').content")
    assert below == '"64"'
    tip = page.locator(".st-key-tokens_chips .tip")
    page.locator(CHIP).first.hover()
    expect(tip).to_have_text("token 0 “a” · id 64 · 1 byte: 61")
    page.locator(CHIP).last.hover()
    expect(tip).to_contain_text("part of “🙂”")


def test_any_text_is_shown_as_it_is(visit):
    page = visit("/tokens?" + urlencode({"text": HOSTILE, "token": "0"}))
    shown = "".join(page.locator(CHIP).all_text_contents())
    for piece in ("<img", "onerror=", "$", ":", "red", "\\xe2\\x80\\xae", "⏎"):
        assert piece in shown
    rows = page.locator(".st-key-merges tbody tr")
    expect(rows.first).to_contain_text("its bytes")
    page.wait_for_timeout(300)  # an image that can't be loaded says so a moment later
    assert page.evaluate("window.__xss") is None
    assert page.locator("img[src='x']").count() == 0


def test_a_thousand_tokens_scroll_in_their_own_area_and_the_page_stays(visit, act):
    link = "model=custom&context_length=1024&vocab_size=257&n_layers=1&emb_dim=24&n_heads=2"
    page = visit(f"/tokens?{link}&text=" + "a+king+" * 200 + "&token=0")
    expect(page.locator(f"{CHIP}:not(.unread)")).to_have_count(1024)
    area = page.locator(".st-key-tokens_chips .chips")
    assert area.evaluate("e => e.scrollHeight > e.clientHeight && e.clientHeight <= 300")
    area.focus()
    act(page, lambda: area.press("End"))
    expect(page.locator(f"{CHIP}.chosen")).to_be_in_viewport()
    assert area.evaluate("e => e.scrollTop") > 0


def test_the_cut_stands_among_the_chips_and_nothing_beyond_it_can_be_chosen(visit, act):
    link = "model=custom&context_length=16&vocab_size=1000&n_layers=1&emb_dim=24&n_heads=2"
    page = visit(f"/tokens?{link}&text=" + "a+king+" * 20)
    cut = page.locator(".st-key-tokens_chips .cut")
    expect(cut).to_be_visible()
    assert cut.evaluate("e => [...e.parentElement.children].indexOf(e)") == 16
    chips = page.locator(".st-key-tokens_chips .chips")
    chips.focus()
    act(page, lambda: chips.press("Home"))
    act(page, lambda: chips.press("End"))
    expect(page.locator(f"{CHIP}.chosen")).to_have_id("chip-15")
    page.locator(CHIP).nth(17).click(force=True)
    expect(page.locator(".st-key-tokens_chips .tip")).to_contain_text("not read")
    page.wait_for_timeout(300)
    expect(page.locator(f"{CHIP}.chosen")).to_have_id("chip-15")


@pytest.mark.parametrize("chips", ["tokens_chips", "words_chips"])
def test_a_click_on_a_late_chip_while_a_shorter_sentence_is_typed_does_no_harm(chips, visit, act):
    """Pressing the button sends the sentence; the click comes some 20 to 160 ms after it."""
    for pressed in (20, 80, 160):
        page = visit("/tokens?text=" + "word+" * 30)
        late = page.locator(f".st-key-{chips} .chip").nth(28)
        late.scroll_into_view_if_needed()
        page.locator(".st-key-text textarea").fill("a b")  # typed, and not sent
        place = late.bounding_box()
        page.mouse.move(place["x"] + 5, place["y"] + 5)
        act(page, partial(press, page, pressed))
        expect(page.locator(CHIP)).to_have_text(["a", "␣b"])
        expect(page.locator(f"{CHIP}.chosen")).to_have_text("␣b")


def test_the_box_of_tokens_names_the_last_token_of_each_new_sentence(visit, act):
    page = visit("/tokens?text=Once+upon+a+time")
    box = page.locator(".st-key-text textarea")
    for text, last in [("a b", "1 · ␣b"), ("one two three", "2 · ␣three"), ("a b", "1 · ␣b")]:
        box.fill(text)
        act(page, lambda: box.press("Control+Enter"))
        expect(page.locator(".st-key-token input")).to_have_value(f"the last: {last}")
    act(page, page.locator(CHIP).first.click)
    box.fill("x y")
    act(page, lambda: box.press("Control+Enter"))
    expect(page.locator(".st-key-token input")).to_have_value("0 · x")
