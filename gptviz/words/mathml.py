"""Formulas that a browser draws by itself: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Iterable

from latex2mathml.converter import convert

# What the converter doesn't know, in words that it does.
_TOLD = {"{aligned}": "{align*}", r"\_": "_", r"\arg\max": r"\operatorname{arg\,max}", r"\!": ""}


def mathml(lines: Iterable[str]) -> str:
    """LaTeX as MathML in a box of its own, a formula a line."""
    return f'<div class="formula">{"".join(map(_line, lines))}</div>'


def _line(latex: str) -> str:
    for told, known in _TOLD.items():
        latex = latex.replace(told, known)
    return convert(latex, display="block")
