"""The code that the panel shows is the code that runs."""

from __future__ import annotations

import ast
import inspect

import pytest

from gptviz import model
from gptviz.anatomy import anatomy
from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.words.code import code_of

CONFIG = GPTConfig(n_layers=2)
BARE = CONFIG.changed(placeholders=frozenset(PLACEHOLDER_PARTS))
PATHS = [path for path, _ in anatomy(CONFIG).walk() if path]


@pytest.mark.parametrize("path", PATHS)
def test_every_line_stands_in_the_file_it_names(path, root):
    found = code_of(CONFIG, path)
    assert found is not None
    where, code = found
    file = (root / "gptviz" / where.split(":")[0]).read_text("utf-8")
    assert code
    for line in code.splitlines():
        assert line.strip() in file
    ast.parse(code)


def test_the_textbook_function_is_shown_without_its_docstring():
    _, code = code_of(CONFIG, "blocks.0.attention.core.scores")
    assert code.splitlines()[-1] == "    return query @ key.transpose(-2, -1)"
    assert model.attn_scores.__doc__.splitlines()[0] in inspect.getsource(model.attn_scores)
    assert model.attn_scores.__doc__.splitlines()[0] not in code


def test_a_step_is_shown_by_the_statements_it_takes():
    _, code = code_of(CONFIG, "blocks.0.norm1.variance")
    assert code == "variance = x.var(dim=-1, keepdim=True, correction=0)"
    _, code = code_of(CONFIG, "blocks.0.attention.core.mask")
    assert "masked_fill(later, -torch.inf)" in code


def test_parts_that_do_the_same_in_different_places_show_the_place():
    shown = {code_of(CONFIG, path) for path in PATHS if path.endswith(("drop1", "drop2"))}
    assert len(shown) == 2
    assert code_of(CONFIG, "blocks.0.norm1") == code_of(CONFIG, "final_norm")


def test_a_placeholder_has_no_code():
    for path, part in anatomy(BARE).walk():
        if path:
            assert (code_of(BARE, path) is not None) == part.built, path


@pytest.mark.parametrize("path", ["nothing", "", "blocks.2"])
def test_what_is_no_part_is_refused(path):
    with pytest.raises(KeyError):
        code_of(CONFIG, path)
