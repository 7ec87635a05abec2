"""The tables of the benchmarks say what the measurements say."""

from __future__ import annotations

import json

import pytest

from benchmarks.table import Row, Table, as_json, markdown, ratios

TRACE = Row("trace", "ms", {"16 tokens": [3.0, 4.0, 20.0], "64 tokens": [150.0, 1200.0, 1300.0]})
THEIRS = Row("theirs", "ms", {"16 tokens": [6.0, 8.0, 10.0], "64 tokens": [100.0, 1000.0, 1000.0]})


def test_the_verdict_is_the_medians():
    row = Row("share", "x", {"even": [0.5, 9.0, 0.1], "over": [0.51, 0.0, 0.9]}, aim=0.5)
    assert row.verdict("even") == "met"
    assert row.verdict("over") == "missed"


def test_without_an_aim_there_is_no_verdict():
    assert TRACE.verdict("16 tokens") is None


def test_a_ratio_compares_what_one_round_measured():
    row = ratios("share", TRACE, THEIRS, aim=1)
    assert row.samples == {"16 tokens": [0.5, 0.5, 2.0], "64 tokens": [1.5, 1.2, 1.3]}
    assert (row.verdict("16 tokens"), row.verdict("64 tokens")) == ("met", "missed")


def test_rounds_that_do_not_pair_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        ratios("share", TRACE, Row("theirs", "ms", {"16 tokens": [6.0], "64 tokens": [1.0]}))


def test_the_table_shows_medians_aims_and_verdicts():
    table = Table("Time", [TRACE, ratios("share", TRACE, THEIRS, aim=1)])
    title, _, head, rule, *lines = markdown(table).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in (head, *lines)]
    assert title == "**Time**"
    assert set(rule) == set("|- ")
    assert cells == [
        ["", "unit", "aim", "16 tokens", "64 tokens"],
        ["trace", "ms", "", "4.00", "1,200"],
        ["share", "x", "≤ 1", "0.500 met", "1.30 missed"],
    ]


def test_a_row_may_lack_a_case():
    table = Table("Time", [TRACE, Row("other", "ms", {"16 tokens": [1.0]})])
    assert markdown(table).splitlines()[-1].split("|")[-2].strip() == ""


def test_json_keeps_every_measurement():
    written = json.loads(json.dumps(as_json(Table("Time", [TRACE]))))
    assert written["rows"][0]["cases"]["64 tokens"] == {
        "median": 1200.0,
        "samples": [150.0, 1200.0, 1300.0],
        "verdict": None,
    }
