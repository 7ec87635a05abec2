"""The diagram in a real browser: what moves it, what can be clicked, and that it can be read."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

PANEL = ".st-key-panel"


def part(page: Page, path: str):
    # the opened block stands in the column and beside it: the last one is the large one
    return page.locator(f'.part[data-path="{path}"]').last


def test_a_slider_moved_by_keyboard_changes_the_diagram(visit, act):
    page = visit("/")
    expect(part(page, "blocks")).to_contain_text("× 6")
    knob = page.locator(".st-key-n_layers input[type=range]")
    knob.focus()
    act(page, lambda: knob.press("ArrowRight"))
    expect(part(page, "blocks")).to_contain_text("× 7")
    act(page, lambda: [knob.press("ArrowRight") for _ in range(3)])
    expect(part(page, "blocks")).to_contain_text("× 10")
    expect(page.locator(".st-key-model input")).to_have_value("custom")
    back = page.get_by_role("button", name="Back to tales")
    act(page, back.click)
    expect(part(page, "blocks")).to_contain_text("× 6")
    expect(back).to_have_count(0)


def test_a_click_opens_a_block_and_explains_a_part(visit, act):
    page = visit("/")
    act(page, part(page, "blocks").click)
    expect(page.locator(PANEL)).to_contain_text("Block 0")
    expect(part(page, "blocks.0.attention.query")).to_be_visible()
    act(page, part(page, "blocks.0.feed_forward.gelu").click)
    expect(part(page, "blocks.0.attention.query")).to_have_count(0)  # attention is closed now
    expect(page.locator(PANEL)).to_contain_text("GELU")
    expect(page.locator(".part.selected")).to_have_count(1)
    selected = page.locator(".part.selected")
    expect(selected).to_have_attribute("data-path", "blocks.0.feed_forward.gelu")
    act(page, part(page, "blocks.1").click)
    expect(part(page, "blocks.1.norm1")).to_be_visible()


@pytest.mark.parametrize("key", ["Enter", " "])
def test_the_keyboard_does_what_a_click_does(key, visit, act):
    page = visit("/")
    part(page, "blocks").focus()
    act(page, lambda: page.keyboard.press(key))
    part(page, "blocks.0.attention.value").focus()
    act(page, lambda: page.keyboard.press(key))
    expect(page.locator(PANEL)).to_contain_text("blocks.0.attention.value")
    focused = page.evaluate(
        """() => { let e = document.activeElement;
            while (e.shadowRoot) e = e.shadowRoot.activeElement;
            return e.dataset.path; }"""
    )
    assert focused == "blocks.0.attention.value"  # so that one can go on from here


def test_every_part_can_be_clicked_and_its_formula_reads(visit, act):
    page = visit("/?block=0&inside=attention")
    paths = page.locator(".part").evaluate_all("all => all.map(e => e.dataset.path)")
    inside = [path for path in dict.fromkeys(paths) if path.startswith("blocks.0.attention.")]
    assert len(inside) == 13
    for path in inside:
        # on the words or near the upper edge: a frame's middle belongs to what it holds
        act(page, lambda path=path: part(page, path).click(position={"x": 14, "y": 9}))
        expect(page.locator(".part.selected").last).to_have_attribute("data-path", path)
        expect(page.locator(f"{PANEL} .katex").first).to_be_visible()
        assert page.locator(f"{PANEL} .katex-error").count() == 0, path


def test_the_levels_and_the_escape_key_walk_back(visit, act):
    page = visit("/?block=1")
    act(page, lambda: part(page, "blocks.1.attention.core").click(position={"x": 14, "y": 9}))
    expect(part(page, "blocks.1.attention.core.softmax")).to_be_visible()
    act(page, lambda: page.keyboard.press("Escape"))
    expect(part(page, "blocks.1.attention.core.softmax")).to_have_count(0)
    expect(part(page, "blocks.1.attention.query")).to_be_visible()
    act(page, page.get_by_role("button", name="Whole model").click)
    expect(part(page, "blocks")).to_be_visible()
    act(page, part(page, "out_head").click)
    expect(part(page, "out_head.softmax")).to_be_visible()


@pytest.mark.parametrize(("motion", "moving"), [("no-preference", True), ("reduce", False)])
def test_parts_glide_to_their_places_unless_less_motion_is_asked_for(motion, moving, visit, act):
    page = visit("/")
    page.emulate_media(reduced_motion=motion)
    page.evaluate(
        """() => { window.moves = 0; const glide = Element.prototype.animate;
            Element.prototype.animate = function (...all) {
                if (this.closest('svg.gptviz')) window.moves += 1;
                return glide.apply(this, all); }; }"""
    )
    act(page, part(page, "blocks").click)
    assert (page.evaluate("window.moves") > 0) == moving


def test_zoom_and_its_way_back(visit):
    page = visit("/")

    def shown():
        return page.locator(".stage svg").get_attribute("viewBox")

    whole = shown()
    page.get_by_role("button", name="zoom in").click()
    assert float(shown().split()[2]) < float(whole.split()[2])
    page.get_by_role("button", name="show all").click()
    assert shown() == whole
    page.get_by_role("button", name="zoom out").click()
    assert shown() == whole  # there is nothing around it


OVERFLOWING = """() => [...document.querySelectorAll('*')]
  .flatMap(e => e.shadowRoot ? [...e.shadowRoot.querySelectorAll('.part')] : [])
  .flatMap(part => {
    const box = part.querySelector('rect, circle').getBBox();
    return [...part.querySelectorAll('text')]
      .filter(text => { const b = text.getBBox();
        return b.x < box.x - 1 || b.x + b.width > box.x + box.width + 1
          || b.y < box.y - 1 || b.y + b.height > box.y + box.height + 1; })
      .map(text => part.dataset.path + ': ' + text.textContent);
  })"""

ON_EACH_OTHER = """() => [...document.querySelectorAll('*')]
  .flatMap(e => e.shadowRoot ? [...e.shadowRoot.querySelectorAll('svg')] : [])
  .flatMap(svg => {
    const texts = [...svg.querySelectorAll('text')].map(e => [e.textContent, e.getBBox()]);
    return texts.flatMap(([one, a], i) => texts.slice(i + 1)
      .filter(([, b]) => Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x) > 1
        && Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) > 3)
      .map(([other]) => one + ' / ' + other));
  })"""


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize(
    "link",
    [
        "block=3",
        "block=3&inside=attention",
        "block=0&inside=attention&symbolic=true",
        "block=3&inside=norm2&symbolic=true",
        "block=3&inside=feed_forward&symbolic=true",
        "inside=embeddings&symbolic=true",
        "inside=out_head",
        "model=gpt3-175b&block=95&inside=attention&text=",
        "model=gpt2-small",
        "model=gpt3-175b&block=95&text=",
        "model=custom&n_heads=128&emb_dim=16384&n_layers=128&vocab_size=200000"
        "&context_length=16384&block=100&text=a+b",
    ],
)
def test_all_words_fit_their_boxes_and_none_lies_on_another(link, width, visit):
    page = visit(f"/?{link}", width=width)
    assert page.locator(".part").count() > 5
    assert page.evaluate(OVERFLOWING) == []
    assert page.evaluate(ON_EACH_OTHER) == []


def test_the_model_can_be_taken_along(visit, act):
    page = visit("/?model=custom&emb_dim=48&n_heads=4&n_layers=3&text=")
    act(page, page.get_by_text("Take it along").click)
    with page.expect_download() as taken:
        page.get_by_role("button", name="The model as PyTorch code").click()
    code = taken.value.path().read_text(encoding="utf-8")
    compile(code, "custom.py", "exec")
    assert taken.value.suggested_filename == "custom.py"
    assert "emb_dim=48" in code
