"""The tree of parts is the model: its modules, weights, shapes and multiply-adds."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from gptviz.anatomy import Part, anatomy, find, has
from gptviz.anatomy.part import product, size_of
from gptviz.config import PLACEHOLDER_PARTS, GPTConfig
from gptviz.model import GPTModel
from gptviz.presets import PRESETS

ALL_PLACEHOLDERS = [
    frozenset(some)
    for count in range(len(PLACEHOLDER_PARTS) + 1)
    for some in itertools.combinations(PLACEHOLDER_PARTS, count)
]
SMALL = GPTConfig(vocab_size=11, context_length=9, emb_dim=12, n_heads=3, n_layers=2)


@st.composite
def configs(draw: st.DrawFn) -> GPTConfig:
    n_heads, head_dim = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    free = draw(st.booleans())
    return GPTConfig(
        vocab_size=draw(st.integers(1, 40)),
        context_length=draw(st.integers(1, 12)),
        emb_dim=draw(st.integers(1, 17)) if free else n_heads * head_dim,
        n_heads=n_heads,
        n_layers=draw(st.integers(1, 3)),
        qkv_bias=draw(st.booleans()),
        tie_weights=draw(st.booleans()),
        placeholders=draw(st.frozensets(st.sampled_from(PLACEHOLDER_PARTS))),
        head_dim=head_dim if free else 0,
        ff_dim=draw(st.integers(0, 30)),
    )


def hold_equal(config: GPTConfig, n_tokens: int) -> None:
    model = GPTModel(config, device="meta")
    tree = dict(anatomy(config).modules())
    assert list(tree) == [path for path, _ in model.named_modules()]
    own = {
        f"{path}.{name}".rstrip("."): tuple(size_of(config, size) for size in shape)
        for path, part in anatomy(config).walk()
        if not part.tied_to
        for name, shape in part.weights.items()
    }
    assert own == {name: tuple(tensor.shape) for name, tensor in model.named_parameters()}
    doors_and_flops(model, tree, n_tokens)


def doors_and_flops(model: GPTModel, tree: dict[str, Part], n_tokens: int) -> None:
    config = model.config
    seen = {}

    def look(path: str):
        def hook(_module, inputs, output):
            seen[path] = (
                [tuple(x.shape)[1:] for x in inputs if x is not None],
                tuple(output.shape)[1:],
            )

        return hook

    for path, module in model.named_modules():
        if path not in ("", "blocks"):
            module.register_forward_hook(look(path))
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, n_tokens, dtype=torch.int64, device="meta"))
    for path, (inputs, output) in seen.items():
        part = tree[path]

        def real(shape: tuple) -> tuple[int, ...]:
            return tuple(size_of(config, size, n_tokens) for size in shape)

        if path == "pos_emb":  # it reads positions, one row for all sentences
            output = (n_tokens, *output)[-2:]
        else:
            assert list(map(real, part.reads)) == inputs, path
        assert real(part.makes) == output, path
    counted = sum(
        2 * n_tokens * product(config, part.per_token)
        + 2 * n_tokens**2 * product(config, part.per_pair)
        for _, part in anatomy(config).walk()
    )
    assert counted == counter.get_total_flops()


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset(name: str) -> None:
    hold_equal(PRESETS[name], 5)


@pytest.mark.parametrize("placeholders", ALL_PLACEHOLDERS, ids=lambda s: "+".join(sorted(s)) or "-")
def test_every_set_of_placeholders(placeholders: frozenset[str]) -> None:
    hold_equal(SMALL.changed(placeholders=placeholders), 4)


@given(configs(), st.data())
@settings(max_examples=60, deadline=None)
def test_any_configuration(config: GPTConfig, data: st.DataObject) -> None:
    hold_equal(config, data.draw(st.integers(1, config.context_length)))


def test_placeholders_have_nothing_to_learn() -> None:
    config = SMALL.changed(placeholders=frozenset(PLACEHOLDER_PARTS))
    learned = {path for path, part in anatomy(config).walk() if part.weights}
    assert learned == {"tok_emb", "pos_emb", "out_head"}
    assert not find(config, "blocks.0.attention").inside


def test_a_part_is_found_by_its_path() -> None:
    assert find(SMALL, "").does == "model"
    assert find(SMALL, "blocks.1.attention.core.mask").does == "causal_mask"
    assert find(SMALL, "final_norm").role == "after the blocks"
    assert not has(SMALL, "blocks.2")
    assert not has(SMALL, "blocks.0.attention.core.nonsense")
    with pytest.raises(KeyError, match=r"'blocks\.7': no such part in a model of 2 blocks"):
        find(SMALL, "blocks.7")
