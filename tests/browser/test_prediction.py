"""The prediction page in a real browser: bars, clicks on tokens, and a text that can be stopped."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

SVG = "{http://www.w3.org/2000/svg}"
TOKENS = "[role=option]"
HOSTILE = "<img src=x onerror=\"window.__xss='img'\"><script>window.__xss=1</script> $\\x$ **b**"
# Large enough to be watched while it writes.
SLOW = {"model": "custom", "vocab_size": 1000, "context_length": 600, "emb_dim": 768}
SLOW |= {"n_heads": 12, "n_layers": 12}


def link(view: str, **more: object) -> str:
    return "/prediction?" + urlencode({"prediction_view": view, "text": "Once upon a time", **more})


def shown_bars(page: Page, key: str = "candidates_figure") -> list[float]:
    chart = page.locator(f".st-key-{key} .js-plotly-plot")
    return list(chart.evaluate("e => [...e._fullData.at(-1).x]"))


def written(page: Page) -> list[str]:
    """The tokens that were written: those that can be clicked."""
    return page.locator(f"{TOKENS}:enabled").all_text_contents()


def test_typing_a_sentence_changes_the_bars(visit, act):
    page = visit(link("next"))
    before = shown_bars(page)
    assert abs(sum(before) - 1) < 1e-4
    box = page.locator(".st-key-text textarea")
    box.fill("Once upon a time there was a king")
    act(page, lambda: box.press("Control+Enter"))
    after = shown_bars(page)
    assert after != before
    assert abs(sum(after) - 1) < 1e-4


def test_a_click_on_a_surprising_token_chooses_it(visit, act):
    page = visit(link("surprise"))
    act(page, lambda: page.locator(TOKENS).nth(2).click())
    expect(page.locator(TOKENS).nth(2)).to_have_attribute("aria-selected", "true")
    assert "token=2" in page.url
    expect(page.get_by_text("What came: ␣a", exact=True)).to_be_visible()


def test_the_tokens_with_their_surprise_are_saved_as_pictures_and_as_numbers(visit):
    page = visit(link("surprise"))
    row = page.locator(".st-key-take_surprise_tokens")
    files = {}
    for kind in ("PNG", "SVG", "CSV"):
        with page.expect_download() as waiting:
            row.get_by_role("button", name=kind, exact=True).click()
        files[kind] = Path(waiting.value.path()).read_bytes()
    assert files["PNG"].startswith(b"\x89PNG")
    words = [text.text for text in ElementTree.fromstring(files["SVG"]).iter(f"{SVG}text")]
    assert words[-4:] == ["Once", "␣upon", "␣a", "␣time"]
    assert [line.split(",")[1] for line in files["CSV"].decode().splitlines()[1:]] == words[-3:]


@pytest.mark.parametrize("width", [1440, 390])
def test_writing_and_a_click_on_what_was_written(width, visit, act):
    page = visit(link("write", many=6, temperature=0.8), width=width)
    act(page, lambda: page.get_by_role("button", name="Write 6 tokens").click())
    tokens = written(page)
    assert len(tokens) == 6
    assert "written=6" in page.url
    act(page, lambda: page.locator(f"{TOKENS}:enabled").nth(4).click())
    expect(page.get_by_text(f"Drawn: {tokens[4]}", exact=True)).to_be_visible()
    assert "drawn=4" in page.url
    assert abs(sum(shown_bars(page, "sampled")) - 1) < 1e-4
    assert written(visit("/" + page.url.split("/", 3)[3])) == tokens  # the link writes it again


def test_a_text_appears_token_by_token_and_can_be_stopped(visit, act):
    page = visit(link("write", many=500, **SLOW))
    page.get_by_role("button", name="Write 500 tokens").click()
    progress = page.get_by_text(re.compile(r"\d+ tokens written"))
    expect(progress).to_be_visible()
    first = progress.inner_text()
    expect(progress).not_to_have_text(first)  # it grows
    act(page, lambda: page.get_by_role("button", name="Stop").click())
    count = len(written(page))
    assert 0 < count < 500
    assert f"written={count}" in page.url
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    act(page, lambda: page.get_by_role("button", name="One token").click())
    assert len(written(page)) == count + 1


@pytest.mark.parametrize("view", ["surprise", "lens", "parts", "write"])
def test_hostile_text_runs_nothing_in_any_view(view, visit):
    page = visit(link(view, text=HOSTILE, written=3, token=1))
    page.wait_for_timeout(300)  # an image that can't be loaded says so a moment later
    assert page.evaluate("window.__xss") is None
    assert page.locator("img[src='x']").count() == 0
    if view in ("surprise", "write"):
        expect(page.locator(TOKENS).first).to_have_text("<")
