"""Part by part, and one configuration beside another, on the parameters page."""

from __future__ import annotations

import io

import pandas as pd
import pytest
import streamlit as st

from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.counting.compare import compare, read, written
from gptviz.counting.costs import size
from gptviz.counting.ledger import Ledger
from gptviz.counting.part_table import part_table
from gptviz.counting.reconcile import FILE, MODEL, STATE_DICT, by_module, reconcile
from gptviz.presets import PRESETS
from gptviz.ui.parameters.parts import as_csv

PAGE = "pages/parameters.py"
PARTS, MODELS = ({"parameters_view": view} for view in ("parts", "models"))


def table(page, column):
    """The one table with a column of this name."""
    (found,) = [each.value for each in page.app.table if column in each.value.columns]
    return found


def compared(page):
    return table(page, "this has")


def names(frame):
    """The rows' names without marks and indents."""
    return [name.replace("*", "").replace("≠", "").strip("\u00a0 ") for name in frame.index]


@pytest.mark.parametrize("name", ["tales", "gpt2-small", "gpt3-175b"])
def test_every_part_is_counted_and_checked(name, visit):
    page = visit(PAGE, **PARTS, model=name)
    shown = table(page, "check")
    ways = [MODEL, STATE_DICT, *([FILE] if name == "tales" else [])]
    assert list(shown.columns) == ["formula", "ledger", *ways, "check"]
    parts = part_table(PRESETS[name])
    assert names(shown) == [part.name for part in parts]
    for column in ("ledger", *ways):
        assert list(shown[column]) == [f"{part.parameters:,}" for part in parts]
    assert set(shown["check"]) == {"equal"}


def test_the_check_is_the_countings_own(visit, monkeypatch):
    """One number more in the model than the ledger says, and the page says so."""
    one_more = {"pos_emb": 1 + 257 * 256}
    monkeypatch.setattr(
        "gptviz.counting.reconcile.by_module", lambda model: {**by_module(model), **one_more}
    )
    # a size that no other test asks for: counts are cached
    page = visit(PAGE, **PARTS, model="custom", context_length="257", emb_dim="256", n_heads="8")
    checks = table(page, "check")["check"]
    assert checks["position embedding"] == checks["**the whole model**"] == "**≠ the model +1**"
    assert checks["token embedding"] == "equal"


def test_the_ledgers_numbers_do_not_wait_for_the_models(visit, monkeypatch):
    monkeypatch.setattr("gptviz.ui.parameters.parts._reconcile", lambda *_: st.stop())
    shown = table(visit(PAGE, **PARTS), "formula")
    assert list(shown.columns) == ["formula", "ledger"]
    assert shown["ledger"].iloc[-1] == f"{Ledger(PRESETS['tales']).parameters:,}"


def test_the_tied_head_is_explained_where_there_is_one(visit):
    page = visit(PAGE, **PARTS, model="gpt2-small")
    assert "lists that tensor twice" not in page.words
    assert table(page, "check")["ledger"]["output head"] == "38,597,376"
    page.set("tie_weights", True)
    assert "lists that tensor twice" in page.words
    assert table(page, "check")["ledger"]["output head"] == "0"


def test_the_four_totals_follow_the_switches(visit):
    page = visit(PAGE, model="gpt2-small")
    column = "the bias adds 3·d·L"
    assert list(table(page, column)["without qkv bias"]) == [
        "**163,009,536** (this)",
        "124,412,160",
    ]
    page.set("tie_weights", True).set("qkv_bias", True)
    shown = table(page, column)
    assert list(shown["with qkv bias"]) == ["163,037,184", "**124,439,808** (this)"]
    assert list(shown[column]) == [f"{3 * 768 * 12:,}"] * 2


def test_the_parts_can_be_taken_along(visit):
    page = visit(PAGE, **PARTS, model="gpt2-small")
    assert "Table as CSV" in [b.proto.label for b in page.app.get("download_button")]
    rows = pd.read_csv(
        io.StringIO(as_csv(reconcile(PRESETS["gpt2-small"]))[1:]), keep_default_na=False
    )
    assert list(rows.columns) == ["path", "part", "formula", "ledger", MODEL, STATE_DICT, "check"]
    parts = part_table(PRESETS["gpt2-small"])
    assert list(rows["path"]) == [part.path for part in parts]
    assert list(rows[STATE_DICT]) == [part.parameters for part in parts]


def test_nothing_is_compared_until_asked(visit):
    page = visit(PAGE, **MODELS)
    assert page.value("against") == "nothing"
    assert not [each for each in page.app.table if "this has" in each.value.columns]
    assert not {"against", "aside"} & set(page.link)


@pytest.mark.parametrize("other", PRESETS)
def test_two_configurations_beside_each_other(other, visit):
    page = visit(PAGE, **MODELS, model="gpt2-small").set("against", other)
    shown = compared(page)
    length = min(1024, PRESETS[other].context_length)
    found = compare(PRESETS["gpt2-small"], PRESETS[other], length)
    rows = [row for section in found.values() for row in section]
    lines = [line for line in shown.itertuples() if line[1]]  # headings have no value
    assert len(lines) == len(rows)
    for row, (name, this, _, change) in zip(rows, lines, strict=True):
        assert row.name in name
        assert row.differs == ("≠" in name) == this.startswith("**")
        assert row.differs or not change
    assert page.link == {**MODELS, "model": "gpt2-small", "against": other} | (
        {"text": page.link["text"]} if "text" in page.link else {}
    )


def test_what_differs_is_told_in_times_or_by_how_much(visit):
    page = visit(PAGE, **MODELS, model="gpt2-small", against="gpt2-medium")
    shown = compared(page)
    layers = shown.loc["**≠\u00a0n_layers**"]
    assert list(layers) == ["**12**", "**24**", "**÷ 2**"]
    page.set("against", "tales").set("tie_weights", True)
    shown = compared(page)
    assert list(shown.loc["**≠\u00a0emb_dim**"]) == ["**768**", "**256**", "**× 3**"]
    assert list(shown.loc["tie_weights"]) == ["True", "True", ""]
    assert list(shown.loc["**≠\u00a0drop_rate**"]) == ["**0.1**", "**0.0**", "**+ 0.1**"]


def test_memory_is_in_the_chosen_numbers_and_unit(visit):
    page = visit(
        PAGE, **MODELS, model="gpt2-small", against="tales", numbers="bf16 or fp16", decimal="true"
    )
    weights = compared(page).loc["**≠\u00a0weights**"]
    expected = [
        size(Ledger(PRESETS[name]).weight_bytes(2), True) for name in ("gpt2-small", "tales")
    ]
    assert list(weights)[:2] == [f"**{each}**" for each in expected]
    assert "bf16 or fp16" in page.words


def test_a_configuration_can_be_kept_and_changed(visit):
    page = visit(PAGE, **MODELS, model="gpt2-small").press("Keep this one to compare")
    assert page.value("against") == "kept"
    assert "change something" in page.words
    page.set("qkv_bias", True)
    shown = compared(page)
    total = Ledger(GPTConfig()).parameters
    added = 3 * 768 * 12
    whole = shown.loc["**≠\u00a0the whole model**"]
    assert list(whole) == [f"**{total + added:,}**", f"**{total:,}**", f"**+ {added:,}**"]
    assert page.link["against"] == "kept"
    assert read(page.link["aside"]) == GPTConfig()
    page.press("Keep this one to compare")
    assert page.value("against") == "kept"
    assert read(page.link["aside"]) == GPTConfig(qkv_bias=True)


def test_the_kept_one_stays_over_pages_and_goes_along_in_the_link(visit):
    page = visit(PAGE, **MODELS).press("Keep this one to compare").set("n_layers", 4)
    before = compared(page)
    page.go("pages/attention.py").go(PAGE)
    assert compared(page).equals(before)
    page.set("against", "gpt2-xl")
    assert read(page.link["aside"]) == PRESETS["tales"]
    page.set("against", "kept")
    assert compared(visit(PAGE, **page.link)).equals(before)


def test_a_kept_one_may_have_placeholders(visit):
    bare = GPTConfig(placeholders=frozenset(PLACEHOLDER_PARTS))
    page = visit(PAGE, **MODELS, model="gpt2-small", against="kept", aside=written(bare))
    assert page.toasts == []
    shown = compared(page)
    assert shown.loc["**≠\u00a0placeholders**"].iloc[0] == "**none**"
    assert list(shown.loc["**≠\u00a0one block**"])[1:] == ["**0**", "**+ 7,085,568**"]


@pytest.mark.parametrize(
    "nonsense",
    [
        "x",
        "[]",
        '{"n_layers":0}',
        '{"n_layers":129}',  # more than the sidebar can show
        '{"emb_dim":1000000000}',
        '{"emb_dim":770}',
        '{"drop_rate":0.95}',
        '{"colour":1}',
        '{"placeholders":["<script>"]}',
        "[" * 5000,
    ],
)
def test_nonsense_is_not_kept_and_the_page_says_so(nonsense, visit):
    page = visit(PAGE, **MODELS, text="Hi", aside=nonsense, against="kept")
    assert page.value("against") == "nothing"
    assert len(page.toasts) == 1
    assert "aside" in page.toasts[0]
    assert "script" not in page.toasts[0]
    assert not {"aside", "against"} & set(page.link)


def test_the_largest_that_can_be_kept_is_compared_with_the_largest_preset(visit):
    largest = written(GPTConfig(emb_dim=16384, n_heads=128, n_layers=128, context_length=16384))
    page = visit(PAGE, **MODELS, model="gpt3-175b", against="kept", aside=largest)
    assert compared(page).loc["**≠\u00a0n_layers**"].iloc[1] == "**128**"
