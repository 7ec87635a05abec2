"""The course in a real browser: it begins at a click, goes on by clicks, and fits a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

COURSE = ".st-key-course"


def test_the_course_is_walked_from_the_offer_to_the_way_back(visit, act):
    page = visit("/")
    expect(page.locator(COURSE)).to_contain_text("Mean loss")
    act(page, page.get_by_role("button", name="New here?").click)
    expect(page.locator(COURSE)).to_contain_text("stage 1 of 5: Dummy GPT")
    expect(page.locator(".part.placeholder").first).to_be_visible()
    act(page, page.get_by_role("button", name="Next: Layer norm").click)
    act(page, page.get_by_role("button", name="Next: Attention").click)
    expect(page.locator(COURSE)).to_contain_text("stage 3 of 5")
    expect(page.locator(".st-key-stage input")).to_have_value("3 · Attention")
    assert "feed_forward=false" in page.url
    act(page, page.get_by_role("button", name="Back to tales").click)
    expect(page.locator(COURSE)).to_contain_text("stage 5 of 5")
    assert "false" not in page.url


def test_quick_switches_are_all_kept(visit, act):
    page = visit("/?model=custom&emb_dim=48&vocab_size=300&n_layers=1&text=Hi+you")
    switches = [page.locator(f".st-key-{part} label") for part in ("norm", "attention", "shortcut")]
    act(page, lambda: [switch.first.click() for switch in switches])
    for part in ("norm", "attention", "shortcut"):
        expect(page.locator(f".st-key-{part} input")).not_to_be_checked()
    expect(page.locator(".st-key-feed_forward input")).to_be_checked()
    expect(page.locator(".st-key-stage input")).to_have_value("A mix of your own")


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_runs_over_the_edge(width, visit):
    page = visit("/?norm=false&attention=false&feed_forward=false&shortcut=false", width=width)
    box = page.locator(COURSE).bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
