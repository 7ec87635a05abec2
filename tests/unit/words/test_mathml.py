"""Every formula becomes MathML with nothing of LaTeX left in it."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from gptviz.config import GPTConfig
from gptviz.counting.formulas import parameters_formula
from gptviz.presets import PRESETS

DRAWN = {  # MathML Core: what browsers draw
    *("div", "math", "mrow", "mi", "mo", "mn", "mtext", "mspace", "mfrac", "msqrt", "mstyle"),
    *("msub", "msup", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd"),
    "mpadded",
}


def parsed(lines):
    return ElementTree.fromstring(mathml(lines))


def names(tree):
    return {element.tag.rpartition("}")[2] for element in tree.iter()}


@pytest.mark.parametrize("path", GLOSSARY)
def test_a_browser_can_draw_every_formula(path):
    lines = GLOSSARY[path].filled(GPTConfig()).lines
    tree = parsed(lines)
    assert len(tree) == len(lines)
    assert names(tree) <= DRAWN
    text = "".join(tree.itertext())
    assert text.strip()
    assert not set(text) & set("\\{}&")
    assert not text.endswith(")(2)")  # a number that nobody asked for


def test_names_and_numbers_of_a_configuration_stay_whole():
    text = "".join(
        parsed(GLOSSARY["blocks.*.attention.split"].filled(GPTConfig()).lines).itertext()
    )
    assert text == "head_dim=emb_dimn_heads=76812=64"


@pytest.mark.parametrize("name", PRESETS)
def test_the_formula_of_all_parameters(name):
    text = "".join(parsed([parameters_formula(PRESETS[name])]).itertext())
    assert "\\" not in text
    assert text.count("=") == 2
