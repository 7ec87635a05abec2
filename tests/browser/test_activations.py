"""The activations page in a real browser: its views, and what was chosen in them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from gptviz.ui.activations.options import VIEW

LAST_FIGURE = {
    "stream": "turns",
    "added": "feed_forward_adds",
    "token": "sum",
    "station": "histogram",
    "norms": "learned",
    "neurons": "driven",
    "dropout": "before_after",
}


@pytest.mark.parametrize("view", VIEW.allowed)
def test_a_view_is_whole_on_a_phone(view, visit):
    page = visit(f"/activations?activations_view={view}&train=true&drop_rate=0.1", width=390)
    expect(page.locator(f".st-key-{LAST_FIGURE[view]} .js-plotly-plot")).to_be_attached()
    beyond = page.evaluate(
        """() => [...document.querySelectorAll('.js-plotly-plot')]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1).length"""
    )
    assert beyond == 0


def test_views_and_neurons_are_chosen_by_hand_and_stand_in_the_link(visit, act):
    page = visit("/activations?text=Once+upon+a+time")
    act(page, lambda: page.get_by_role("radio", name=VIEW.words("neurons")).click())
    assert "activations_view=neurons" in page.url
    box = page.locator(".st-key-neuron input")
    box.click()
    box.press_sequentially("321")
    act(page, lambda: box.press("Enter"))
    assert "neuron=321" in page.url
    expect(page.get_by_text("What drives neuron 321 of block 0")).to_be_visible()
    heights = page.locator(".st-key-driven .js-plotly-plot").evaluate("e => e._fullData[0].y")
    assert len(heights) == 4
