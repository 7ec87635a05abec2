"""Every page in a real browser: as a first visit, on a small screen, in the dark, under attack."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from gptviz.ui.pages import PAGES

# What shows that a page is whole: each is there only once the last step has been drawn.
WHOLE = {
    "/": [".part", ".bar"],
    "/tokens": [".st-key-tokens_chips .chip.chosen", ".st-key-counts .js-plotly-plot"],
    "/activations": [".st-key-stream .js-plotly-plot", ".st-key-turns .js-plotly-plot"],
    "/attention": [".st-key-exact .js-plotly-plot", "canvas[tabindex]"],
    "/prediction": [".st-key-candidates_figure .js-plotly-plot"],
    "/parameters": [".st-key-treemap .js-plotly-plot", "[data-testid=stTable]"],
    "/parameters?parameters_view=modules": ["[data-testid=stDataFrame]"],
}

HOSTILE = (
    "<img src=x onerror=\"window.__xss='img'\"><script>window.__xss='script'</script>"
    "</text></svg><svg onload=\"window.__xss='svg'\"> [a](javascript:window.__xss='link') $\\x$"
)


def expect_whole(page: Page, path: str) -> None:
    for selector in WHOLE[path]:
        expect(page.locator(selector).first).to_be_attached()
    expect(page.locator(".st-key-n_layers")).to_have_count(1)
    menu = page.get_by_test_id("stSidebar").get_by_test_id("stPageLink")
    expect(menu).to_have_count(len(PAGES))


@pytest.mark.parametrize("path", WHOLE)
def test_a_page_is_whole_as_the_first_visit_of_a_fresh_server(path, visit, fresh_server):
    page = visit(path, server=fresh_server)
    expect_whole(page, path)


@pytest.mark.parametrize("path", WHOLE)
def test_a_page_fits_a_phone(path, visit):
    page = visit(path, width=390, height=844)
    # the menu covers the page on a phone until it is called
    for selector in WHOLE[path]:
        expect(page.locator(selector).first).to_be_attached()
    wider = page.evaluate(
        """() => ['html', '[data-testid=stMain]', '[data-testid=stMainBlockContainer]']
            .map(where => document.querySelector(where))
            .filter(place => place.scrollWidth > place.clientWidth + 1)
            .map(place => [place.tagName, place.dataset.testid, place.scrollWidth])"""
    )
    assert not wider
    beyond = page.evaluate(
        """() => [...document.querySelectorAll('.js-plotly-plot, canvas, .stage svg')]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
            .map(e => e.outerHTML.slice(0, 80))"""
    )
    assert not beyond


@pytest.mark.parametrize(
    ("link", "key"),
    [
        ("/attention?", "exact"),
        ("/attention?attention_view=rollout", "rollout"),
        ("/tokens?tokens_view=map", "vocabulary_map"),
        ("/tokens?tokens_view=positions", "positions"),
    ],
)
def test_what_is_square_is_not_a_tower_on_a_phone(link, key, visit):
    plot = f".st-key-{key} .js-plotly-plot"
    wide = visit(link).locator(plot).bounding_box()
    slim = visit(link, width=390, height=844).locator(plot).bounding_box()
    assert wide["height"] >= 560
    assert slim["width"] < slim["height"] < slim["width"] + 100


def test_what_each_layer_says_can_be_read_on_a_phone(visit):
    page = visit("/prediction?prediction_view=lens", width=390, height=844)
    assert page.locator(".st-key-lens .js-plotly-plot").bounding_box()["width"] > 900
    assert page.locator(".st-key-figure_lens").bounding_box()["width"] < 390
    words = page.locator(".st-key-lens .heatmaplayer text").first
    assert float(words.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")) >= 10


def brightness(colour: str) -> float:
    red, green, blue = (float(part) for part in colour.split("(")[1].rstrip(")").split(",")[:3])
    return (0.299 * red + 0.587 * green + 0.114 * blue) / 255


@pytest.mark.parametrize("path", WHOLE)
def test_dark_mode_is_dark_and_can_be_read(path, visit):
    page = visit(path, dark=True)
    expect_whole(page, path)
    ground, text = page.get_by_test_id("stApp").evaluate(
        "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
    )
    assert brightness(ground) < 0.2
    assert brightness(text) > 0.7
    words = page.evaluate(
        """() => [...document.querySelectorAll('.js-plotly-plot .xtick text')]
            .map(e => getComputedStyle(e).fill)"""
    )
    if path == "/":
        words = page.locator(".part text").evaluate_all(
            "all => all.map(e => getComputedStyle(e).fill)"
        )
    assert all(brightness(colour) > 0.5 for colour in words)


def expect_harmless(page: Page) -> None:
    page.wait_for_timeout(300)  # an image that can't be loaded says so a moment later
    assert page.evaluate("window.__xss") is None
    assert page.locator("img[src='x'], a[href^='javascript']").count() == 0


@pytest.fixture
def watched(visit):
    """``visit``, where a dialog that opens fails the test."""
    dialogs = []

    def open_page(*args, **options):
        page = visit(*args, **options)
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        return page

    yield open_page
    assert not dialogs


@pytest.mark.parametrize("path", WHOLE)
def test_hostile_text_in_the_link_runs_nothing(path, watched):
    link = {"text": HOSTILE, "model": HOSTILE, "block": HOSTILE, "layer": HOSTILE, HOSTILE: HOSTILE}
    page = watched(f"{path}{'&' if '?' in path else '?'}{urlencode(link)}")
    expect_whole(page, path)
    expect(page.locator(".st-key-text textarea")).to_have_value(HOSTILE)
    expect_harmless(page)
    if path == "/":
        expect(page.locator(".stage svg")).to_contain_text("<")


def test_hostile_text_that_is_typed_runs_nothing_on_any_page(watched, act):
    page = watched("/")
    box = page.locator(".st-key-text textarea")
    box.fill(HOSTILE)
    act(page, lambda: box.press("Control+Enter"))
    for name in (
        "Tokens",
        "Activations",
        "Attention",
        "Prediction",
        "Parameters",
        "Bird's-eye view",
    ):
        act(page, lambda name=name: page.get_by_role("link", name=name).first.click())
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        expect(page.locator(".st-key-text textarea")).to_have_value(HOSTILE)
        expect_harmless(page)


def test_hostile_tokens_on_the_overview_run_nothing(watched):
    page = watched("/attention?" + urlencode({"text": HOSTILE}))
    page.locator("canvas[tabindex]").hover(position={"x": 5, "y": 5})
    expect(page.locator(".tip")).to_contain_text("looks at key")
    page.locator(".st-key-exact .nsewdrag").hover(position={"x": 20, "y": 60})
    expect_harmless(page)
