"""The attention page in a real browser: the sentence, the overview and the exact map agree."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

MAP = ".st-key-exact .js-plotly-plot"


def shown_map(page: Page) -> list[list[float | None]]:
    """The numbers of the map on the screen."""
    values = page.locator(MAP).evaluate(
        "e => [...e._fullData[0].z].map(row => [...row].map(w => isNaN(w) ? null : w))"
    )
    return list(values)


def is_attention(rows: list[list[float | None]]) -> bool:
    """Whether every row sums to 1 and sees nothing that comes later."""
    return all(
        abs(sum(row[: i + 1]) - 1) < 1e-4 and all(weight is None for weight in row[i + 1 :])
        for i, row in enumerate(rows)
    )


def point_at(page: Page, layer: int, head: int, layers: int = 6, heads: int = 8):
    """Where a head's middle lies on the overview."""
    box = page.locator("canvas[tabindex]").bounding_box()
    assert box
    return {"x": (head + 0.45) * box["width"] / heads, "y": (layer + 0.45) * box["height"] / layers}


def ring_is_around(page: Page, layer: int, head: int) -> None:
    """The ring's middle lies in the head's tile."""
    canvas = page.locator("canvas[tabindex]").bounding_box()
    ring = page.locator(".ring").bounding_box()
    assert canvas
    assert ring
    column = (ring["x"] + ring["width"] / 2 - canvas["x"]) / (canvas["width"] / 8)
    row = (ring["y"] + ring["height"] / 2 - canvas["y"]) / (canvas["height"] / 6)
    assert (int(row), int(column)) == (layer, head)


def test_typing_a_sentence_changes_the_map(visit, act):
    page = visit("/attention?" + urlencode({"text": "Once upon a time"}))
    before = shown_map(page)
    assert len(before) == 4
    assert is_attention(before)
    box = page.locator(".st-key-text textarea")
    box.fill("Once upon a time there was a king")
    act(page, lambda: box.press("Control+Enter"))
    after = shown_map(page)
    assert len(after) == 8
    assert is_attention(after)
    labels = page.locator(f"{MAP} .ytick").all_text_contents()
    assert "␣king" in labels


@pytest.mark.parametrize("width", [1440, 390])
def test_a_click_on_the_overview_chooses_the_head(width, visit, act):
    page = visit("/attention", width=width)
    before = shown_map(page)
    overview = page.locator("canvas[tabindex]")
    overview.scroll_into_view_if_needed()
    act(page, lambda: overview.click(position=point_at(page, 4, 6)))
    ring_is_around(page, 4, 6)
    expect(page.locator(".st-key-layer input")).to_have_value("4")
    expect(page.locator(".st-key-head input")).to_have_value("6")
    after = shown_map(page)
    assert after != before
    assert is_attention(after)
    assert "layer=4" in page.url
    assert "head=6" in page.url


def test_the_map_is_the_same_by_link_and_by_click(visit, act):
    page = visit("/attention")
    act(page, lambda: page.locator("canvas[tabindex]").click(position=point_at(page, 2, 3)))
    assert shown_map(page) == shown_map(visit("/attention?layer=2&head=3"))


def test_arrow_keys_go_from_head_to_head_and_stop_at_the_edge(visit, act):
    page = visit("/attention?layer=4&head=1")
    overview = page.locator("canvas[tabindex]")
    overview.focus()
    act(page, lambda: overview.press("ArrowDown"))
    ring_is_around(page, 5, 1)
    act(page, lambda: overview.press("ArrowRight"))
    ring_is_around(page, 5, 2)
    act(page, lambda: overview.press("ArrowDown"))
    ring_is_around(page, 5, 2)
    expect(page.locator(".st-key-layer input")).to_have_value("5")


def test_pointing_at_a_cell_names_tokens_and_weight(visit):
    page = visit("/attention?" + urlencode({"text": "Once upon a time"}))
    page.locator("canvas[tabindex]").hover(position={"x": 3, "y": 3})
    tip = page.locator(".tip")
    # token 0 sees but itself
    expect(tip).to_have_text(
        'layer 0, head 0 · query 0 "Once" looks at key 0 "Once": weight about 1.000'
    )


def test_two_visitors_with_different_models_do_not_mix(visit, act):
    one = visit("/attention?text=a+b+c")
    other = visit(
        "/attention?text=x+y&model=custom&emb_dim=48&n_heads=4&n_layers=2&vocab_size=1000"
    )
    before = shown_map(one)
    assert len(before) != len(shown_map(other))
    knob = other.locator(".st-key-n_heads input[type=range]")
    knob.focus()
    act(other, lambda: knob.press("ArrowLeft"))
    expect(other.get_by_test_id("stMain")).to_contain_text("custom, random weights")
    act(one, lambda: one.locator("canvas[tabindex]").click(position=point_at(one, 0, 1)))
    act(one, lambda: one.locator("canvas[tabindex]").click(position=point_at(one, 0, 0)))
    assert shown_map(one) == before
    expect(one.get_by_test_id("stMain")).to_contain_text("tales, trained")
