"""The attention page in a real browser: the sentence, the overview and the exact map agree."""

from __future__ import annotations

from csv import DictReader
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

FIRST_ROW = 36 + 17  # pixels: the middle of a table's first row
SVG = "{http://www.w3.org/2000/svg}"
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


def ring_is_around(page: Page, layer: int, head: int, key: str = "all_heads") -> None:
    """The ring's middle lies in the head's tile."""
    canvas = page.locator(f".st-key-{key} canvas").bounding_box()
    ring = page.locator(f".st-key-{key} .ring").bounding_box()
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


def test_the_overview_is_saved_as_a_picture_and_as_numbers(visit):
    page = visit("/attention?" + urlencode({"text": "Once upon a time"}))
    row = page.locator(".st-key-take_all_heads")
    with page.expect_download() as picture:
        row.get_by_role("button", name="PNG", exact=True).click()
    assert picture.value.suggested_filename == "gptviz-all_heads.png"
    assert Path(picture.value.path()).read_bytes().startswith(b"\x89PNG")
    with page.expect_download() as drawing:
        row.get_by_role("button", name="SVG", exact=True).click()
    svg = ElementTree.parse(drawing.value.path()).getroot()
    assert [each.tag.rpartition("}")[2] for each in svg][:2] == ["rect", "image"]
    assert svg[1].attrib["href"].startswith("data:image/png;base64,")
    heads, layers = map(str, range(8)), map(str, range(6))
    assert [each.text for each in svg[2:]] == [*heads, *layers, "layer ↓   head →"]
    with page.expect_download() as numbers:
        row.get_by_role("button", name="CSV", exact=True).click()
    rows = Path(numbers.value.path()).read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + 6 * 8 * 4 * 5 // 2
    assert rows[1] == "0,0,0,Once,0,Once,1.0"


@pytest.mark.parametrize("width", [1440, 390])
def test_pointing_at_a_token_leaves_its_lines_and_a_click_chooses_it(width, visit, act):
    text = urlencode({"text": "Once upon a time there was a king"})
    page = visit(f"/attention?attention_view=lines&layer=0&head=5&{text}", width=width)
    paths = page.locator(".st-key-lines path")
    many = paths.count()
    page.locator("#queries-3").hover()
    tip = page.locator(".st-key-lines .tip")
    expect(tip).to_contain_text("3 “␣time” looks at:")
    assert 0 < paths.count() <= 4 < many
    shown = page.locator(".st-key-lines .keys .weight").all_text_contents()
    assert sum(float(weight) for weight in shown if weight) == pytest.approx(1, abs=0.02)
    act(page, lambda: page.locator("#keys-2").click())
    assert "token=2" in page.url
    page.mouse.move(0, 0)
    expect(tip).to_contain_text("2 “␣a” looks at:")


def test_the_lines_are_saved_as_pictures_and_as_numbers(visit):
    text = urlencode({"text": "Once upon a time there was"})
    page = visit(f"/attention?attention_view=lines&layer=0&head=5&{text}")
    page.mouse.move(0, 0)
    many, row = page.locator(".st-key-lines path").count(), page.locator(".st-key-take_lines")
    files = {}
    for kind in ("PNG", "SVG", "CSV"):
        with page.expect_download() as waiting:
            row.get_by_role("button", name=kind, exact=True).click()
        assert waiting.value.suggested_filename == f"gptviz-lines.{kind.lower()}"
        files[kind] = Path(waiting.value.path()).read_bytes()
    assert files["PNG"].startswith(b"\x89PNG")
    drawn = ElementTree.fromstring(files["SVG"])
    assert len(drawn.findall(f"{SVG}path")) == many > 6
    words = [text.text for text in drawn.iter(f"{SVG}text")]
    assert words.count("␣time") == 2  # once as query and once as key
    assert len(files["CSV"].decode().splitlines()) == 1 + 6 * 7 // 2


def test_lines_can_be_walked_with_the_keyboard(visit, act):
    page = visit("/attention?attention_view=lines&" + urlencode({"text": "a b c d"}))
    queries = page.locator(".st-key-lines .queries")
    queries.focus()
    for _ in range(2):
        queries.press("ArrowUp")
    expect(page.locator("#queries-1")).to_have_class("at")
    act(page, lambda: queries.press("Enter"))
    assert "token=1" in page.url


def test_a_token_is_text_whatever_it_says(visit):
    text = urlencode({"text": "<img src=x onerror=alert(1)> <b>"})
    page = visit(f"/attention?attention_view=lines&{text}")
    assert page.locator(".st-key-lines img").count() == 0
    expect(page.locator("#keys-0")).to_contain_text("<")


def test_a_click_on_a_row_of_the_table_chooses_the_head(visit, act):
    page = visit("/attention?attention_view=compare&measure=previous")
    table = page.locator(".st-key-heads_table .dvn-scroller")
    table.scroll_into_view_if_needed()
    act(page, lambda: table.click(position={"x": 30, "y": FIRST_ROW}))
    assert "head=5" in page.url  # layer 0: the previous-token head
    ring_is_around(page, 0, 5, "measure_grid")


def test_a_sorted_table_still_knows_which_head_is_in_a_row(visit, act):
    page = visit("/attention?attention_view=compare&measure=previous&layer=2")
    table = page.locator(".st-key-heads_table .dvn-scroller")
    table.scroll_into_view_if_needed()
    for _ in range(2):  # sorted by layer, the last one first
        table.click(position={"x": 20, "y": 17})
        page.wait_for_timeout(300)
    act(page, lambda: table.click(position={"x": 20, "y": FIRST_ROW}))
    assert "layer=5" in page.url


def test_a_click_on_a_cell_silences_that_head(visit, act):
    page = visit("/attention?attention_view=explanation")
    act(page, lambda: page.get_by_role("button", name="Silence each of the 48").click())
    grid = page.locator(".st-key-silence_grid canvas")
    grid.scroll_into_view_if_needed()
    box = grid.bounding_box()
    assert box
    place = {"x": 5.4 * box["width"] / 8, "y": 0.4 * box["height"] / 6}
    grid.hover(position=place)
    tip = page.locator(".st-key-silence_grid .tip")
    expect(tip).to_contain_text("layer 0, head 5: bits moved when silenced 0.39")
    act(page, lambda: grid.click(position=place))
    expect(page.get_by_text("Layer 0, head 5")).to_be_visible()
    assert "silence=chosen" in page.url


def test_a_table_of_tokens_is_taken_along_with_no_cell_that_a_spreadsheet_runs(visit):
    page = visit("/attention?attention_view=steps&text=%3D+%2B+-+%40+1+-1")
    table = page.locator(".st-key-table_weights")
    table.get_by_test_id("stDataFrame").hover()
    expect(table.get_by_role("button", name="Search")).to_be_visible()
    expect(table.get_by_role("button", name="Download as CSV")).to_have_count(0)
    with page.expect_download() as taken:
        table.get_by_role("button", name="CSV", exact=True).click()
    rows = list(DictReader(taken.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0]["token"] == "'="
    assert abs(sum(float(row["weight"]) for row in rows) - 1) < 1e-5
    assert not any(row["token"].startswith(("=", "+", "@")) for row in rows)
