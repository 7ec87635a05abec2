"""The code that the panel shows is the code that runs."""

from __future__ import annotations

import ast
import inspect

import pytest

from gptviz import model

PATHS = [path.replace("*", "3") for path in GLOSSARY]


@pytest.mark.parametrize("path", PATHS)
def test_every_line_stands_in_the_file_it_names(path, root):
    found = code_of(path)
    assert found is not None
    where, code = found
    file = (root / "gptviz" / where.split(":")[0]).read_text("utf-8")
    assert code
    for line in code.splitlines():
        assert line.strip() in file
    ast.parse(code)


def test_the_textbook_function_is_shown_without_its_docstring():
    _, code = code_of("blocks.0.attention.core.scores")
    assert code.splitlines()[-1] == "    return query @ key.transpose(-2, -1)"
    assert model.attn_scores.__doc__.splitlines()[0] in inspect.getsource(model.attn_scores)
    assert model.attn_scores.__doc__.splitlines()[0] not in code


def test_a_step_is_shown_by_the_statements_it_takes():
    _, code = code_of("blocks.0.norm1.variance")
    assert code == "variance = x.var(dim=-1, keepdim=True, correction=0)"
    _, code = code_of("blocks.0.attention.core.mask")
    assert "masked_fill(later, -torch.inf)" in code


def test_an_unknown_part_has_no_code():
    assert code_of("nothing") is None
