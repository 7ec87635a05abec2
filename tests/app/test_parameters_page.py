"""The parameters page: the ledger's totals, and below them one of five views."""

from __future__ import annotations

import pytest

from gptviz.counting.costs import PRECISIONS, decode, prefill, size, training_flops, training_memory
from gptviz.counting.ledger import Ledger
from gptviz.counting.module_table import differences, module_table
from gptviz.presets import PRESETS


def metrics(page):
    return [metric.value for metric in page.app.metric]


# From the published table of sizes: untied, tied, MiB of untied fp32.
@pytest.mark.parametrize(
    ("name", "untied", "tied", "mebibytes"),
    [
        ("gpt2-small", "163,009,536", "124,412,160", "621.83"),
        ("gpt2-medium", "406,212,608", "354,749,440", "1,549.58"),
        ("gpt2-large", "838,220,800", "773,891,840", "3,197.56"),
        ("gpt2-xl", "1,637,792,000", "1,557,380,800", "6,247.68"),
    ],
)
def test_the_totals_are_the_known_ones(name, untied, tied, mebibytes, visit):
    page = visit("pages/parameters.py", model=name)
    non_embedding = f"{Ledger(PRESETS[name]).parameters_non_embedding:,}"
    assert metrics(page)[:4] == [untied, tied, non_embedding, f"{mebibytes} MiB"]
    page.set("tie_weights", True)
    assert metrics(page)[:3] == [tied, untied, non_embedding]


@pytest.mark.parametrize("name", ["tales", "gpt3-175b"])
def test_the_table_has_every_module(name, visit):
    page = visit("pages/parameters.py", parameters_view="modules", model=name)
    rows = page.app.dataframe[-1].value
    assert set(rows["path"]) - {""} == set(Ledger(PRESETS[name]).paths()) - {""}
    whole = rows[rows["path"] == ""]["parameters"].item()
    assert whole == Ledger(PRESETS[name]).parameters


def test_where_torchinfo_differs_is_said(visit):
    page = visit("pages/parameters.py", parameters_view="modules")
    sentences = differences(module_table(PRESETS["tales"]))
    assert len(sentences) > 3
    for sentence in sentences:
        assert sentence in page.words


def test_the_shares_are_the_ledgers(visit, numbers):
    page = visit("pages/parameters.py")
    assert any("as large as its share" in caption.value for caption in page.app.caption)
    treemap = page.figures()[0]["data"][0]
    shares = {share.label: share.parameters for share in Ledger(PRESETS["tales"]).shares()}
    shown = dict(zip(treemap["labels"], numbers(treemap["values"]), strict=True))
    assert shown == shares


def test_the_table_follows_the_configuration(visit):
    page = visit("pages/parameters.py", parameters_view="modules")
    before = len(page.app.dataframe[-1].value)
    page.set("n_layers", 3)
    after = page.app.dataframe[-1].value
    assert before - len(after) == 3 * 17  # a block is 17 rows: itself and the parts in it
    assert not [path for path in after["path"] if path.startswith("blocks.3")]


def test_memory_and_work_follow_the_choices(visit):
    page = visit("pages/parameters.py", parameters_view="costs", model="gpt2-small")
    page.set("length", 1024).set("rows", 2).set("numbers", "bf16 or fp16")
    page.set("device", "NVIDIA H100 SXM")
    ledger = Ledger(PRESETS["gpt2-small"])
    totals = [training_memory(ledger, 1024, 2, each).total for each in PRECISIONS]
    shown = cells(page, "mixed precision")["**A training step**"]
    assert shown[:3] == [f"**{size(total)}**" for total in totals]
    assert "583,296,614,400" in page.words
    assert f"{training_flops(ledger, 1024, 2):,}" in page.words
    for work in (prefill(ledger, 1024, 2, 2), decode(ledger, 1024, 2, 2)):
        assert f"{work.flops:,}|{size(work.bytes_moved)}|{work.intensity:,.1f}" in page.words
    assert "3,350 GB/s (NVIDIA H100 datasheet" in page.words
    assert page.link | {"rows": "2", "numbers": "bf16 or fp16"} == page.link


def cells(page, column):
    """The one table that has this column, as rows by their names."""
    (found,) = [each.value for each in page.app.table if column in each.value.columns]
    return {name.strip("\u00a0 "): list(row) for name, *row in found.itertuples()}


def test_the_known_flops_and_cache_stand_on_the_page(visit):
    """GPT-2 small, two rows of 1,024 tokens: in all and for a token, attention apart."""
    page = visit(
        "pages/parameters.py",
        parameters_view="costs",
        model="gpt2-small",
        rows="2",
        numbers="bf16 or fp16",
    )
    flops = cells(page, "FLOPs a token")
    assert flops["A forward pass"] == ["583,296,614,400", "284,812,800"]
    assert flops["in the Linear layers"] == ["505,987,203,072", "247,064,064"]
    assert flops["in attention, over all pairs of tokens"] == ["77,309,411,328", "37,748,736"]
    assert flops["A training step: three times as many"][0] == f"{3 * 583_296_614_400:,}"
    assert cells(page, "How")["KV cache of one token"][0] == "36,864 bytes"
    page.set("rows", 1).set("decimal", True)
    assert cells(page, "How")["KV cache, to write with"][0] == "37.75 MB"
    page.set("numbers", "fp32")
    assert cells(page, "How")["KV cache of one token"][0] == "73,728 bytes"


def test_reading_and_writing_stand_below_the_roof_of_the_device(visit, numbers):
    page = visit(
        "pages/parameters.py", parameters_view="costs", model="gpt2-small", numbers="bf16 or fp16"
    )
    page.set("device", "NVIDIA A100 80GB SXM")
    ledger = Ledger(PRESETS["gpt2-small"])
    roof, read, write = page.figures()[0]["data"]
    assert roof["name"] == "roof of NVIDIA A100 80GB SXM"
    assert numbers(roof["y"]).max() == 312
    for point, work in ((read, prefill(ledger, 1024)), (write, decode(ledger, 1024))):
        assert numbers(point["x"]).tolist() == [work.intensity]
    assert "reading is bound by computing, writing by its memory" in page.words


def test_no_attention_needs_no_cache(visit):
    page = visit(
        "pages/parameters.py", parameters_view="costs", model="gpt2-small", attention="false"
    )
    size_, how = cells(page, "How")["KV cache of one token"]
    assert (size_, how) == ("0 bytes", "there is no attention to have keys and values")


def test_sizes_in_another_unit(visit):
    page = visit("pages/parameters.py", parameters_view="costs", model="gpt2-small").set(
        "decimal", True
    )
    assert metrics(page)[3] == "652.04 MB"
    assert "MiB|" not in page.words
    assert "MB|" in page.words


def test_training_has_precisions_of_its_own(visit):
    """Whatever numbers it is run in, it is trained in fp32, in mixed precision, or in bf16."""
    page = visit(
        "pages/parameters.py",
        parameters_view="costs",
        model="gpt2-xl",
        numbers="int8",
        decimal="true",
    )
    shown = cells(page, "mixed precision")
    together = shown["**Without activations**"]
    assert together[:3] == ["**26.20 GB**", "**26.20 GB**", "**13.10 GB**"]
    assert together[3].endswith("16, 16, 8 bytes a parameter")
    assert shown["Master weights, in fp32"][:3] == ["–", "6,551.17 MB", "–"]
    assert cells(page, "How")["Weights"][0] == "1,637.79 MB"


def test_what_dropout_adds_to_training_is_said(visit):
    page = visit("pages/parameters.py", parameters_view="costs", model="gpt2-small")
    assert "its masks are counted among the activations" in page.words
    page.set("drop_rate", 0.0)
    assert "Without dropout, as drop_rate is 0" in page.words


def test_which_flops_are_all_pairs_and_which_the_least_is_said(visit):
    words = visit("pages/parameters.py", parameters_view="costs").words
    assert "attention over all n² pairs, masked or not" in words
    assert "n(n + 1)/2 pairs that the mask lets through" in words


@pytest.mark.parametrize("view", ["costs", "models"])
def test_gpt3_was_not_dense_and_that_is_said(view, visit):
    page = visit("pages/parameters.py", parameters_view=view, model="gpt3-175b")
    assert "alternates dense and locally banded sparse attention" in page.words


def test_a_device_that_cannot_hold_the_weights_is_named(visit):
    page = visit(
        "pages/parameters.py",
        parameters_view="costs",
        model="gpt3-175b",
        device="NVIDIA T4",
        decimal="true",
    )
    held = Ledger(PRESETS["gpt3-175b"]).weight_bytes(4) + 2 * 96 * 12_288 * 2048 * 4
    (warning,) = page.app.warning
    assert f"take {size(held, decimal=True)}; NVIDIA T4 has 16.11 GB" in warning.value
    page.set("numbers", "int8").set("device", "NVIDIA H200 SXM").set("length", 1)
    assert "150.75 GB" in page.app.warning[0].value  # 175 GB, even so
    assert not visit("pages/parameters.py", parameters_view="costs").app.warning


def test_gpt2_and_gpt3_stand_beside_each_other(visit):
    rows = (
        visit("pages/parameters.py", parameters_view="models")
        .app.dataframe[0]
        .value.set_index("model")
    )
    assert set(rows.index) == set(PRESETS)
    for name, config in PRESETS.items():
        assert rows["parameters, untied"][name] == Ledger(config).parameters_untied
        assert rows["FLOPs a token, short text"][name] == Ledger(config).flops(1).linear
        assert rows["non-embedding"][name] == Ledger(config).parameters_non_embedding


# GPT-2 as it was published: tied, with biases of query, key and value.
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("gpt2-small", 124_439_808),
        ("gpt2-medium", 354_823_168),
        ("gpt2-large", 774_030_080),
        ("gpt2-xl", 1_557_611_200),
    ],
)
def test_the_published_sizes_are_in_the_table(name, count, visit):
    rows = (
        visit("pages/parameters.py", parameters_view="models")
        .app.dataframe[0]
        .value.set_index("model")
    )
    assert rows["tied, with qkv bias"][name] == count
