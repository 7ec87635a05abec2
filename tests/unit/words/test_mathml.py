"""Every formula becomes MathML with nothing of LaTeX left in it."""

from __future__ import annotations

from itertools import combinations, product
from xml.etree import ElementTree

import pytest

from gptviz.anatomy import anatomy
from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.counting.formulas import parameters_formula
from gptviz.presets import PRESETS
from gptviz.words.glossary import entry
from gptviz.words.mathml import mathml

DRAWN = {  # MathML Core: what browsers draw
    *("div", "math", "mrow", "mi", "mo", "mn", "mtext", "mspace", "mfrac", "msqrt", "mstyle"),
    *("msub", "msup", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd"),
    "mpadded",
}


def parsed(lines):
    return ElementTree.fromstring(mathml(lines))


def names(tree):
    return {element.tag.rpartition("}")[2] for element in tree.iter()}


def all_formulas():
    """Of every part, for every set of placeholders, with and without all else that shows."""
    bare = {"tie_weights": True, "drop_rate": 0.0, "qkv_bias": True, "n_heads": 1, "head_dim": 5}
    for size, changes in product(range(len(PLACEHOLDER_PARTS) + 1), ({}, bare, {"n_heads": 2})):
        for some in combinations(PLACEHOLDER_PARTS, size):
            config = GPTConfig(n_layers=1, placeholders=frozenset(some), **changes)
            for path, _ in anatomy(config).walk():
                if path:
                    yield tuple(entry(config, path).lines)


@pytest.mark.parametrize("lines", sorted(set(all_formulas())))
def test_a_browser_can_draw_every_formula(lines):
    tree = parsed(lines)
    assert len(tree) == len(lines)
    assert names(tree) <= DRAWN
    text = "".join(tree.itertext())
    assert text.strip()
    assert not set(text) & set("\\{}&$")
    assert not text.endswith(")(2)")  # a number that nobody asked for


@pytest.mark.parametrize(
    ("head_dim", "text"),
    [(0, "head_dim=emb_dimn_heads=76812=64"), (80, "head_dim=attn_dimn_heads=96012=80")],
)
def test_names_and_numbers_of_a_configuration_stay_whole(head_dim, text):
    lines = entry(GPTConfig(head_dim=head_dim), "blocks.0.attention.split").lines
    assert "".join(parsed(lines).itertext()) == text


@pytest.mark.parametrize("name", PRESETS)
def test_the_formula_of_all_parameters(name):
    text = "".join(parsed([parameters_formula(PRESETS[name])]).itertext())
    assert "\\" not in text
    assert text.count("=") == 2
