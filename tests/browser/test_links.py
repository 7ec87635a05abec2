"""The link holds the screen: a reload and another visitor find what one has left."""

from __future__ import annotations

from urllib.parse import parse_qs, parse_qsl, urlencode, urlparse

import pytest
from playwright.sync_api import Page, expect

SMALL = "model=custom&emb_dim=48&n_heads=4&n_layers=3&vocab_size=1000&context_length=64"


def link(page: Page) -> dict[str, str]:
    asked = parse_qs(urlparse(page.url).query, keep_blank_values=True)
    return {key: values[-1] for key, values in asked.items()}


def heading(page: Page) -> str:
    """The line that names model, parameters and tokens."""
    return page.get_by_test_id("stMain").get_by_test_id("stCaptionContainer").first.inner_text()


def step(page: Page, act, field: str, key: str = "ArrowRight") -> None:
    knob = page.locator(f".st-key-{field} input[type=range]")
    knob.focus()
    act(page, lambda: knob.press(key))


def write(page: Page, act, text: str) -> None:
    box = page.locator(".st-key-text textarea")
    box.fill(text)
    act(page, lambda: box.press("Control+Enter"))


def changed(page: Page, act) -> None:
    """Move a slider, type a sentence, open a block."""
    step(page, act, "n_layers")
    write(page, act, "a king & a queen?")
    act(page, page.locator('.part[data-path="blocks"]').click)


def test_a_reload_keeps_the_screen(visit, act, settled):
    page = visit(f"/?{SMALL}")
    changed(page, act)
    before, parts = heading(page), page.locator(".part").count()
    page.reload()
    settled(page)
    assert heading(page) == before
    expect(page.locator(".st-key-text textarea")).to_have_value("a king & a queen?")
    expect(page.locator('.part[data-path="blocks.0.norm1"]')).to_be_visible()
    expect(page.locator(".part")).to_have_count(parts)


def test_another_visitor_of_the_link_sees_the_same_on_another_page_too(visit, act):
    page = visit(f"/?{SMALL}")
    changed(page, act)
    act(page, lambda: page.get_by_role("link", name="Attention").click())
    expect(page.get_by_role("heading", name="Attention")).to_be_visible()
    expect(page.locator("canvas[tabindex]")).to_be_visible()
    said = heading(page)
    assert "custom" in said
    other = visit(urlparse(page.url).path + "?" + urlparse(page.url).query)
    assert heading(other).splitlines()[-1] == said.splitlines()[-1]


@pytest.mark.parametrize(
    ("asked", "name"),
    [("n_layers=7", "tales"), ("model=gpt2-small&n_layers=5&text=", "gpt2-small")],
)
def test_a_link_never_gives_a_model_a_name_that_is_not_its_own(asked, name, visit, settled):
    page = visit(f"/?{asked}")
    assert "custom" in heading(page)
    assert f"Back to {name}" in page.get_by_test_id("stSidebar").inner_text()
    before = heading(page)
    page.reload()
    settled(page)
    assert heading(page) == before


def test_the_page_says_what_it_could_not_use_even_where_a_reading_follows(visit):
    page = visit("/?" + urlencode({"model": "gpt5", "block": "99", "text": "seldom read words"}))
    toasts = page.get_by_test_id("stToast")
    expect(toasts.filter(has_text="model")).to_be_visible()
    expect(toasts.filter(has_text="block")).to_be_visible()
    assert {"model", "block"} & set(link(page)) == set()


def test_a_long_sentence_stays_out_of_the_link_and_a_short_one_comes_back(visit, act):
    page = visit(f"/parameters?{SMALL}")
    write(page, act, "短" * 600)
    assert link(page)["text"] == "短" * 600
    write(page, act, "长" * 1000)
    assert "text" not in link(page)
    assert len(urlparse(page.url).query) < 1000
    expect(page.get_by_text("Too long for the link")).to_be_visible()
    write(page, act, "short again")
    assert link(page)["text"] == "short again"


def test_a_long_sentence_survives_a_reload_and_the_back_button(visit, act, settled):
    page = visit(f"/parameters?{SMALL}")
    first, second = "long & hard% " * 1000, "another 🙂 " * 1500
    box = page.locator(".st-key-text textarea")
    write(page, act, first)
    address = page.url
    page.reload()
    expect(box).to_have_value(first)
    settled(page)
    assert page.url == address
    act(page, page.get_by_role("link", name="Tokens").first.click)
    expect(box).to_have_value(first)
    write(page, act, second)
    page.go_back()
    expect(page.get_by_role("heading", name="Parameters", exact=True)).to_be_visible()
    expect(box).to_have_value(first)
    settled(page)
    page.go_forward()
    expect(box).to_have_value(second)
    settled(page)
    other = visit(urlparse(address).path + "?" + urlparse(address).query)
    expect(other.get_by_text("this tab doesn't have it")).to_be_visible()
    settled(other)
    assert "text" not in link(other)
    assert "text_id" not in link(other)


def test_the_link_goes_along_and_the_back_button_finds_every_page_as_it_was_left(visit, act):
    page = visit(f"/?{SMALL}&text=a+b")
    before = page.evaluate("history.length")
    for name in ("Parameters", "Attention"):
        act(page, page.get_by_role("link", name=name).first.click)
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        assert link(page) == dict(parse_qsl(f"{SMALL}&text=a+b"))
    step(page, act, "n_layers")
    assert link(page)["n_layers"] == "4"
    assert page.evaluate("history.length") == before + 2  # an entry for each page, no more
    act(page, page.go_back)
    expect(page.get_by_role("heading", name="Parameters", exact=True)).to_be_visible()
    assert link(page)["n_layers"] == "3"
    act(page, page.go_back)
    expect(page.locator('.part[data-path="blocks"]')).to_contain_text("× 3")
    act(page, page.go_forward)
    act(page, page.go_forward)
    assert link(page)["n_layers"] == "4"


def test_a_slider_that_is_moved_fast_leaves_its_last_value_in_the_address(visit, act):
    page = visit(f"/?{SMALL}")
    knob = page.locator(".st-key-n_layers input[type=range]")
    knob.focus()
    act(page, lambda: [knob.press("ArrowRight") for _ in range(8)])
    value = page.locator(".st-key-n_layers").get_by_test_id("stSliderThumbValue").inner_text()
    assert link(page)["n_layers"] == value == "11"
