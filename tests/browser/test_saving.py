"""Every figure can be taken along, and a long pass be stopped."""

from __future__ import annotations

import csv
from pathlib import Path

from playwright.sync_api import expect

# Blocks enough that a pass over a long sentence takes more than a moment.
DEEP = "model=custom&n_layers=128&emb_dim=256&n_heads=8&context_length=2048&vocab_size=300"


def saved(page, key, name) -> Path:
    figure = page.locator(f".st-key-figure_{key}")
    with page.expect_download() as waiting:
        figure.get_by_role("button", name=name, exact=True).click()
    assert waiting.value.suggested_filename == f"gptviz-{key}.{name.lower()}"
    return Path(waiting.value.path())


def test_a_figure_is_saved_as_png_svg_and_csv(visit):
    page = visit("/attention?text=Once%20upon%20a%20time")
    assert saved(page, "exact", "PNG").read_bytes().startswith(b"\x89PNG")
    svg = saved(page, "exact", "SVG").read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "key: the token looked at (column)" in svg
    with saved(page, "exact", "CSV").open(encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 1 + 4 * 5 // 2
    assert rows[1][1].strip("␣") == "Once"


def test_a_figure_has_words_for_who_cannot_see_it(visit):
    page = visit("/attention")
    expect(page.get_by_label("Heatmap: layer 0, head 0;", exact=False).first).to_be_attached()


def test_a_long_pass_says_how_far_it_is_and_can_be_stopped(visit, settled):
    page = visit("/parameters?" + DEEP + "&text=" + "a" * 400)
    page.get_by_role("link", name="Activations").click()
    page.get_by_role("button", name="Read the sentence with custom").click()  # it isn't cheap
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped before the sentence was read")).to_be_visible()
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_text("The residual stream over all blocks")).to_be_visible(timeout=60_000)
    settled(page)
