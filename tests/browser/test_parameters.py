"""The parameters page in a real browser: its table is taken along, and a comparison is kept."""

from __future__ import annotations

from csv import DictReader

from playwright.sync_api import expect

from gptviz.config import GPTConfig
from gptviz.counting.ledger import Ledger
from gptviz.counting.part_table import part_table

SMALL = "model=custom&emb_dim=48&n_heads=4&n_layers=3&vocab_size=1000&context_length=64&text="
CONFIG = GPTConfig(emb_dim=48, n_heads=4, n_layers=3, vocab_size=1000, context_length=64)


def test_the_table_of_parts_is_taken_along(visit):
    page = visit(f"/parameters?{SMALL}&parameters_view=parts")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Table as CSV").click()
    rows = list(DictReader(taken.value.path().read_text(encoding="utf-8-sig").splitlines()))
    assert taken.value.suggested_filename == "custom-parameters.csv"
    counted = {row["path"]: int(row["ledger"]) for row in rows}
    assert counted == {part.path: part.parameters for part in part_table(CONFIG)}
    assert {row["check"] for row in rows} == {"equal"}


def test_a_kept_configuration_stands_beside_a_changed_one_and_survives_a_reload(
    visit, act, settled
):
    page = visit(f"/parameters?{SMALL}&parameters_view=models")
    act(page, page.get_by_role("button", name="Keep this one to compare").click)
    act(page, page.locator(".st-key-tie_weights label").first.click)
    tied, untied = (Ledger(CONFIG.changed(tie_weights=tie)).parameters for tie in (True, False))
    beside = page.get_by_role("row").filter(has_text="≠").filter(has_text=f"{untied:,}").first
    expect(beside).to_contain_text(f"{tied:,}")
    page.reload()
    settled(page)
    expect(beside).to_contain_text(f"{tied:,}")


def test_a_columns_name_stands_above_its_numbers(visit):
    table = visit("/parameters").get_by_test_id("stTable").first
    names, cells = (table.locator(f"{part} tr").first for part in ("thead", "tbody"))
    for i in (1, 2, 3):
        name, cell = names.locator("th").nth(i), cells.locator("td").nth(i - 1)
        padding = [each.evaluate("e => getComputedStyle(e).paddingLeft") for each in (name, cell)]
        assert padding[0] == padding[1]
