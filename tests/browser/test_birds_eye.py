"""The diagram in a real browser: what moves it, what can be clicked, and that it can be read."""

from __future__ import annotations

import re

import pytest
from PIL import ImageColor
from playwright.sync_api import Page, expect

from gptviz.diagram.svg import SHADES
from gptviz.figures.theme import DARK, LIGHT, along

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
    assert page.evaluate(FOCUSED) == "blocks.0.attention.value"  # so that one can go on from here


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


FOCUSED = """() => { let e = document.activeElement;
    while (e.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
    return e.dataset.path ?? e.dataset.level; }"""


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_way_in_and_out_by_keyboard_alone(width, dark, visit, act):
    page = visit("/", width=width, dark=dark)
    part(page, "blocks").focus()
    act(page, lambda: page.keyboard.press("Enter"))
    part(page, "blocks.0.attention.core").focus()
    act(page, lambda: page.keyboard.press("Enter"))
    part(page, "blocks.0.attention.core.softmax").focus()
    act(page, lambda: page.keyboard.press(" "))
    expect(page.locator(PANEL)).to_contain_text("Softmax")
    act(page, lambda: page.keyboard.press("Escape"))
    assert page.evaluate(FOCUSED) == "blocks.0.attention.core"  # where it was: one goes on there
    act(page, lambda: page.keyboard.press("Escape"))
    assert page.evaluate(FOCUSED) == "blocks"
    act(page, lambda: page.keyboard.press("Enter"))
    level = page.get_by_role("button", name="Whole model")
    level.focus()
    act(page, lambda: level.press("Enter"))
    assert page.evaluate(FOCUSED) == ""  # on the level itself
    expect(part(page, "blocks")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_way_in_and_out_by_mouse(width, dark, visit, act):
    page = visit("/", width=width, dark=dark)
    act(page, part(page, "blocks").click)
    act(page, part(page, "blocks.0.norm1").click)
    expect(part(page, "blocks.0.norm1.variance")).to_be_visible()
    expect(part(page, "blocks.0.feed_forward")).to_be_visible()  # what is around it is still there
    act(page, page.get_by_role("button", name="Block 0", exact=True).click)
    expect(part(page, "blocks.0.norm1.variance")).to_have_count(0)
    act(page, page.get_by_role("button", name="Whole model").click)
    expect(part(page, "blocks")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


COLOURED = """() => [...document.querySelectorAll('*')]
  .flatMap(e => e.shadowRoot ? [...e.shadowRoot.querySelectorAll('.cell, .band')] : [])
  .map(e => [e.closest('.tinted')?.getAttribute('class') ?? e.getAttribute('class'),
    getComputedStyle(e).fill])"""


@pytest.mark.parametrize(("dark", "theme"), [(False, LIGHT), (True, DARK)])
def test_colours_are_those_of_the_scale_and_a_cell_opens_its_block(dark, theme, visit, act):
    page = visit("/?block=2", dark=dark)
    expect(page.locator(".legend")).to_be_hidden()
    page.locator(".st-key-colours input").click()
    act(page, page.get_by_role("option", name="how much it adds to the stream").click)
    expect(page.locator(".legend")).to_contain_text("× the stream")
    found = page.evaluate(COLOURED)
    assert len(found) == 14  # six blocks' two parts, and the two of the open one
    for classes, fill in found:
        shade = next(int(c[1:]) for c in classes.split() if re.fullmatch(r"m\d+", c))
        wanted = ImageColor.getrgb(along(theme.sequential, shade / (SHADES - 1)))
        assert fill == f"rgb{wanted}"
    assert len({fill for _, fill in found}) > 3
    act(page, page.locator('.cell[data-path="blocks.4"]').first.click)
    expect(part(page, "blocks.4.norm1")).to_be_visible()


def test_a_part_that_gets_the_focus_comes_into_sight(visit):
    page = visit("/?block=2")
    for _ in range(5):
        page.get_by_role("button", name="zoom in").click()

    def is_in_sight():
        stage, box = (
            page.locator(".stage").bounding_box(),
            part(page, "next_token").bounding_box(),
        )
        return stage["y"] < box["y"] + box["height"] / 2 < stage["y"] + stage["height"]

    assert not is_in_sight()
    part(page, "next_token").evaluate("e => e.focus({ preventScroll: true })")
    assert is_in_sight()


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
        "block=3&colours=added",
        "block=3&inside=attention&colours=entropy",
        "inside=embeddings&colours=added",
        "model=custom&n_layers=96&n_heads=12&emb_dim=48&vocab_size=300&block=50&colours=entropy",
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
