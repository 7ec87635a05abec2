"""The number of parameters in letters: a walk of the anatomy that multiplies names, not numbers.

V = vocab_size, C = context_length, L = n_layers, d = emb_dim; and where they don't follow from
these, f = ff_dim, H = n_heads, h = head_dim.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gptviz.anatomy import Part, Shape, Size, find
from gptviz.config import GPTConfig
from gptviz.counting.ledger import Ledger

Term = tuple[str, ...]  # letters to be multiplied, in order
Sum = Counter[Term]  # how many times each stands in a sum

LETTERS = {
    "vocab_size": "V",
    "context_length": "C",
    "n_layers": "L",
    "ff_dim": "f",
    "n_heads": "H",
    "head_dim": "h",
    "emb_dim": "d",
}
ORDER = "".join(LETTERS.values())


def terms(config: GPTConfig, part: Part) -> Sum:
    """A part's parameters, with those inside it; the blocks' are those of one, L times."""
    if part.does == "blocks":
        return Counter({("L", *term): n for term, n in terms(config, part.inside[0]).items()})
    found: Sum = Counter()
    for shape in () if part.tied_to else part.weights.values():
        times, term = _product(config, shape)
        found[term] += times
    for each in part.inside:
        found += terms(config, each)
    return found


def _product(config: GPTConfig, shape: Shape) -> tuple[int, Term]:
    times, letters = 1, list[str]()
    for size in shape:
        more, term = _size(config, size)
        times *= more
        letters += term
    return times, tuple(sorted(letters, key=ORDER.index))


def _size(config: GPTConfig, size: Size) -> tuple[int, Term]:
    if isinstance(size, int):
        return size, ()
    if size == "ff_dim" and config.ff_dim % config.emb_dim == 0:
        return config.ff_dim // config.emb_dim, ("d",)
    return 1, ("H", "h") if size == "attn_dim" else (LETTERS[size],)


def in_letters(found: Sum) -> str:
    """A sum as people write it, such as ``4d² + d``."""
    return _joined(_plain(term, n) for term, n in _ordered(found)) or "0"


def in_latex(found: Sum) -> str:
    """The same in LaTeX."""
    return _joined(_latex(term, n) for term, n in _ordered(found)) or "0"


def _ordered(found: Sum) -> list[tuple[Term, int]]:
    """Longest products first, and of those by their letters."""
    return sorted(
        found.items(), key=lambda item: (-len(item[0]), [ORDER.index(s) for s in item[0]])
    )


def _joined(pieces: Iterable[str]) -> str:
    return " + ".join(pieces)


def _plain(term: Term, times: int) -> str:
    powers = (f"{letter}{'²' if n == 2 else ''}" for letter, n in Counter(term).items())
    return f"{times if times > 1 else ''}{'·'.join(powers)}"


def _latex(term: Term, times: int) -> str:
    powers = (f"{letter}{'^{2}' if n == 2 else ''}" for letter, n in Counter(term).items())
    return f"{times if times > 1 else ''}{''.join(powers)}"


def parameters_formula(config: GPTConfig) -> str:
    r"""The number of parameters as one formula in LaTeX: with letters, with numbers, and counted.

    GPT-2 small, untied: ``2Vd + Cd + L(12d^{2} + 10d) + 2d``.
    """
    whole, block = find(config, ""), terms(config, find(config, "blocks.0"))
    outside: Sum = Counter()
    for part in whole.inside:
        outside += terms(config, part) if part.does != "blocks" else Counter()
    tables = Counter({term: n for term, n in outside.items() if len(term) > 1})
    rest = outside - tables
    pieces = [in_latex(tables)]
    pieces += [f"L({in_latex(block)})"] if block else []
    pieces += [in_latex(rest)] if rest else []
    letters = _joined(pieces)
    return f"{letters} = {_with_numbers(config, letters)} = {_digits(Ledger(config).parameters)}"


def _with_numbers(config: GPTConfig, letters: str) -> str:
    fields = {letter: name for name, letter in LETTERS.items()}
    text = ""
    for sign in letters:
        if sign not in fields:
            text += sign
            continue
        times = r" \cdot " if text[-1:].isdigit() else ""
        text += times + _digits(getattr(config, fields[sign]))
    return text.replace("(", r" \cdot (")


def _digits(number: int) -> str:
    return f"{number:,}".replace(",", "{,}")
