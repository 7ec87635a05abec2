from __future__ import annotations

import re

import pytest

from gptviz.config import GPTConfig
from gptviz.diagram.parts import BLOCK_PARTS, STEPS
from gptviz.model import GPTModel

TINY = GPTConfig(vocab_size=300, context_length=16, emb_dim=24, n_heads=4, n_layers=2)
WITHOUT_MODULE = {"tokens", "embeddings", "next_token"}
IN_BLOCK = ("norm1", "norm2", "attention", "feed_forward")
WITHOUT_MODULE |= {
    f"{'blocks.0.' * (holder in IN_BLOCK)}{holder}.{step}"
    for holder, steps in STEPS.items()
    for step in steps
}


def test_every_module_is_explained_and_nothing_that_is_not_there():
    modules = [path for path, _ in GPTModel(TINY, device="meta").named_modules() if path]
    explained = {id(entry(path)) for path in modules}
    explained |= {id(entry(path)) for path in WITHOUT_MODULE}
    assert explained == set(map(id, GLOSSARY.values()))


def test_all_blocks_are_explained_alike():
    for name in BLOCK_PARTS:
        assert entry(f"blocks.0.{name}") is entry(f"blocks.127.{name}")
    assert entry("blocks.3") is not entry("blocks")


@pytest.mark.parametrize("path", ["", "nonsense", "blocks.x", "blocks.0.nonsense", "norm1"])
def test_what_is_no_part_has_no_entry(path):
    with pytest.raises(KeyError):
        entry(path)


@pytest.mark.parametrize("path", GLOSSARY)
def test_an_entry_is_whole(path):
    said = GLOSSARY[path]
    assert said.what.endswith((".", "?"))
    assert said.why.endswith(".")
    assert len(said.name) <= 30  # stands in a box of the diagram
    assert said.term
    assert said.what != said.why


def test_an_entry_has_the_configurations_own_numbers():
    said = entry("blocks.1.attention.split").filled(TINY)
    assert r"\frac{24}{4} = 6" in said.formula
    assert "into 4 pieces" in said.what
    for path in GLOSSARY:
        filled = GLOSSARY[path].filled(TINY)
        assert "$" not in filled.what + filled.why + filled.formula, path


@pytest.mark.parametrize("path", GLOSSARY)
def test_a_formulas_brackets_match(path):
    formula = GLOSSARY[path].formula.replace(r"\{", "").replace(r"\}", "")
    depth = 0
    for character in formula:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0, formula
    assert depth == 0, formula
    commands = re.findall(r"\\([a-z]+)", formula)
    assert commands.count("left") == commands.count("right")
    assert commands.count("begin") == commands.count("end")
