"""The files that are taken along, opened by themselves in a real browser."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

HOSTILE = "Once <img src=x onerror=alert(1)> </script><script>alert(2)</script> upon a time"
HEADER, WIDTH = b"\x89PNG\r\n\x1a\n", slice(16, 20)

# Fill and stroke of every part's outline, as the pixels that they paint.
COLOURS = """svgs => {
  const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const pixel = colour => {
    context.clearRect(0, 0, 1, 1);
    if (colour === 'none') return [0, 0, 0, 0];
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  return [...svgs[0].querySelectorAll('.part')].map(part => {
    const outline = part.querySelector(':scope > rect:not(.behind), :scope > circle');
    const style = getComputedStyle(outline);
    return [part.dataset.path, pixel(style.fill), pixel(style.stroke), style.strokeDasharray];
  });
}"""


@pytest.fixture
def alone(browser: Browser):
    """Open a file by itself; a dialog, an error or a request fails the test."""
    contexts, wrong = [], []

    def open_file(path: Path) -> Page:
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("request", lambda request: wrong.append(request.url))
        page.goto(path.as_uri())
        wrong.remove(path.as_uri())  # the file itself
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert not [url for url in wrong if not url.startswith(("data:", "blob:"))]


def take(page: Page, name: str, to: Path) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    file = to / waiting.value.suggested_filename
    waiting.value.save_as(file)
    return file


@pytest.mark.parametrize("dark", [False, True])
def test_the_picture_taken_along_is_the_one_on_the_screen(dark, visit, act, alone, tmp_path):
    page = visit("/?text=Once%20upon%20a%20time&block=1&norm=false&model=custom", dark=dark)
    act(page, page.get_by_text("Take it along").click)
    page.mouse.move(0, 0)
    shown = page.locator("svg:has(.part)").evaluate_all(COLOURS)
    file = alone(take(page, "Picture (SVG)", tmp_path))
    taken = file.locator("svg").evaluate_all(COLOURS)
    selected = page.locator(".part.selected").first.get_attribute("data-path")
    assert [each[0] for each in taken] == [each[0] for each in shown]
    assert len(taken) > 20
    for ours, theirs in zip(taken, shown, strict=True):
        assert ours[3] == theirs[3], ours[0]
        differ = [abs(a - b) for a, b in zip(ours[1], theirs[1], strict=True)]
        assert max(differ) <= 2, (ours, theirs)
        if ours[0] != selected:  # its stroke is the page's own
            differ = [abs(a - b) for a, b in zip(ours[2], theirs[2], strict=True)]
            assert max(differ) <= 2, (ours, theirs)
    png = take(page, "Picture (PNG)", tmp_path).read_bytes()
    assert png.startswith(HEADER)
    assert int.from_bytes(png[WIDTH], "big") == 2 * int(file.locator("svg").get_attribute("width"))


def test_what_can_be_taken_along_is_as_large_as_other_buttons(visit, act):
    page = visit("/?text=Hi")
    act(page, page.get_by_text("Take it along").click)
    words = page.get_by_role("button", name="Handout").locator("p")
    other = page.get_by_role("button", name="Build it part by part, from the beginning").locator(
        "p"
    )
    size = "e => getComputedStyle(e).fontSize"
    assert words.evaluate(size) == other.evaluate(size)


def test_a_handout_opens_without_a_server_and_runs_nothing_of_a_persons(
    visit, act, alone, tmp_path
):
    page = visit(f"/?text={quote(HOSTILE)}&block=2&inside=attention&head=1")
    expect(
        page.locator("svg:has(.part) image").first
    ).to_be_attached()  # the sentence has been read
    act(page, page.get_by_text("Take it along").click)
    handout = alone(take(page, "Handout", tmp_path))
    expect(handout.get_by_text(HOSTILE)).to_be_visible()
    expect(handout.locator(".picture svg").first).to_be_visible()
    expect(handout.locator("math").first).to_be_visible()
    expect(handout.locator(".figure .main-svg").first).to_be_attached()
    assert handout.locator(".figure").count() == 3
    box = handout.locator(".figure").first.locator(".nsewdrag").first
    box.hover(position={"x": 3, "y": 3})
    expect(handout.locator(".hoverlayer")).to_have_count(3)
    expect(handout.locator(".hovertext").first).to_contain_text("weight 1.0000")
    handout.locator('.picture a:has([data-path="tok_emb"])').first.click(position={"x": 9, "y": 9})
    expect(handout.locator("#part-tok_emb")).to_be_in_viewport()
    assert handout.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_handout_can_be_had_before_a_large_model_is_read(visit, act, alone, tmp_path):
    page = visit("/?model=gpt3-175b&text=Hi")
    act(page, page.get_by_text("Take it along").click)
    handout = alone(take(page, "Handout", tmp_path))
    expect(handout.get_by_text("This handout shows the model's structure only")).to_be_visible()
    expect(handout.get_by_text("175,218,278,400 parameters")).to_be_visible()
