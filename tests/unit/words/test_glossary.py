"""What is said follows what is built: for every field of a configuration, held to the model."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import combinations, product

import pytest
import torch

from gptviz.anatomy import anatomy, find
from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.model import GPTModel
from gptviz.model.attention import split_heads
from gptviz.words.entry import look_up
from gptviz.words.glossary import GLOSSARY, entry
from gptviz.words.sublayers import block_in_brief

SIZES = (
    {"n_layers": 2},  # four times as wide, emb_dim in all heads together
    {"n_layers": 1, "head_dim": 5, "ff_dim": 36},
    {"n_layers": 1, "n_heads": 1, "head_dim": 7, "ff_dim": 24},
    {"n_layers": 1, "n_heads": 2, "ff_dim": 18},
)
TINY = GPTConfig(vocab_size=300, context_length=16, emb_dim=24, n_heads=4, n_layers=2)
ALL_SETS = [
    frozenset(some)
    for size in range(len(PLACEHOLDER_PARTS) + 1)
    for some in combinations(PLACEHOLDER_PARTS, size)
]


def configs(placeholders):
    both = (False, True)
    for sizes, bias, tied, rate in product(SIZES, both, both, (0.0, 0.1)):
        yield TINY.changed(
            **sizes, qkv_bias=bias, tie_weights=tied, drop_rate=rate, placeholders=placeholders
        )


def entries(config):
    """Every part with its path and what is said of it."""
    return [(path, part, entry(config, path)) for path, part in anatomy(config).walk() if path]


everywhere = pytest.mark.parametrize("placeholders", ALL_SETS, ids=lambda p: "+".join(sorted(p)))


def test_everything_is_explained_and_nothing_that_is_not_there():
    parts = [part for path, part in anatomy(TINY).walk() if path]
    used = {id(look_up(GLOSSARY, part)) for part in parts}
    assert used == set(map(id, GLOSSARY.values()))


@pytest.mark.parametrize("path", ["", "nonsense", "blocks.x", "blocks.2", "blocks.0.no", "norm1"])
def test_what_is_no_part_has_no_entry(path):
    with pytest.raises(KeyError):
        entry(TINY, path)


def test_all_blocks_are_explained_alike():
    for path, _ in find(TINY, "blocks.0").walk("blocks.0"):
        assert entry(TINY, path) == entry(TINY, path.replace("0", "1", 1))
    assert entry(TINY, "blocks.1") != entry(TINY, "blocks")


@everywhere
def test_an_entry_is_whole(placeholders):
    for config in configs(placeholders):
        for path, _, said in entries(config):
            assert said.what.endswith((".", "?")), path
            assert said.why.endswith("."), path
            assert said.what[0].isupper()
            assert said.why[0].isupper()
            assert said.term
            assert 0 < len(said.name) <= 30  # stands in a box of the diagram
            assert said.what not in said.why
            texts = (said.name, said.term, said.what, said.why, said.formula)
            assert not any(re.search(r"\$|\b1 pieces|\b1 times", text) for text in texts)


@everywhere
def test_a_formulas_brackets_match(placeholders):
    for formula in {said.formula for c in configs(placeholders) for _, _, said in entries(c)}:
        plain = formula.replace(r"\{", "").replace(r"\}", "")
        for left, right in ("{}", "()", "[]"):
            depth = 0
            for character in plain:
                depth += (character == left) - (character == right)
                assert depth >= 0, formula
            assert depth == 0, formula
        commands = re.findall(r"\\([a-z]+)", formula)
        assert commands.count("left") == commands.count("right")
        assert commands.count("begin") == commands.count("end")


@everywhere
def test_words_speak_of_what_is_built(placeholders):
    for config in configs(placeholders):
        for path, part, said in entries(config):
            assert said.what.startswith("A placeholder, not built: ") != part.built, path
            if not config.has("norm"):
                assert "norm" not in said.what + said.formula, path
            if not config.has("shortcut") and part.does not in ("embedding_sum", "learned_shift"):
                assert "residual" not in said.what
                assert not re.search(r"\badd", said.what.lower()), path
                assert part.does == "shortcut" or not re.search(r"\badd", said.why.lower()), path
            if part.built and part.does == "dropout":
                assert ("Drops nothing" in said.what) == (config.drop_rate == 0)
                assert ("Bernoulli" in said.formula) == (config.drop_rate > 0)
                assert said.formula.endswith(f"r = {config.drop_rate:g}")
            assert ("four times" in said.what) <= (config.ff_dim == 4 * config.emb_dim), path
            head = path.startswith("out_head") and "W_" in said.formula
            assert (r"W_{\text{head}}" in said.formula) == (head and not config.tie_weights)


def test_feed_forward_is_as_wide_as_it_is_said_to_be():
    said = {24: "into as many,", 12: "0.5 times", 36: "1.5 times", 48: "twice", 96: "four times"}
    for ff_dim, words in said.items():
        config = TINY.changed(ff_dim=ff_dim)
        assert words in entry(config, "blocks.0.feed_forward").what
        wide = "wider" in entry(config, "blocks.0.feed_forward.linear1").why
        assert wide == (ff_dim > config.emb_dim)


# Formulas are computed as they are written, and held to what the model makes of the same numbers.

PYTHON = {
    r"\text{feed-forward}": "feed_forward",
    r"\text{attention}": "attention",
    r"\text{norm}_1": "norm1",
    r"\text{norm}_2": "norm2",
    r"\text{final\_norm}": "final_norm",
    r"\text{resid\_pre}": "resid_pre",
    r"\text{resid\_mid}": "resid_mid",
    r"\text{resid\_post}": "resid_post",
    r"\text{GELU}": "gelu",
    r"\text{logits}": "logits",
    r"{\text{tok}}": "tok",
    r"{\text{head}}": "head",
    r"\text{mask}": "mask",
    r"\text{softmax}\!\left(": "softmax(",
    r"\right) V": ") @ V",
    r"^{\top}": ".T",
    r"\, W": " @ W",
    "&": "",
    r"\begin{aligned}": "",
    r"\end{aligned}": "",
}


def computed(formula, **known):
    """What a formula makes of ``x``: of several lines, each goes on from the one before."""
    formula = re.sub(r"\\frac\{(\S+) (\S+)\}\{\\sqrt\{(\d+)\}\}", r"\1 @ \2 / \3 ** 0.5", formula)
    for latex, code in PYTHON.items():
        formula = formula.replace(latex, code)
    made = None
    for line in formula.split(r"\\"):
        name, code = re.fullmatch(r"\s*(?:(\w+) *(?:=|\\leftarrow))?(.+)", line).groups()
        made = eval(code.strip(), {}, known)  # our own words
        known[name or "y"] = made
    return made


@lru_cache(maxsize=1)
def built(config):
    model = GPTModel(config).eval()
    noise = torch.Generator().manual_seed(5)
    with torch.no_grad():  # scales of 1, shifts and biases of 0 would hide what is left out
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=noise)
    return model


def known(model):
    """The parts of the model's first block, by the names that formulas give them."""
    block = model.blocks[0]
    parts = {name: getattr(block, name) for name in ("norm1", "norm2", "attention")}
    return {**parts, "feed_forward": block.feed_forward, "final_norm": model.final_norm}


def some(config, n_tokens=5, width="emb_dim"):
    generator = torch.Generator().manual_seed(7)
    return torch.randn(n_tokens, getattr(config, width), generator=generator)


@everywhere
@torch.no_grad()
def test_formulas_of_the_stream_give_what_the_block_makes(placeholders):
    for config in [TINY.changed(**sizes, placeholders=placeholders) for sizes in SIZES[:2]]:
        model, x = built(config), some(config)
        block, names = model.blocks[0], known(model)
        after = block(x[None])[0]
        torch.testing.assert_close(
            computed(entry(config, "blocks.0").formula, x=x, **reads_one(names)), after
        )
        middle = entry(config, "blocks.0.shortcut1").formula
        last = entry(config, "blocks.0.shortcut2").formula
        made = computed(rf"{middle} \\ {last}", resid_pre=x, **reads_one(names))
        torch.testing.assert_close(made, after)


def reads_one(parts):
    """Modules that read one sentence, without an axis for a batch."""
    return {name: lambda x, part=part: part(x[None])[0] for name, part in parts.items()}


@everywhere
@torch.no_grad()
def test_formulas_of_parts_give_what_the_parts_make(placeholders):
    for config in configs(placeholders):
        model, x = built(config), some(config)
        parts = reads_one(known(model))
        tables = {"W_tok": model.tok_emb.weight, "W_head": model.out_head.weight}
        made = computed(entry(config, "out_head").lines[0], x=x, **parts, **tables)
        torch.testing.assert_close(made, model.out_head(model.final_norm(x)))
        block = model.blocks[0]
        if config.has("feed_forward"):
            feed_forward = block.feed_forward
            numbers = weights(feed_forward.linear1, "1") | weights(feed_forward.linear2, "2")
            formula = entry(config, "blocks.0.feed_forward").formula
            made = computed(formula, x=x, gelu=feed_forward.gelu, **parts, **numbers)
            torch.testing.assert_close(made, feed_forward(block.norm2(x)))
        if config.has("attention"):
            expected = block.attention(block.norm1(x[None]))[0]
            torch.testing.assert_close(attention_by_formulas(config, block, parts, x), expected)


def weights(linear, letter):
    return {f"W_{letter}": linear.weight, f"b_{letter}": linear.bias}


def attention_by_formulas(config, block, parts, x):
    """Every step as the panel writes it: projections, each head, the output projection."""
    attention, path, made = block.attention, "blocks.0.attention", {}
    for name, letter in (("query", "Q"), ("key", "K"), ("value", "V")):
        formula = entry(config, f"{path}.{name}").lines[0]
        numbers = weights(getattr(attention, name), letter)
        made[letter] = split_heads(computed(formula, x=x, **parts, **numbers), config.n_heads)
    each, how_many, last = entry(config, path).lines
    assert how_many.strip() == rf"0 \le h < {config.n_heads}"
    mask = torch.full((len(x), len(x)), -torch.inf).triu(1)
    heads = [
        computed(
            each.partition("=")[2],
            **{f"{letter}_h": heads[h] for letter, heads in made.items()},
            mask=mask,
            softmax=lambda scores: scores.softmax(-1),
        )
        for h in range(config.n_heads)
    ]
    assert re.findall(r"head\}_\{?(\d+)", last) == sorted({"0", str(config.n_heads - 1)})
    assert (r"\dots" in last) == (config.n_heads > 2)
    assert last.strip() == entry(config, f"{path}.out_proj").lines[0]
    last = re.sub(r"\\text\{concat\}\(.*?\)|\\text\{head\}_0", "heads", last)
    return computed(last, heads=torch.cat(heads, -1), **weights(attention.out_proj, "O"))


@everywhere
def test_sizes_of_weights_are_those_of_the_model(placeholders):
    for config in configs(placeholders):
        modules = dict(GPTModel(config, device="meta").named_modules())
        for path, part, said in entries(config):
            found = re.findall(r"W_\S+: (\d+) \\times (\d+)", said.formula)
            wanted = [tuple(modules[path].weight.shape)] if "weight" in part.weights else []
            assert [tuple(map(int, sizes)) for sizes in found] == wanted, path
            if wanted and path not in ("tok_emb", "pos_emb"):
                assert ("b_" in said.formula) == (modules[path].bias is not None), path


@everywhere
def test_the_note_on_a_block_counts_as_its_formula_does(placeholders):
    config = TINY.changed(placeholders=placeholders)
    formula, note = entry(config, "blocks.0").formula, block_in_brief(config)
    changes = formula.count(r"&\leftarrow")
    words = {0: "unchanged", 1: "once", 2: "twice"}
    assert note.endswith(words[changes])
    assert ("adds" in note) == ("+" in formula)
    assert ("replaces" in note) == (changes > 0 and "+" not in formula)
