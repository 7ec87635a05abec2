"""What is said of the blocks, and of what stands in a block around its parts."""

from __future__ import annotations

from gptviz.anatomy import Part
from gptviz.config import GPTConfig
from gptviz.words.entry import Wording, Words
from gptviz.words.sublayers import SUBLAYERS, block_does, block_formula, shortcut_formula


def _has_weights(part: Part) -> bool:
    return any(each.weights for _, each in part.walk())


def _blocks(config: GPTConfig, part: Part) -> str:
    if not _has_weights(part):
        own = "here without any weights"
    else:
        own = "with weights of its own" if config.n_layers == 1 else "each with weights of its own"
    many = "The same kind of block $n_layers times in a row"
    return f"{many if config.n_layers > 1 else 'A single block'}, {own}."


def _why_blocks(config: GPTConfig, part: Part) -> str:
    if not _has_weights(part):
        return "Once its parts are built, each block refines what those before it wrote."
    if config.n_layers == 1:
        return "With more of them, each would refine what those before it wrote."
    return "Each one refines what those before it wrote; one alone could not go far."


def _why_block(config: GPTConfig, _part: Part) -> str:
    brings, works = "attention brings facts from other tokens", "works on what has been brought"
    return {
        (True, True): f"{brings.capitalize()}; feed-forward {works}.",
        (True, False): f"{brings.capitalize()}; once it is built, feed-forward {works}.",
        (False, True): f"Feed-forward works on each token by itself; once it is built, {brings}.",
        (False, False): f"Once they are built, {brings} and feed-forward {works}.",
    }[config.has("attention"), config.has("feed_forward")]


def _shortcut(config: GPTConfig, part: Part) -> str:
    name = SUBLAYERS[part.role].name
    if not config.has(part.role):
        return f"Has nothing to add: {name} is not built, so the stream goes straight on."
    return f"Adds what {name} made to the stream, which otherwise goes straight on."


def _drops(noun: str) -> Words:
    def what(config: GPTConfig, _part: Part) -> str:
        if not config.drop_rate:
            return "Drops nothing: this model's drop_rate is 0."
        return f"While training, sets a random share of the {noun} to 0 and enlarges the rest."

    return what


def _why_drop(noun: str, why: str) -> Words:
    def reason(config: GPTConfig, _part: Part) -> str:
        if config.drop_rate:
            return f"{why} Off outside training."
        return f"At a rate above 0, training would set a random share of the {noun} to 0. {why}"

    return reason


def _dropped(letter: str) -> Words:
    def formula(config: GPTConfig, _part: Part) -> str:
        kept = rf"\frac{{{letter} \cdot m}}{{1 - r}}"
        if not config.drop_rate:
            return rf"{kept} = {letter},\quad m = 1,\ r = 0"
        return rf"{kept},\quad m \sim \text{{Bernoulli}}(1 - r),\ r = $drop_rate"

    return formula


_NO_NUMBER = "The model can't rely on any single number, so it learns less by heart."
_NO_TOKEN = "The model can't rely on looking at any one token, so it learns more than one way."


def _dropout(term: str, noun: str = "numbers", why: str = _NO_NUMBER, letter: str = "x") -> Wording:
    return Wording("Dropout", term, _drops(noun), _why_drop(noun, why), _dropped(letter))


def _around(name: str, number: int) -> Wording:
    return Wording(
        f"Shortcut {number}",
        f"residual connection around {name} (skip connection)",
        _shortcut,
        "Gradients reach the first block undiminished, and a block need only learn what to change.",
        shortcut_formula,
    )


BLOCK = {
    "blocks": Wording(
        "Transformer blocks",
        "decoder layers (h, layers)",
        _blocks,
        _why_blocks,
        r"x \leftarrow \text{block}_{\ell}(x),\quad 0 \le \ell < L = $n_layers",
    ),
    "block": Wording(
        "Block", "transformer block, decoder layer", block_does, _why_block, block_formula
    ),
    "dropout: embeddings": _dropout("dropout on the embeddings"),
    **{
        f"dropout: {role}": _dropout(f"dropout on what {said.name} makes (resid_dropout)")
        for role, said in SUBLAYERS.items()
    },
    "dropout: weights": _dropout("attention dropout (attn_pdrop)", "weights", _NO_TOKEN, "a"),
    **{f"shortcut: {role}": _around(said.name, said.number) for role, said in SUBLAYERS.items()},
}
