"""What is said of a part: shapes at its doors and costs, as the ledger has them."""

from __future__ import annotations

from gptviz.config import GPTConfig
from gptviz.diagram.facts import costs, doors
from gptviz.diagram.parts import piece

SMALL = GPTConfig()
TIED = GPTConfig(tie_weights=True)


def test_shapes_that_are_alike_are_counted():
    assert doors(piece(SMALL, "blocks.0.attention.core.scores", 4)) == [
        ("In", "2 × (12, 4, 64)"),
        ("Out", "(12, 4, 4)"),
    ]
    assert doors(piece(SMALL, "tokens", 4)) == [("Out", "(4)")]


def test_costs_and_their_shares():
    assert costs(SMALL, piece(SMALL, "blocks.0.feed_forward", 4), 4) == [
        ("Parameters", "4,722,432 · 2.9% of the model"),
        ("Their memory", "18.01 MiB in fp32"),
        ("FLOPs", "37,748,736 · 3.8% of the model"),
    ]
    decimal = dict(costs(SMALL, piece(SMALL, "blocks.0.feed_forward", 4), 4, decimal=True))
    assert decimal["Their memory"] == "18.89 MB in fp32"


def test_small_shares_are_no_zero_percent():
    assert costs(SMALL, piece(SMALL, "final_norm", 4), 0)[0] == (
        "Parameters",
        "1,536 · less than 0.1%",
    )


def test_a_tied_head_has_work_and_no_parameters_of_its_own():
    found = dict(costs(TIED, piece(TIED, "out_head", 4), 4))
    assert "used again" in found["Parameters"]
    assert found["FLOPs"].startswith("308,779,008")


def test_a_placeholder_does_no_work():
    config = GPTConfig(placeholders=frozenset({"attention"}))
    assert costs(config, piece(config, "blocks.0.attention", 4), 4) == [("Parameters", "0")]
